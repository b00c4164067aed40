//! RTCP: sender reports with one reception block, and when they are due (RFC 3550 6.3, 6.4).

use bytes::Bytes;
use milliwatt_wire::load::TICKS_PER_PACKET;
use milliwatt_wire::time::RunTime;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rtcp::reception_report::ReceptionReport;
use rtcp::sender_report::SenderReport;
use rtcp::source_description::{
    SdesType, SourceDescription, SourceDescriptionChunk, SourceDescriptionItem,
};
use webrtc_util::marshal::{Marshal, MarshalSize};

/// RFC 3550 6.2: the least interval, ns.
const INTERVAL_MIN_NS: f64 = 5e9;
/// RFC 3550 6.3.1: e - 1.5, which makes up for the timer's reconsideration.
const COMPENSATION: f64 = std::f64::consts::E - 1.5;
/// Seconds between the NTP epoch (1900) and the Unix epoch.
const NTP_UNIX_SECONDS: u64 = 2_208_988_800;

/// When a stream's next report is due. With two members and 64 kbit/s of media, 5 % of the
/// bandwidth allows far more, so the interval is always the minimum: drawn from 0.5 to 1.5 of 5 s
/// and divided by e - 1.5; the first one half of that.
#[derive(Clone, Debug)]
pub struct ReportTimer {
    /// What the next interval is drawn from: a generator of its own for each would outweigh the rest of a port.
    seed: u64,
    next: RunTime,
}

impl ReportTimer {
    /// A timer for a stream that starts at `start`.
    #[must_use]
    pub fn new(seed: u64, start: RunTime) -> Self {
        let mut timer = Self { seed, next: start };
        timer.next = start + timer.interval() / 2;
        timer
    }

    /// True once for each report that has come due by `now`.
    pub fn expired(&mut self, now: RunTime) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + self.interval();
        }
        due
    }

    #[expect(clippy::cast_possible_truncation, reason = "at most 6.2e9 ns")]
    fn interval(&mut self) -> i64 {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        self.seed = random.random();
        (INTERVAL_MIN_NS * random.random_range(0.5..1.5) / COMPENSATION) as i64
    }
}

/// NTP time (RFC 3550 4) of a wall clock reading in ns since 1970.
#[must_use]
pub fn ntp_time(wall_ns: i64) -> u64 {
    let ns = u64::try_from(wall_ns).unwrap_or(0);
    let fraction = ((ns % 1_000_000_000) << 32) / 1_000_000_000;
    (ns / 1_000_000_000 + NTP_UNIX_SECONDS) << 32 | fraction
}

/// What a sender says of itself (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Wall clock, ns since 1970.
    pub wall_ns: i64,
    /// RTP timestamp of the same instant.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
}

/// What it says of the stream it receives (RFC 3550 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// The other's synchronisation source.
    pub ssrc: u32,
    /// Lost since the last report, of 256.
    pub fraction_lost: u8,
    /// Cumulative, clamped to 24 bits signed.
    pub cumulative_lost: i32,
    /// Highest sequence number with cycles.
    pub extended_highest_seq: u32,
    /// RTP ticks.
    pub interarrival_jitter_ticks: u32,
    /// Middle 32 bits of the NTP time of the last sender report, 0 for none.
    pub last_sender_report: u32,
    /// Since then, 1/65536 s.
    pub delay_since_last: u32,
}

/// Builds the compound packet of RFC 3550 6.1: a sender report, then the canonical name.
#[must_use]
pub fn build_report(sender: SenderInfo, reception: Option<Reception>, cname: &str) -> Vec<u8> {
    let report = SenderReport {
        ssrc: sender.ssrc,
        ntp_time: ntp_time(sender.wall_ns),
        rtp_time: sender.timestamp,
        packet_count: sender.packets,
        octet_count: sender.packets.wrapping_mul(TICKS_PER_PACKET),
        reports: reception.map(block).into_iter().collect(),
        profile_extensions: Bytes::new(),
    };
    let item = SourceDescriptionItem {
        sdes_type: SdesType::SdesCname,
        text: Bytes::copy_from_slice(cname.as_bytes()),
    };
    let description = SourceDescription {
        chunks: vec![SourceDescriptionChunk {
            source: sender.ssrc,
            items: vec![item],
        }],
    };
    let mut octets = vec![0; report.marshal_size() + description.marshal_size()];
    let (head, tail) = octets.split_at_mut(report.marshal_size());
    if report.marshal_to(head).is_err() || description.marshal_to(tail).is_err() {
        octets.clear();
    }
    octets
}

