//! What RTCP in a capture says of its streams: the far ends' own figures beside those measured here.

use milliwatt_scoring::analysis::Reported;
use milliwatt_scoring::rtcp::{ReceptionReport, Report, VoipMetrics, middle_of, read};
use std::collections::HashMap;
use std::net::IpAddr;

/// Sources that are remembered.
const SOURCES_MAX: usize = 20_000;

/// The last reports about one source by one receiver.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    reports: u64,
    last: Option<ReceptionReport>,
    voip: Option<VoipMetrics>,
    round_trip_ns: Option<i64>,
}

/// All reports of a capture.
#[derive(Debug, Default)]
pub struct Reports {
    /// By source and by the receiver that reports.
    heard: HashMap<(u32, IpAddr), Heard>,
    /// When the last sender report of a source passed: (middle of its NTP time, ns).
    sent: HashMap<u32, (u32, i64)>,
}

impl Reports {
    /// Takes a compound packet that `from` sent, captured at `at`.
    pub fn take(&mut self, octets: &[u8], from: IpAddr, at: i64) {
        read(octets, &mut |report| match report {
            Report::Sender(sender) if self.sent.len() < SOURCES_MAX => {
                self.sent.insert(sender.ssrc, (middle_of(sender.ntp), at));
            }
            Report::Sender(_) => {}
            Report::Reception(block) => self.hear(block, from, at),
            Report::Voip(metrics) => {
                if let Some(heard) = self.entry(metrics.ssrc, from) {
                    heard.voip = Some(metrics);
                }
            }
        });
    }

    fn entry(&mut self, ssrc: u32, from: IpAddr) -> Option<&mut Heard> {
        let has_room = self.heard.len() < SOURCES_MAX;
        match self.heard.entry((ssrc, from)) {
            std::collections::hash_map::Entry::Occupied(heard) => Some(heard.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                has_room.then(|| place.insert(Heard::default()))
            }
        }
    }

    fn hear(&mut self, block: ReceptionReport, from: IpAddr, at: i64) {
        let sent = self.sent.get(&block.ssrc).copied();
        let Some(heard) = self.entry(block.ssrc, from) else {
            return;
        };
        heard.reports += 1;
        heard.last = Some(block);
        let trip = sent
            .filter(|(middle, _)| *middle == block.last_sr)
            .map(|(_, then)| {
                let held_back = i64::from(block.delay_since_last_sr) * 1_000_000_000 / 65_536;
                at.saturating_sub(then).saturating_sub(held_back)
            });
        heard.round_trip_ns = trip.filter(|ns| *ns >= 0).or(heard.round_trip_ns);
    }

    /// The last that `receiver` said of a source with this RTP clock; none when it said nothing.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times below 2^53 ns")]
    pub fn of(&self, ssrc: u32, receiver: IpAddr, clock_rate: u32) -> Option<Reported> {
        let heard = self.heard.get(&(ssrc, receiver))?;
        let ticks_ms = |ticks: u32| f64::from(ticks) * 1e3 / f64::from(clock_rate.max(1));
        Some(Reported {
            reports: heard.reports,
            packets_lost: heard.last.map(|block| block.cumulative_lost),
            interarrival_jitter_ms: heard
                .last
                .map(|block| ticks_ms(block.interarrival_jitter_ticks)),
            round_trip_ms: heard.round_trip_ns.map(|ns| ns as f64 / 1e6),
            mos_lq: heard
                .voip
                .and_then(|voip| voip.mos_lq_tenths)
                .map(|tenths| f64::from(tenths) / 10.0),
            r_factor: heard.voip.and_then(|voip| voip.r_factor),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(kind: u8, words: &[u32]) -> Vec<u8> {
        let mut octets = vec![0x81, kind, 0, u8::try_from(words.len()).unwrap()];
        octets.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        octets
    }

    /// A sender report passes at 10 s; the receiver holds it for half a second and its report passes 0.53 s after:
    /// 30 ms to the receiver and back.
    #[test]
    fn a_report_is_kept_with_the_receiver_s_side_of_the_round_trip() {
        let (sender, receiver): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let mut reports = Reports::default();
        let mut sent = report(200, &[7, 0x0001_1234, 0x5678_0000, 160, 1, 160]);
        sent[0] = 0x80;
        reports.take(&sent, sender, 10_000_000_000);
        let received = report(201, &[8, 7, 0x0000_0003, 100, 160, 0x1234_5678, 0x8000]);
        reports.take(&received, receiver, 10_530_000_000);
        let found = reports.of(7, receiver, 8000).unwrap();
        assert_eq!((found.reports, found.packets_lost), (1, Some(3)));
        assert_eq!(found.interarrival_jitter_ms, Some(20.0));
        assert!((found.round_trip_ms.unwrap() - 30.0).abs() < 1e-9);
        assert_eq!(
            reports.of(7, sender, 8000),
            None,
            "who did not report said nothing"
        );
    }
}
