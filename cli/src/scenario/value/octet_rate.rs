//! A rate of octets.

use super::{ValueError, measure, refused};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Octets a second. Written `100 MiB/s`, `50 MB/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OctetRate(pub u64);

const RATE: &str = "a size and /s, such as \"100 MiB/s\" or \"50 MB/s\"";

impl FromStr for OctetRate {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let octets = text
            .trim()
            .strip_suffix("/s")
            .and_then(|size| measure::parse(size, measure::SIZE))
            .and_then(measure::whole)
            .and_then(|octets| u64::try_from(octets).ok());
        octets
            .map(Self)
            .ok_or_else(|| refused(text, "a rate of octets", RATE))
    }
}

impl fmt::Display for OctetRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B/s", self.0)
    }
}

as_string!(
    OctetRate,
    "A rate of octets: a size and /s",
    "^[0-9.]+ *([kMGT]?B|[KMG]iB)/s$"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_size_a_second_and_survives_being_written() {
        let read = |text: &str| text.parse::<OctetRate>().map(|rate| rate.0);
        assert_eq!(read("100 MiB/s"), Ok(104_857_600));
        assert_eq!(read("50MB/s"), Ok(50_000_000));
        assert_eq!(read(&OctetRate(7).to_string()), Ok(7));
        for wrong in ["100 MiB", "100/s", "100 Mbit/s", ""] {
            let said = read(wrong).unwrap_err().to_string();
            assert!(said.contains("\"100 MiB/s\""), "{said}");
        }
    }
}
