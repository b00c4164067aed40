//! What passed a machine's interface, taken and read by tshark: nothing of milliwatt's is in it.

use super::network::WIRE;
use super::{Lab, Program, Side, wait_for};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A capture under way.
#[derive(Debug)]
pub(crate) struct Capture {
    program: Program,
    file: PathBuf,
}

/// A finished capture.
#[derive(Debug)]
pub(crate) struct Captured {
    file: PathBuf,
}

/// A stream as `tshark -z rtp,streams` has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CapturedStream {
    /// `0x` and eight lower-case digits.
    pub(crate) ssrc: String,
    /// Its sender's address.
    pub(crate) source: String,
    /// Sender and receiver, each `address:port`.
    pub(crate) ends: [String; 2],
    /// Packets, copies included.
    pub(crate) packets: u64,
    /// Lost, by sequence numbers; a copy counts -1.
    pub(crate) lost: i64,
    /// Mean and largest interarrival jitter (RFC 3550 6.4.1), ms.
    pub(crate) interarrival_jitter_ms: (f64, f64),
}

impl Capture {
    /// Takes RTP of G.711 (180 octets of UDP, RTP version 2) at that machine's end of the cable.
    pub(crate) fn start(lab: &Lab, side: Side) -> Self {
        Self::of(lab, side, "udp[4:2] = 180 and udp[8] & 0xc0 = 0x80")
    }

    /// Takes what matches, in libpcap's words, at that machine's end of the cable.
    pub(crate) fn of(lab: &Lab, side: Side, filter: &str) -> Self {
        let file = lab.path(&format!("{side:?}.pcapng"));
        let args = [
            "-i",
            WIRE,
            "-B",
            "64",
            "-f",
            filter,
            "-w",
            file.to_str().unwrap(),
        ];
        let program = lab.start(side, "tshark", &args);
        wait_for("the capture's start", 20, || {
            program.stderr().contains("Capture started")
        });
        Self { program, file }
    }

    /// Ends it; a capture that dropped anything proves nothing.
    pub(crate) fn end(self) -> Captured {
        self.program.signal("INT");
        let ended = self.program.wait_within(20);
        assert!(!ended.stderr.contains("dropped"), "{}", ended.stderr);
        Captured { file: self.file }
    }
}

impl Captured {
    /// A capture that the test wrote itself.
    pub(crate) fn written(file: PathBuf) -> Self {
        Self { file }
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Fields of every packet that `filter` takes, in order of capture.
    pub(crate) fn fields(&self, filter: &str, names: &[&str]) -> Vec<Vec<String>> {
        let mut args = vec!["-Y", filter, "-T", "fields"];
        args.extend(names.iter().flat_map(|name| ["-e", *name]));
        let text = self.tshark(&args);
        let rows = text.lines().map(|line| line.split('\t').map(str::to_owned));
        rows.map(Iterator::collect).collect()
    }

    fn tshark(&self, args: &[&str]) -> String {
        let mut tshark = Command::new("tshark");
        tshark
            .arg("-r")
            .arg(&self.file)
            .args(["-d", "udp.port==16384-32767,rtp"])
            .args(args);
        let output = tshark.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// What of it a filter takes, as a file of its own with `name` in its name.
    pub(crate) fn only(&self, name: &str, filter: &str) -> Self {
        let file = self.file.with_extension(format!("{name}.pcapng"));
        self.tshark(&["-Y", filter, "-w", file.to_str().unwrap()]);
        Self { file }
    }

    /// What of it was taken in this time, ns since 1970.
    pub(crate) fn cut(&self, from: i64, to: i64) -> Self {
        let at = |ns: i64| format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
        let taken = format!(
            "frame.time_epoch >= {} and frame.time_epoch < {}",
            at(from),
            at(to)
        );
        self.only("cut", &taken)
    }

    /// `-z rtp,streams`. Columns: start, end, source, port, destination, port, SSRC, payload (of any number
    /// of words), packets, lost, (percent), least, mean and largest difference, least, mean and largest jitter,
    /// problems.
    pub(crate) fn streams(&self) -> Vec<CapturedStream> {
        let table = self.tshark(&["-q", "-z", "rtp,streams"]);
        table.lines().filter_map(stream_of).collect()
    }

    /// The payloads of what `sender` sent, by SSRC, in order of capture.
    pub(crate) fn payloads(&self, sender: Side) -> BTreeMap<String, Vec<Vec<u8>>> {
        let from = format!("rtp and ip.src == {}", sender.address());
        let listed = self.tshark(&[
            "-Y",
            &from,
            "-T",
            "fields",
            "-e",
            "rtp.ssrc",
            "-e",
            "rtp.payload",
        ]);
        let mut streams: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for line in listed.lines() {
            let (ssrc, payload) = line.split_once('\t').unwrap();
            let digits: Vec<u8> = payload.bytes().filter(u8::is_ascii_hexdigit).collect();
            let octets = digits
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
            streams
                .entry(ssrc.to_lowercase())
                .or_default()
                .push(octets.collect());
        }
        streams
    }
}

fn stream_of(line: &str) -> Option<CapturedStream> {
    let row: Vec<&str> = line.split_whitespace().collect();
    let percent = row.iter().position(|word| word.ends_with("%)"))?;
    let end = |address: usize| format!("{}:{}", row[address], row[address + 1]);
    let ms = |column: usize| row[percent + column].parse::<f64>().unwrap();
    Some(CapturedStream {
        ssrc: row[6].to_lowercase(),
        source: row[2].to_owned(),
        ends: [end(2), end(4)],
        packets: row[percent - 2].parse().unwrap(),
        lost: row[percent - 1].parse().unwrap(),
        interarrival_jitter_ms: (ms(5), ms(6)),
    })
}
