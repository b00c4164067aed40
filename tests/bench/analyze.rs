//! `milliwatt analyze` against `tshark -q -z rtp,streams` on the same captures, in turns: wall time, and the most
//! memory that each held. 250 streams of PCMU both times, 250,000 and 2,500,000 packets.
//!
//!     cargo bench --bench analyze [-- PAIRS]

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is not as it should be"
)]
#![expect(clippy::print_stdout, reason = "its output is its result")]

use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::time::NS_PER_MS;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const STREAMS: u16 = 250;

fn main() {
    let pairs = std::env::args().find_map(|word| word.parse().ok());
    let folder = tempfile::tempdir().unwrap();
    for packets in [1000, 10_000] {
        let capture = folder.path().join(format!("{packets}.pcap"));
        write(&capture, packets).unwrap();
        let octets = capture.metadata().unwrap().len();
        println!(
            "{} packets in {STREAMS} streams, {} MB",
            u32::from(STREAMS) * packets,
            octets / 1_000_000
        );
        compare(
            &capture,
            if packets == 1000 {
                pairs.unwrap_or(5)
            } else {
                1
            },
        );
    }
}

/// Runs both, in turns, and prints the medians.
fn compare(capture: &Path, pairs: usize) {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..pairs {
        ours.push(measure(milliwatt(capture)));
        theirs.push(measure(tshark(capture)));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    for (name, (ms, kib)) in [
        ("milliwatt analyze", ours),
        ("tshark -z rtp,streams", theirs),
    ] {
        println!(
            "  {name:<22}{ms:>10.1} ms{:>10.1} MiB at most",
            kib / 1024.0
        );
    }
    println!(
        "  1/{:.1} of tshark's wall time, median of {pairs}",
        theirs.0 / ours.0
    );
}

fn milliwatt(capture: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_milliwatt"));
    command.args(["analyze", "--json"]).arg(capture);
    command
}

fn tshark(capture: &Path) -> Command {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(capture);
    command.args(["-d", "udp.port==20000-29999,rtp", "-q", "-z", "rtp,streams"]);
    command
}

/// Wall time, ms, and high-water mark of resident memory, KiB. A thread of its own looks at the memory, seldom: it
/// shares the processors with what is measured.
#[expect(clippy::cast_precision_loss, reason = "a duration of minutes")]
fn measure(mut command: Command) -> (f64, f64) {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = mono_now();
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let memory = std::thread::spawn(move || watch(&status));
    let ended = child.wait().unwrap();
    let ms = (mono_now() - start) as f64 / 1e6;
    assert!(ended.success(), "{command:?}");
    (ms, memory.join().unwrap())
}

/// Looks at the process each 5 ms until it has ended.
fn watch(file: &str) -> f64 {
    let mut most = 0.0_f64;
    while let Ok(status) = std::fs::read_to_string(file) {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        let Some(kib) = kib else { break };
        most = most.max(kib);
        sleep_until(mono_now() + 5 * NS_PER_MS);
    }
    most
}

/// The median time, and the most memory.
fn median(mut runs: Vec<(f64, f64)>) -> (f64, f64) {
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let most = runs.iter().map(|run| run.1).fold(0.0, f64::max);
    (runs[runs.len() / 2].0, most)
}

/// A pcap of Ethernet frames: each stream a packet each 20 ms, up to 3 ms late, one in 1000 lost.
fn write(path: &Path, slots: u32) -> std::io::Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
    file.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0])?;
    let mut frames: Vec<Vec<u8>> = (0..STREAMS).map(frame).collect();
    for slot in 0..slots {
        let mut late: Vec<(u32, usize)> = (0..usize::from(STREAMS))
            .map(|stream| (random.random_range(0..3_000_000), stream))
            .collect();
        late.sort_unstable();
        for (late, stream) in late {
            if random.random_range(0..1000) == 0 {
                continue;
            }
            let at = u64::from(slot) * 20_000_000 + u64::from(late);
            let frame = &mut frames[stream];
            patch(frame, slot);
            let length = u32::try_from(frame.len()).unwrap();
            let seconds = u32::try_from(at / 1_000_000_000).unwrap();
            let ns = u32::try_from(at % 1_000_000_000).unwrap();
            for word in [seconds, ns, length, length] {
                file.write_all(&word.to_le_bytes())?;
            }
            file.write_all(frame)?;
        }
    }
    file.flush()
}

/// Ethernet, IPv4 and UDP around a packet of PCMU.
fn frame(stream: u16) -> Vec<u8> {
    let mut rtp = vec![0x80, 0, 0, 0, 0, 0, 0, 0];
    rtp.extend((0x1234_0000 + u32::from(stream)).to_be_bytes());
    rtp.resize(172, 0xff);
    let ethernet = etherparse::PacketBuilder::ethernet2([2; 6], [4; 6]);
    let ip = ethernet.ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
    let mut octets = Vec::new();
    let udp = ip.udp(20_000 + stream * 2, 25_000 + stream * 2);
    udp.write(&mut octets, &rtp).unwrap();
    // A checksum of 0 is none: the packets are patched afterwards.
    octets[40..42].fill(0);
    octets
}

fn patch(frame: &mut [u8], slot: u32) {
    let seq = u16::try_from(slot % 65_536).unwrap();
    frame[44..46].copy_from_slice(&seq.to_be_bytes());
    frame[46..50].copy_from_slice(&(slot * 160).to_be_bytes());
}
