//! What `milliwatt analyze` holds while a capture passes through it.

use super::frame;
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};

const STREAMS: u32 = 50;

/// The most memory that the process has held so far, KiB.
fn most_held(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// A packet of 20 ms of each stream for each of these slots; every twentieth comes 30 ms late, one in 1000 is lost.
fn feed(pipe: &mut ChildStdin, frames: &mut [Vec<u8>], slots: std::ops::Range<u32>) {
    let mut octets = Vec::new();
    for slot in slots {
        let seq = u16::try_from(slot % 65_536).unwrap();
        for (stream, frame) in (0..).zip(&mut *frames) {
            let late = if (slot + stream) % 20 == 0 {
                30_000_000
            } else {
                0
            };
            let at = u64::from(slot) * 20_000_000 + late;
            if (slot + stream * 13) % 1000 == 0 {
                continue;
            }
            frame[44..46].copy_from_slice(&seq.to_be_bytes());
            frame[46..50].copy_from_slice(&(slot * 160).to_be_bytes());
            let [seconds, ns] = [at / 1_000_000_000, at % 1_000_000_000];
            let words = [seconds, ns, 58, 214].map(|word| u32::try_from(word).unwrap());
            octets.extend(words.map(u32::to_le_bytes).as_flattened());
            // Its payload is left out: times are in the headers.
            octets.extend(&frame[..58]);
        }
        pipe.write_all(&octets).unwrap();
        octets.clear();
    }
}

/// 50 streams of five minutes, and of fifty: ten times the packets. What grows by time is a row of figures a second
/// and leg, well below 1 MiB in 45 minutes; packets kept, at 32 octets each, would be 200 MiB more.
#[test]
fn memory_does_not_grow_with_the_packets() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_milliwatt"))
        .args(["analyze", "--json", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let mut frames: Vec<Vec<u8>> = (0..STREAMS).map(|ssrc| frame(0, ssrc)).collect();
    pipe.write_all(&0xa1b2_3c4d_u32.to_le_bytes()).unwrap();
    pipe.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 0, 0, 0, 1, 0, 0, 0])
        .unwrap();
    feed(&mut pipe, &mut frames, 0..15_000);
    let after_one_part = most_held(&child);
    feed(&mut pipe, &mut frames, 15_000..150_000);
    let after_ten = most_held(&child);
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // 150 of each stream's 150,000 are lost; its first or last one of those is not seen where it is at an end.
    let streams = found["streams"].as_array().unwrap();
    let received = streams
        .iter()
        .map(|stream| stream["packets_received"].as_u64().unwrap());
    assert_eq!(
        (streams.len(), received.sum::<u64>()),
        (50, 50 * (150_000 - 150))
    );
    assert!(
        after_ten <= after_one_part + 4096,
        "{after_one_part} KiB after 750,000 packets, {after_ten} KiB after 7,500,000"
    );
}
