//! What the agent allows, whatever a tester asks.

use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::load::{FileSize, Hold, LoadSpec, PTIME_NS, TRANSFERS_MAX, TransferWhen};
use milliwatt_wire::time::NS_PER_SECOND;
use milliwatt_wire::transfer::FILE_OCTETS_MAX;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Calls of a run, which are laid out in memory before it: 12 h at over 100 a second.
const CALLS_MAX: i128 = 5_000_000;
/// The longest time in a load, ns: 104 days, so that sums and floating point hold it exactly.
const TIME_MAX: i64 = 1 << 53;

/// A refusal: what, and which flag allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

/// The agent's own limits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Streams at once, both directions of a leg counted once.
    pub max_streams: u32,
    /// RTP packets a second sent.
    pub max_pps: u32,
    /// Longest run, ns.
    pub max_duration: i64,
    /// Octets on disk at once.
    pub max_disk: u64,
    /// Networks a tester may come from; empty allows all.
    pub allow: Vec<Subnet>,
    /// UDP ports for media.
    pub media_ports: RangeInclusive<u16>,
}

impl Limits {
    /// The calls of a load that may be put on this machine. It is looked at before anything is laid out for it: a
    /// few octets can ask for more calls than there is memory.
    pub fn plan(&self, load: &LoadSpec) -> Result<CallPlan, Refusal> {
        check_sense(load)?;
        self.check_size(load)?;
        let plan = CallPlan::expand(load);
        if load.stepped {
            // It ends when it is stopped: by then at the latest.
            let most = load.full_for.unwrap_or(self.max_duration);
            return if most > self.max_duration {
                Err(self.too_long(most.into()))
            } else {
                Ok(plan)
            };
        }
        if plan.end().0 > self.max_duration {
            return Err(self.too_long(plan.end().0.into()));
        }
        Ok(plan)
    }

    fn check_size(&self, load: &LoadSpec) -> Result<(), Refusal> {
        let parties = u32::try_from(load.parties().len()).unwrap_or(2);
        let streams = load.concurrent.saturating_mul(parties);
        let packets = streams.saturating_mul(u32::try_from(1_000_000_000 / PTIME_NS).unwrap_or(50));
        if streams > self.max_streams {
            let asked = format!("{streams} streams asked, {} allowed", self.max_streams);
            return Err(larger(asked, "--max-streams"));
        }
        if packets > self.max_pps {
            let asked = format!("{packets} packets/s asked, {} allowed", self.max_pps);
            return Err(larger(asked, "--max-pps"));
        }
        let ramp = i128::from(load.concurrent) * i128::from(load.arrival_interval);
        if ramp > self.max_duration.into() {
            return Err(self.too_long(ramp));
        }
        let calls = calls_expected(load);
        if calls > CALLS_MAX {
            return Err(Refusal {
                reason: format!("some {calls} calls asked, {CALLS_MAX} at most"),
                hint: "ask for longer or fewer calls".into(),
            });
        }
        let disk = disk_needed(load);
        if disk > self.max_disk {
            let mb = |octets: u64| octets / 1_000_000;
            let (asked, allowed) = (mb(disk), mb(self.max_disk));
            let asked = format!("{asked} MB of disk asked, {allowed} MB allowed");
            return Err(larger(asked, "--max-disk"));
        }
        let ports = u32::from(self.media_ports.end() - self.media_ports.start()) + 1;
        let needed = streams.saturating_mul(2);
        if needed > ports {
            let asked = format!("{needed} media ports asked, the range has {ports}");
            return Err(larger(asked, "--media-ports"));
        }
        Ok(())
    }

    fn too_long(&self, ns: i128) -> Refusal {
        let hours = |ns: i128| ns / 3_600_000_000_000;
        let (asked, allowed) = (hours(ns), hours(self.max_duration.into()));
        let asked = format!("a run of {asked} h asked, {allowed} h allowed");
        larger(asked, "--max-duration")
    }

