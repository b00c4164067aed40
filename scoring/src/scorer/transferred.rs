//! What was transferred each way, by the word of its sender.

use super::Summary;
use super::end::{EndRecord, largest, mean, seconds_of};
use super::leg::mbps_of;
use crate::measured::{LegTransfers, MeanMax, Transfers};
use milliwatt_wire::facts::TransferSecond;
use milliwatt_wire::id::Leg;
use std::ops::Range;

impl Summary<'_> {
    pub(super) fn transfers(&self) -> Transfers {
        let full = seconds_of(self.full.as_ref());
        Transfers {
            receive: of_sender(self.sender(Leg::Receive), &full),
            sent: of_sender(self.sender(Leg::Sent), &full),
        }
    }
}

/// An end tells of the seconds in which it transfers anything, and of no others.
fn of_sender(end: &EndRecord, full: &Range<u32>) -> Option<LegTransfers> {
    let seconds = || end.transfers.values();
    seconds().next()?;
    let goodput = || {
        let seconds = end.transfers.range(full.clone());
        seconds.map(|(_, second)| goodput_mbps(second))
    };
    Some(LegTransfers {
        completed: seconds().map(|second| u64::from(second.completed)).sum(),
        broken: seconds().map(|second| u64::from(second.broken)).sum(),
        acknowledged_octets: seconds().map(|second| second.acknowledged_octets).sum(),
        goodput_mbps: MeanMax {
            mean: mean(goodput()),
            max: largest(goodput()),
        },
        retransmissions: seconds()
            .map(|second| u64::from(second.retransmissions))
            .sum(),
        stalled_ms: largest(seconds().map(|second| f64::from(second.stalled_ms))).unwrap_or(0.0),
        round_trip_ms: largest(seconds().filter_map(round_trip_ms)),
    })
}

/// Acknowledged in a second, Mbit/s without headers.
pub(super) fn goodput_mbps(second: &TransferSecond) -> f64 {
    mbps_of(second.acknowledged_octets)
}

fn round_trip_ms(second: &TransferSecond) -> Option<f64> {
    second.round_trip_us.map(|us| f64::from(us) / 1e3)
}
