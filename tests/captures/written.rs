//! RTP that a test writes packet by packet, and what RFC 3550 A.8 makes of a capture, worked out here.

use crate::lab::Captured;
use std::path::Path;

/// One packet of 20 ms of PCMU from 192.0.2.1:20000 to 192.0.2.2:20002, SSRC 0xdeadbeef.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    /// Captured, us.
    pub(super) at_us: u64,
    pub(super) seq: u16,
    pub(super) timestamp: u32,
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    /// Octets of payload.
    pub(super) payload: usize,
}

/// Slot `slot`, captured `late_us` after its time.
pub(super) fn slot(slot: u16, late_us: u64) -> Written {
    Written {
        at_us: 1_000_000 + u64::from(slot) * 20_000 + late_us,
        seq: 1000 + slot,
        timestamp: 160_000 + u32::from(slot) * 160,
        payload_type: 0,
        marker: false,
        payload: 160,
    }
}

/// Writes them as pcap (ns) of Ethernet frames.
pub(super) fn write(path: &Path, packets: &[Written]) {
    let mut file = 0xa1b2_3c4d_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    for packet in packets {
        let octets = frame(packet);
        let length = u32::try_from(octets.len()).unwrap();
        let seconds = u32::try_from(packet.at_us / 1_000_000).unwrap();
        let ns = u32::try_from(packet.at_us % 1_000_000 * 1000).unwrap();
        for word in [seconds, ns, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(octets);
    }
    std::fs::write(path, file).unwrap();
}

fn frame(packet: &Written) -> Vec<u8> {
    let marker = u8::from(packet.marker) << 7;
    let mut rtp = vec![0x80, marker | packet.payload_type];
    rtp.extend(packet.seq.to_be_bytes());
    rtp.extend(packet.timestamp.to_be_bytes());
    rtp.extend(0xdead_beef_u32.to_be_bytes());
    rtp.resize(12 + packet.payload, 0xff);
    let ethernet = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6]);
    let ip = ethernet.ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    let mut octets = Vec::new();
    ip.udp(20_000, 20_002).write(&mut octets, &rtp).unwrap();
    octets
}

/// Mean and maximum of J after each packet from the second on, ms, by RFC 3550 A.8 in floating point over what
/// tshark lists of a capture of one stream: arrival and timestamp, in order of arrival.
pub(super) fn interarrival_jitter_of(captured: &Captured, clock_rate: i64) -> (f64, f64) {
    let rows = captured.fields("rtp", &["frame.time_epoch", "rtp.timestamp"]);
    let ns = |row: &Vec<String>| {
        let (seconds, fraction) = row[0].split_once('.').unwrap();
        seconds.parse::<i64>().unwrap() * 1_000_000_000 + fraction.parse::<i64>().unwrap()
    };
    let ticks = |row: &Vec<String>| row[1].parse::<i64>().unwrap();
    let transit: Vec<i64> = rows
        .iter()
        .map(|row| ns(row) - (ticks(row) - ticks(&rows[0])) * 1_000_000_000 / clock_rate)
        .collect();
    interarrival_jitter(&transit)
}

/// The same of transits in ns.
#[expect(
    clippy::cast_precision_loss,
    reason = "differences of less than 2^53 ns"
)]
pub(super) fn interarrival_jitter(transit: &[i64]) -> (f64, f64) {
    let (mut j, mut sum, mut max) = (0.0, 0.0, 0.0_f64);
    for pair in transit.windows(2) {
        j += ((pair[1] - pair[0]).abs() as f64 / 1e6 - j) / 16.0;
        sum += j;
        max = max.max(j);
    }
    (sum / (transit.len() - 1) as f64, max)
}