fn block(reception: Reception) -> ReceptionReport {
    let lost = reception.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
    ReceptionReport {
        ssrc: reception.ssrc,
        fraction_lost: reception.fraction_lost,
        total_lost: lost.cast_unsigned() & 0xff_ffff,
        last_sequence_number: reception.extended_highest_seq,
        jitter: reception.interarrival_jitter_ticks,
        last_sender_report: reception.last_sender_report,
        delay: reception.delay_since_last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_report_has_the_octets_that_other_tools_decode() {
        // NTP 0xb44db705.20000000 is 1995-11-10 11:33:25.125 UTC.
        let wall_ns = (0xb44d_b705_i64 - 2_208_988_800) * 1_000_000_000 + 125_000_000;
        let sender = SenderInfo {
            ssrc: 0xaabb_ccdd,
            wall_ns,
            timestamp: 160_000,
            packets: 1000,
        };
        let reception = Reception {
            ssrc: 0x1122_3344,
            fraction_lost: 5,
            cumulative_lost: -3,
            extended_highest_seq: 65545,
            interarrival_jitter_ticks: 21,
            last_sender_report: 0xb705_2000,
            delay_since_last: 0x0005_4000,
        };
        let octets = build_report(sender, Some(reception), "milliwatt");
        let digits = octets[..52].iter().flat_map(|b| [b >> 4, b & 15]);
        let hex: String = digits
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect();
        assert_eq!(
            hex,
            "81c8000caabbccddb44db7052000000000027100000003e8000271001122334405fffffd0001000900000015b705200000054000"
        );
        assert_eq!(octets[52..56], [0x81, 202, 0, 4]); // one SDES chunk, 20 octets
        assert_eq!(octets.len(), 72);
    }

    /// 0.5 x 5 s / 1.21828 is 2.052 s, 1.5 x 5 s / 1.21828 is 6.156 s (RFC 3550 6.3.1).
    #[test]
    fn each_interval_lies_within_its_bounds_and_the_first_is_halved() {
        for seed in 0..50 {
            let mut timer = ReportTimer::new(seed, RunTime::ZERO);
            let due: Vec<i64> = (0..100_000_i64)
                .filter(|ms| timer.expired(RunTime(ms * 1_000_000)))
                .collect();
            assert!(
                (1025..=3079).contains(&due[0]),
                "the first at {} ms",
                due[0]
            );
            let mut intervals = due.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(intervals.all(|ms| (2051..=6157).contains(&ms)), "{due:?}");
        }
    }

    #[test]
    fn cumulative_lost_is_clamped_to_24_bits_with_a_sign() {
        let lost = |cumulative_lost| {
            let reception = Reception {
                cumulative_lost,
                ..Reception::default()
            };
            block(reception).total_lost
        };
        assert_eq!([lost(i32::MAX), lost(i32::MIN)], [0x7f_ffff, 0x80_0000]);
        assert_eq!([lost(-1), lost(1)], [0xff_ffff, 1]);
    }

    #[test]
    fn reports_come_every_4_1_seconds_on_average() {
        let mut timer = ReportTimer::new(7, RunTime::ZERO);
        let reports = (0..1_000_000_i64)
            .filter(|ms| timer.expired(RunTime(ms * 1_000_000)))
            .count();
        // 1000 s / (5 s / 1.21828) = 243.7, the first a little early.
        assert!(
            (235..=252).contains(&reports),
            "{reports} reports in 1000 s"
        );
    }
}