    /// May a tester come from here?
    #[must_use]
    pub fn allows(&self, peer: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|net| net.contains(peer))
    }
}

fn larger(asked: String, flag: &str) -> Refusal {
    Refusal {
        reason: asked,
        hint: format!("start the agent with a larger {flag}, or ask for less"),
    }
}

/// Values that no tester of this version sends, and with which no time can be worked out.
fn check_sense(load: &LoadSpec) -> Result<(), Refusal> {
    let time = |ns: i64| (0..=TIME_MAX).contains(&ns);
    let hold = match load.hold {
        Hold::Fixed(ns) | Hold::Exponential(ns) => time(ns),
        Hold::Uniform(low, high) => time(low) && time(high) && low <= high,
    };
    let silences = &load.known_silences;
    let senseless = [
        ("legs of a call", (1..=2).contains(&load.legs)),
        ("calls at once", load.concurrent > 0),
        ("time between calls", time(load.arrival_interval)),
        ("hold time", hold),
        ("full load", load.full_for.is_none_or(time)),
        ("playout buffer", time(load.playout_buffer)),
        ("dead air", time(load.dead_air_min)),
        ("pacing slot", (1..=PTIME_NS).contains(&load.slot_width)),
        (
            "onward offset",
            (0..=PTIME_NS).contains(&load.onward_offset),
        ),
        (
            "share of recorded calls",
            (0.0..=1.0).contains(&load.recording.share),
        ),
        (
            "transfers at once",
            (1..=TRANSFERS_MAX).contains(&load.transfer.parallel),
        ),
        ("time of transfers", is_sound_when(load.transfer.when)),
        (
            "rate of transfers",
            load.transfer.rate_bits_per_second != Some(0),
        ),
        ("size of made-up files", is_sound_size(load.transfer.size)),
        (
            "known silence",
            silences
                .iter()
                .all(|silence| time(silence.from) && time(silence.length)),
        ),
    ]
    .into_iter()
    .find(|(_, is_sound)| !is_sound);
    match senseless {
        None => Ok(()),
        Some((what, _)) => Err(Refusal {
            reason: format!("a load without sense: {what}"),
            hint: "put the same milliwatt on both machines".into(),
        }),
    }
}

fn is_sound_when(when: TransferWhen) -> bool {
    match when {
        TransferWhen::Every(ns) => (NS_PER_SECOND..=TIME_MAX).contains(&ns),
        TransferWhen::AtCallEnd | TransferWhen::Backlog | TransferWhen::Continuous => true,
    }
}

fn is_sound_size(size: FileSize) -> bool {
    let (low, high) = match size {
        FileSize::Recording => return true,
        FileSize::Fixed(octets) => (octets, octets),
        FileSize::Uniform(low, high) => (low, high),
    };
    0 < low && low <= high && high <= FILE_OCTETS_MAX
}

/// About how many calls a load has, by its mean hold time. A call has ten packets at least, and its lane is free for
/// one more.
fn calls_expected(load: &LoadSpec) -> i128 {
    let lanes = i128::from(load.concurrent);
    let most = load.total.map_or(i128::MAX, i128::from);
    let Some(full_for) = load.full_for else {
        return most.min(lanes.max(load.total.map_or(0, i128::from)));
    };
    let interval = i128::from(load.arrival_interval);
    let each = i128::from(load.hold.mean().max(10 * PTIME_NS) + PTIME_NS);
    let length = lanes * interval + i128::from(full_for);
    let by_interval = length.checked_div(interval).unwrap_or(i128::MAX);
    most.min(lanes + by_interval.min(lanes * length / each))
}

