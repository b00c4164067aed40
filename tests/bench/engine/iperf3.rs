//! iperf3's UDP streams, and how regular they are. Its packets are no RTP: they carry no media time. Each stream
//! is asked for 50 packets/s, so packet n is taken to be of media time n x 20 ms, and RFC 3550 6.4.1 is applied to
//! arrival minus that. A packet lost would count as a late one; on this cable none is.

use crate::lab::{Captured, Lab, Side, wait_for};
use milliwatt_scoring::interarrival_jitter::InterarrivalJitter;
use milliwatt_wire::load::PTIME_NS;
use std::collections::BTreeMap;

/// The most that one iperf3 process has.
const STREAMS: &str = "128";
/// 50 packets/s of 172 octets.
const BITS_PER_SECOND: &str = "68800";

/// Sends all streams from the tester to the guest.
pub(crate) fn send(lab: &Lab, seconds: u32) {
    let guest = Side::Guest.address();
    let server = lab.start(Side::Guest, "iperf3", &["-s", "-1", "-B", guest]);
    let listening = || lab.execute(Side::Guest, "ss", &["-ltnH", "sport = :5201"]);
    wait_for("iperf3's server", 10, || !listening().is_empty());
    let time = seconds.to_string();
    let flags = ["-u", "-P", STREAMS, "-b", BITS_PER_SECOND, "-l", "172"];
    let client = [&["-c", guest, "-t", &time], &flags[..]].concat();
    lab.execute(Side::Tester, "iperf3", &client);
    drop(server);
}

/// Mean interarrival jitter of each stream, ms, from the second packet on.
pub(crate) fn interarrival_jitters_ms(captured: &Captured) -> Vec<f64> {
    let mut streams: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in captured.fields("udp", &["udp.srcport", "frame.time_epoch"]) {
        let [port, time] = row.try_into().unwrap();
        streams.entry(port).or_default().push(ns(&time));
    }
    streams.values().map(|arrivals| mean_ms(arrivals)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "thousands of packets")]
fn mean_ms(arrivals: &[i64]) -> f64 {
    let mut estimator = InterarrivalJitter::new();
    let transits = (0..).zip(arrivals).map(|(n, at)| at - n * PTIME_NS);
    let smoothed: Vec<f64> = transits.filter_map(|ns| estimator.update(ns)).collect();
    smoothed.iter().sum::<f64>() / smoothed.len() as f64 / 1e6
}

/// Seconds since 1970 with nine decimals, as tshark has them.
fn ns(time: &str) -> i64 {
    let (seconds, fraction) = time.split_once('.').unwrap();
    seconds.parse::<i64>().unwrap() * 1_000_000_000 + fraction.parse::<i64>().unwrap()
}
