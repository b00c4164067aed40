//! What the agent allows, whatever a tester asks.

use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use std::net::IpAddr;
use std::ops::RangeInclusive;

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
    /// Checks a load before anything is made ready for it.
    pub fn check(&self, load: &LoadSpec, plan: &CallPlan) -> Result<(), Refusal> {
        let streams = load
            .concurrent
            .saturating_mul(u32::try_from(load.parties().len()).unwrap_or(2));
        let packets = streams.saturating_mul(u32::try_from(1_000_000_000 / PTIME_NS).unwrap_or(50));
        let refuse = |asked: String, flag: &str| {
            Err(Refusal {
                reason: asked,
                hint: format!("start the agent with a larger {flag}, or ask for less"),
            })
        };
        if streams > self.max_streams {
            return refuse(
                format!("{streams} streams asked, {} allowed", self.max_streams),
                "--max-streams",
            );
        }
        if packets > self.max_pps {
            return refuse(
                format!("{packets} packets/s asked, {} allowed", self.max_pps),
                "--max-pps",
            );
        }
        if plan.end().0 > self.max_duration {
            let hours = |ns: i64| ns / 3_600_000_000_000;
            let asked = format!(
                "a run of {} h asked, {} h allowed",
                hours(plan.end().0),
                hours(self.max_duration)
            );
            return refuse(asked, "--max-duration");
        }
        let disk = disk_needed(load);
        if disk > self.max_disk {
            let mb = |octets: u64| octets / 1_000_000;
            return refuse(
                format!(
                    "{} MB of disk asked, {} MB allowed",
                    mb(disk),
                    mb(self.max_disk)
                ),
                "--max-disk",
            );
        }
        let ports = u32::from(self.media_ports.end() - self.media_ports.start()) + 1;
        if streams * 2 > ports {
            return refuse(
                format!("{} media ports asked, the range has {ports}", streams * 2),
                "--media-ports",
            );
        }
        Ok(())
    }

    /// May a tester come from here?
    #[must_use]
    pub fn allows(&self, peer: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|net| net.contains(peer))
    }
}

/// Octets of recordings on the guest's disk at once: calls that are up, and as much again that
/// has ended and waits for its transfer.
#[must_use]
pub fn disk_needed(load: &LoadSpec) -> u64 {
    let octets_a_second: i64 = if load.recording.stereo { 16_000 } else { 8_000 };
    let a_call = load.hold.mean() / 1_000_000_000 * octets_a_second;
    u64::try_from(a_call).unwrap_or(0) * u64::from(load.concurrent) * 2
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