/// Octets of recordings on the guest's disk at once: calls that are up, and as much again that
/// has ended and waits for its transfer; where transfers come in batches, all that end between two.
#[must_use]
pub fn disk_needed(load: &LoadSpec) -> u64 {
    let (_, sample) = load.codec.recorded_as();
    let channels = if load.recording.stereo { 2 } else { 1 };
    let octets_a_second = load.codec.sample_rate() * u32::from(sample) * channels;
    let a_call = load.hold.mean() / 1_000_000_000 * i64::from(octets_a_second);
    let between = match load.transfer.when {
        TransferWhen::Every(ns) => ns / load.hold.mean().max(NS_PER_SECOND) + 1,
        TransferWhen::AtCallEnd | TransferWhen::Backlog | TransferWhen::Continuous => 0,
    };
    let calls = u64::from(load.concurrent) * (2 + u64::try_from(between).unwrap_or(0));
    if load.recording.share > 0.0 {
        u64::try_from(a_call).unwrap_or(0).saturating_mul(calls)
    } else {
        0
    }
}

/// A network, `10.0.0.0/8` or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    prefix: u8,
}

impl Subnet {
    /// The addresses whose first `prefix` bits are those of `address`.
    #[must_use]
    pub fn contains(self, peer: IpAddr) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let ((ours, width), (theirs, other)) = (bits(self.address), bits(peer.to_canonical()));
        let shift = 128 - u32::from(self.prefix);
        width == other && (shift == 128 || ours >> shift == theirs >> shift)
    }
}

