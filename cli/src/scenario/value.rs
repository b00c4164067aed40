//! Values of scenario files and flags that carry a unit. Each knows what is allowed and says so.

use super::measure;
use milliwatt_wire::load;
use milliwatt_wire::time::NS_PER_SECOND;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A value that could not be read: what it says and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {allowed}")]
pub struct ValueError {
    text: String,
    what: &'static str,
    allowed: &'static str,
}

fn refused(text: &str, what: &'static str, allowed: &'static str) -> ValueError {
    ValueError {
        text: text.to_owned(),
        what,
        allowed,
    }
}

/// Reads and writes `$type` as a string in files, by its `FromStr` and `Display`.
macro_rules! as_string {
    ($type:ident, $title:literal, $pattern:literal) => {
        impl TryFrom<String> for $type {
            type Error = ValueError;
            fn try_from(text: String) -> Result<Self, ValueError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $title, "pattern": $pattern })
            }
        }
    };
}

/// A length of time, ns; zero or more. Written `20ms`, `5m`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration(pub i64);

impl Duration {
    /// So many whole milliseconds.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms * 1_000_000)
    }

    /// In seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "durations stay below 2^53 ns")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

const DURATION: &str =
    "a number and a unit (ns, us, ms, s, m, h), such as \"20ms\", \"5m\" or \"1h30m\"";

impl FromStr for Duration {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let ns = measure::parse_sum(text, measure::TIME).and_then(measure::whole);
        ns.map(Self)
            .ok_or_else(|| refused(text, "a duration", DURATION))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, i64); 6] = [
            ("ns", 1),
            ("us", 1_000),
            ("ms", 1_000_000),
            ("s", NS_PER_SECOND),
            ("m", 60 * NS_PER_SECOND),
            ("h", 3600 * NS_PER_SECOND),
        ];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        f.write_str(&measure::write(self.0, &UNITS))
    }
}

as_string!(
    Duration,
    "A length of time: a number and a unit (ns, us, ms, s, m, h)",
    "^[0-9.]+ *(ns|us|ms|s|m|min|h)"
);

/// How long calls last: `180s`, `2m..5m` (uniform), `exp(3m)` (exponential, mean).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hold(pub load::Hold);

const HOLD: &str = "fixed \"180s\", uniform \"2m..5m\" or exponential \"exp(3m)\"";

impl FromStr for Hold {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let duration = |part: &str| {
            part.parse::<Duration>()
                .map_err(|_| refused(text, "a hold time", HOLD))
        };
        if let Some(mean) = text
            .strip_prefix("exp(")
            .and_then(|rest| rest.strip_suffix(')'))
        {
            return Ok(Self(load::Hold::Exponential(duration(mean)?.0)));
        }
        let Some((low, high)) = text.split_once("..") else {
            return Ok(Self(load::Hold::Fixed(duration(text)?.0)));
        };
        let (low, high) = (duration(low)?.0, duration(high)?.0);
        if low > high {
            return Err(refused(
                text,
                "a hold time",
                "the shorter one comes first, such as \"2m..5m\"",
            ));
        }
        Ok(Self(load::Hold::Uniform(low, high)))
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            load::Hold::Fixed(ns) => write!(f, "{}", Duration(ns)),
            load::Hold::Uniform(low, high) => write!(f, "{}..{}", Duration(low), Duration(high)),
            load::Hold::Exponential(mean) => write!(f, "exp({})", Duration(mean)),
        }
    }
}

as_string!(
    Hold,
    "How long calls last: fixed 180s, uniform 2m..5m, or exponential exp(3m)",
    "^(exp\\()?[0-9.]+ *[a-z]"
);

/// So many events a time, kept as the time between two, ns. Written `50/s`, `90/m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arrivals {
    /// Time between two events, ns, at least 1.
    pub interval: i64,
}

impl FromStr for Arrivals {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let frequency = measure::parse(text, measure::FREQUENCY).filter(|value| *value > 0.0);
        let interval = frequency
            .and_then(|value| measure::whole(1e9 / value))
            .filter(|ns| *ns > 0);
        interval.map(|interval| Self { interval }).ok_or_else(|| {
            refused(
                text,
                "a rate of arrivals",
                "a number above 0 and /s, /m or /h, such as \"50/s\" or \"6/s\"",
            )
        })
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = [
            ("s", NS_PER_SECOND),
            ("m", 60 * NS_PER_SECOND),
            ("h", 3600 * NS_PER_SECOND),
        ];
        let exact = per.iter().find(|(_, ns)| ns % self.interval == 0);
        match exact {
            Some((unit, ns)) => write!(f, "{}/{unit}", ns / self.interval),
            None => write!(f, "{}/s", 1.0 / Duration(self.interval).as_seconds()),
        }
    }
}

as_string!(
    Arrivals,
    "Calls a time: a number and /s, /m or /h",
    "^[0-9.]+ */(s|m|min|h)$"
);

