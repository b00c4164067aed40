//! Payload types: what RFC 3551 says they carry, and what their packets themselves tell of their clock.

use super::packet::{Content, Packet};

/// RTP clocks in use, Hz, for payload types that nothing explains.
const CLOCK_RATES: [u32; 7] = [8000, 16_000, 32_000, 44_100, 48_000, 12_000, 90_000];
/// An RTP clock that nothing tells of.
const ASSUMED: u32 = 8000;
/// Arrivals that a clock can be told from span at least this, ns.
const TELLING_NS: i64 = 500_000_000;

/// An RTP clock and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Hz.
    pub rate: u32,
    /// `sdp`, `static`, `inferred` or `assumed`.
    pub from: &'static str,
}

/// The clock of a static payload type (RFC 3551 6, tables 4 and 5).
#[must_use]
pub fn static_clock(payload_type: u8) -> Option<Clock> {
    let rate = match payload_type {
        0 | 3..=5 | 7..=9 | 12 | 13 | 15 | 18 => 8000,
        6 => 16_000,
        10 | 11 => 44_100,
        14 | 25 | 26 | 28 | 31..=34 => 90_000,
        16 => 11_025,
        17 => 22_050,
        _ => return None,
    };
    Some(Clock {
        rate,
        from: "static",
    })
}

/// The clock that timestamps against arrivals show: the nearest in use to their ratio, where they span long enough
/// and it is near. Packets that came in a bunch make up for it by the time they span.
#[must_use]
pub fn inferred_clock(packets: &[Packet]) -> Clock {
    let media = || {
        packets
            .iter()
            .filter(|packet| packet.content == Content::Media)
    };
    let told = media()
        .next()
        .zip(media().next_back())
        .and_then(|(first, last)| {
            let ns = last.at.saturating_sub(first.at);
            let ticks = last.timestamp.wrapping_sub(first.timestamp).cast_signed();
            (ns >= TELLING_NS && ticks > 0).then(|| nearest(i64::from(ticks), ns))
        });
    told.flatten().map_or(
        Clock {
            rate: ASSUMED,
            from: "assumed",
        },
        |rate| Clock {
            rate,
            from: "inferred",
        },
    )
}

/// Within 20 % of it.
fn nearest(ticks: i64, ns: i64) -> Option<u32> {
    let measured = i128::from(ticks) * 1_000_000_000 / i128::from(ns);
    let apart = |rate: &u32| (measured - i128::from(*rate)).unsigned_abs();
    let rate = CLOCK_RATES.into_iter().min_by_key(apart)?;
    (apart(&rate) * 5 <= u128::from(rate)).then_some(rate)
}

/// Names of RFC 3551 tables 4 and 5.
#[must_use]
pub fn static_codec(payload_type: u8) -> Option<&'static str> {
    Some(match payload_type {
        0 => "PCMU",
        3 => "GSM",
        4 => "G723",
        5 | 6 | 16 | 17 => "DVI4",
        7 => "LPC",
        8 => "PCMA",
        9 => "G722",
        10 | 11 => "L16",
        12 => "QCELP",
        14 => "MPA",
        15 => "G728",
        18 => "G729",
        26 => "JPEG",
        31 => "H261",
        32 => "MPV",
        34 => "H263",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(step: u32, count: u32) -> Vec<Packet> {
        let packet = |n: u32| Packet {
            seq: u16::try_from(n).unwrap(),
            timestamp: u32::MAX - 1000 + n * step,
            at: i64::from(n) * 20_000_000,
            payload_type: 97,
            marker: false,
            content: Content::Media,
            nic_octets: 0,
            dscp: 0,
        };
        (0..count).map(packet).collect()
    }

    #[test]
    fn a_clock_is_told_by_timestamps_against_arrivals_across_the_wrap() {
        for (step, rate) in [(160, 8000), (320, 16_000), (960, 48_000), (1800, 90_000)] {
            let clock = inferred_clock(&packets(step, 40));
            assert_eq!((clock.rate, clock.from), (rate, "inferred"), "{step}");
        }
    }

    #[test]
    fn neither_few_packets_nor_a_clock_like_no_other_tell_anything() {
        assert_eq!(inferred_clock(&packets(960, 5)).from, "assumed");
        assert_eq!(inferred_clock(&packets(1, 40)).from, "assumed", "50 Hz");
        assert_eq!(inferred_clock(&[]).from, "assumed");
    }
}