impl std::str::FromStr for Subnet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{text}` is no network: expected ADDRESS or ADDRESS/BITS"))?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix
            .map_or(Ok(widest), str::parse)
            .map_err(|_| format!("`{text}`: the bits after / are no number"))?;
        if prefix > widest {
            return Err(format!("`{text}`: at most {widest} bits"));
        }
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::test_load;
    use milliwatt_wire::load::{RecordingSpec, TransferSpec};

    /// Calls of 60 s, 10 at once, 16,000 octets a second: 20 of them, and with batches each 2 minutes 30 more.
    #[test]
    fn recordings_that_wait_for_their_batch_need_disk() {
        assert_eq!(disk_needed(&hour()), 20 * 960_000);
        let transfer = TransferSpec {
            when: TransferWhen::Every(120 * NS_PER_SECOND),
            ..hour().transfer
        };
        let batches = LoadSpec { transfer, ..hour() };
        assert_eq!(disk_needed(&batches), 50 * 960_000);
    }

    fn limits() -> Limits {
        Limits {
            max_streams: 4000,
            max_pps: 250_000,
            max_duration: 12 * 3_600_000_000_000,
            max_disk: 20_000_000_000,
            allow: Vec::new(),
            media_ports: 16_384..=32_767,
        }
    }

    fn refusal(load: &LoadSpec) -> String {
        match limits().plan(load) {
            Ok(plan) => format!("{} calls", plan.calls.len()),
            Err(refusal) => refusal.reason,
        }
    }

    /// 100 ms between 10 calls of a minute for an hour: 10 lanes, each with a call every 60.02 s of the 3601 s.
    fn hour() -> LoadSpec {
        LoadSpec {
            concurrent: 10,
            arrival_interval: 100_000_000,
            full_for: Some(3_600_000_000_000),
            ..test_load()
        }
    }

    #[test]
    fn a_load_within_bounds_is_laid_out() {
        assert_eq!(refusal(&hour()), "600 calls");
        assert_eq!(calls_expected(&hour()), 10 + 10 * 3601 * 100 / 6002);
        assert_eq!(
            refusal(&test_load()),
            "1 calls",
            "neither time nor number: the ramp"
        );
        let few = LoadSpec {
            total: Some(25),
            ..test_load()
        };
        assert_eq!(
            (refusal(&few).as_str(), calls_expected(&few)),
            ("25 calls", 25)
        );
    }

    /// Each asks for more than any memory holds; that it is refused in no time shows that nothing was laid out.
    #[test]
    fn a_load_that_no_memory_holds_is_refused_before_it_is_laid_out() {
        let many = |concurrent| LoadSpec {
            concurrent,
            ..hour()
        };
        assert!(refusal(&many(u32::MAX)).contains("4294967295 streams asked, 4000 allowed"));
        let short = LoadSpec {
            concurrent: 2000,
            hold: Hold::Fixed(1),
            arrival_interval: 0,
            recording: RecordingSpec {
                share: 0.0,
                ..hour().recording
            },
            ..hour()
        };
        // 3600 s of 2000 lanes with a call every 220 ms.
        let said = refusal(&short);
        assert!(said.contains("some 32729272 calls asked"), "{said}");
        let total = LoadSpec {
            total: Some(u32::MAX),
            hold: Hold::Fixed(1),
            full_for: None,
            ..hour()
        };
        assert!(refusal(&total).contains("some 4294967295 calls asked"));
        let ramp = LoadSpec {
            arrival_interval: TIME_MAX,
            ..hour()
        };
        assert!(refusal(&ramp).contains("h asked, 12 h allowed"));
    }

    #[test]
    fn a_load_without_sense_is_refused_by_what_has_none() {
        let hour = hour();
        let share = |share| RecordingSpec {
            share,
            ..hour.recording
        };
        let with = |change: fn(&mut TransferSpec)| {
            let mut load = hour.clone();
            change(&mut load.transfer);
            load
        };
        for (load, what) in [
            (
                LoadSpec {
                    legs: 0,
                    ..hour.clone()
                },
                "legs of a call",
            ),
            (
                LoadSpec {
                    concurrent: 0,
                    ..hour.clone()
                },
                "calls at once",
            ),
            (
                LoadSpec {
                    arrival_interval: -1,
                    ..hour.clone()
                },
                "time between calls",
            ),
            (
                LoadSpec {
                    hold: Hold::Uniform(2, 1),
                    ..hour.clone()
                },
                "hold time",
            ),
            (
                LoadSpec {
                    hold: Hold::Fixed(i64::MAX),
                    ..hour.clone()
                },
                "hold time",
            ),
            (with(|t| t.parallel = 0), "transfers at once"),
            (with(|t| t.parallel = 1001), "transfers at once"),
            (
                with(|t| t.when = TransferWhen::Every(999_999_999)),
                "time of transfers",
            ),
            (
                with(|t| t.rate_bits_per_second = Some(0)),
                "rate of transfers",
            ),
            (
                with(|t| t.size = FileSize::Fixed(0)),
                "size of made-up files",
            ),
            (
                with(|t| t.size = FileSize::Uniform(2, 1)),
                "size of made-up files",
            ),
            (
                with(|t| t.size = FileSize::Fixed(FILE_OCTETS_MAX + 1)),
                "size of made-up files",
            ),
            (
                LoadSpec {
                    full_for: Some(i64::MIN),
                    ..hour.clone()
                },
                "full load",
            ),
            (
                LoadSpec {
                    slot_width: 0,
                    ..hour.clone()
                },
                "pacing slot",
            ),
            (
                LoadSpec {
                    recording: share(f64::NAN),
                    ..hour.clone()
                },
                "share of recorded calls",
            ),
        ] {
            assert_eq!(refusal(&load), format!("a load without sense: {what}"));
        }
    }

    #[test]
    fn a_subnet_holds_its_own_addresses_only() {
        let net: Subnet = "10.1.0.0/16".parse().unwrap();
        assert!(net.contains("10.1.255.3".parse().unwrap()));
        assert!(!net.contains("10.2.0.1".parse().unwrap()));
        assert!(net.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(
            "0.0.0.0/0"
                .parse::<Subnet>()
                .unwrap()
                .contains("8.8.8.8".parse().unwrap())
        );
        assert!(
            !"0.0.0.0/0"
                .parse::<Subnet>()
                .unwrap()
                .contains("::1".parse().unwrap())
        );
        assert!("10.0.0.0/33".parse::<Subnet>().is_err());
        assert!("tester".parse::<Subnet>().is_err());
    }
}