/// A bit rate, bit/s. Written `8533 bit/s`, `64 kbit/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BitRate(pub u32);

impl FromStr for BitRate {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let rate = measure::parse(text, measure::BIT_RATE).and_then(measure::whole);
        rate.and_then(|rate| u32::try_from(rate).ok())
            .map(Self)
            .ok_or_else(|| {
                refused(
                    text,
                    "a bit rate",
                    "a number and bit/s, kbit/s or Mbit/s, such as \"8533 bit/s\"",
                )
            })
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bit/s", self.0)
    }
}

as_string!(
    BitRate,
    "A bit rate: a number and bit/s, kbit/s or Mbit/s",
    "^[0-9.]+ *[kMG]?bit/s$"
);

/// A size in octets. Written `5 GB`, `512 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Octets(pub u64);

impl FromStr for Octets {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let size = measure::parse(text, measure::SIZE).and_then(measure::whole);
        size.and_then(|size| u64::try_from(size).ok())
            .map(Self)
            .ok_or_else(|| {
                refused(
                    text,
                    "a size",
                    "a number and B, kB, MB, GB, TB, KiB, MiB or GiB, such as \"5 GB\"",
                )
            })
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B", self.0)
    }
}

as_string!(
    Octets,
    "A size: a number and B, kB, MB, GB, TB, KiB, MiB or GiB",
    "^[0-9.]+ *([kMGT]?B|[KMG]iB)$"
);

/// A range of UDP ports, both ends included. Written `16384-32767`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

impl PortRange {
    /// The default on either side.
    pub const MEDIA: Self = Self {
        first: 16384,
        last: 32767,
    };

    /// All ports of it.
    #[must_use]
    pub fn range(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// Pairs of an even port (RTP) and the odd one above it (RTCP), RFC 3550 section 11.
    #[must_use]
    pub fn pairs(self) -> u32 {
        let first_even = u32::from(self.first).next_multiple_of(2);
        (u32::from(self.last) + 1).saturating_sub(first_even) / 2
    }
}

impl FromStr for PortRange {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let wrong = || {
            refused(
                text,
                "a range of ports",
                "first and last from 1 to 65535, such as 16384-32767",
            )
        };
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let port = |part: &str| part.trim().parse::<u16>().ok().filter(|port| *port > 0);
        let range = Self {
            first: port(first).ok_or_else(wrong)?,
            last: port(last).ok_or_else(wrong)?,
        };
        if range.pairs() == 0 {
            Err(wrong())
        } else {
            Ok(range)
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

mod octet_rate;
mod transfers;
pub use octet_rate::OctetRate;
pub use transfers::{FileSize, TransferWhen};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_survive_being_written_and_read_again() {
        for text in ["20ms", "5m", "90s", "0s", "1500us", "2h"] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!(duration.to_string(), text);
        }
        assert_eq!("1h30m".parse::<Duration>().unwrap().to_string(), "90m");
    }

    #[test]
    fn holds_are_fixed_uniform_or_exponential() {
        let minute = 60 * NS_PER_SECOND;
        let read = |text: &str| text.parse::<Hold>().map(|hold| hold.0);
        assert_eq!(read("180s"), Ok(load::Hold::Fixed(3 * minute)));
        assert_eq!(
            read("2m..5m"),
            Ok(load::Hold::Uniform(2 * minute, 5 * minute))
        );
        assert_eq!(read("exp(3m)"), Ok(load::Hold::Exponential(3 * minute)));
        assert!(
            read("5m..2m")
                .unwrap_err()
                .to_string()
                .contains("the shorter one comes first")
        );
        assert!(
            read("exp 3m")
                .unwrap_err()
                .to_string()
                .contains("exponential \"exp(3m)\"")
        );
    }

    #[test]
    fn arrivals_are_kept_as_an_interval_and_written_as_a_rate() {
        for (text, interval) in [
            ("50/s", 20_000_000),
            ("6/s", 166_666_667),
            ("30/m", 2_000_000_000),
        ] {
            assert_eq!(text.parse::<Arrivals>().unwrap().interval, interval);
        }
        assert_eq!("50/s".parse::<Arrivals>().unwrap().to_string(), "50/s");
        assert_eq!("30/m".parse::<Arrivals>().unwrap().to_string(), "30/m");
        let again: Arrivals = "6/s"
            .parse::<Arrivals>()
            .unwrap()
            .to_string()
            .parse()
            .unwrap();
        assert_eq!(
            again.interval, 166_666_667,
            "an odd rate is written so that it reads back the same"
        );
        assert!("0/s".parse::<Arrivals>().is_err());
    }

    #[test]
    fn a_port_range_holds_pairs_that_start_even() {
        let pairs = |text: &str| text.parse::<PortRange>().map(PortRange::pairs);
        assert_eq!(pairs("16384-32767"), Ok(8192));
        assert_eq!(pairs("16385-16388"), Ok(1), "16386 and 16387");
        for wrong in ["16385-16386", "5-4", "0-9", "1000", "1-65536"] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }
}
