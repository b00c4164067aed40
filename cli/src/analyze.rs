//! `milliwatt analyze`: the RTP streams of captures, measured offline.

pub mod calls;
pub mod capture;
pub mod classify;
pub mod codec;
pub mod datagram;
pub mod packet;
pub mod reported;
pub mod seconds;
pub mod signalling;
pub mod stream;
pub mod summary;
pub mod table;
pub mod text;

use crate::args::AnalyzeArgs;
use crate::exit::{ExitCode, Failure};
use crate::output;
use capture::{CaptureEnd, Frame, Record};
use classify::{Kind, classify};
use datagram::{Content, Datagrams};
use milliwatt_scoring::analysis::{Analysis, AnalyzedStream, CaptureRow, SCHEMA_VERSION};
use milliwatt_scoring::percentile::Distribution;
use milliwatt_wire::id::Leg;
use reported::Reports;
use signalling::Signalling;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use table::{Entry, Table};

/// Reads captures, as one in the order they are read.
#[derive(Debug, Default)]
pub struct Analyzer {
    datagrams: Datagrams,
    signalling: Signalling,
    reports: Reports,
    table: Table,
    other: BTreeMap<&'static str, u64>,
    captures: Vec<CaptureRow>,
    partial: bool,
}

impl Analyzer {
    /// Nothing read. Legs are named from `centre`; without it, from the first stream's receiver.
    #[must_use]
    pub fn new(centre: Option<IpAddr>) -> Self {
        Self {
            table: Table::new(centre),
            ..Self::default()
        }
    }

    /// Takes what a capture holds.
    pub fn take(&mut self, record: &Record<'_>) {
        if let Record::Frame(frame) = record {
            self.take_frame(frame);
        }
    }

    fn take_frame(&mut self, frame: &Frame<'_>) {
        let name = match self.datagrams.take(frame) {
            Content::Udp(datagram) => match classify(&datagram) {
                Kind::Rtp(rtp) => {
                    self.table.take(&rtp, &datagram, frame.at, &self.signalling);
                    return;
                }
                Kind::Rtcp(octets) => {
                    self.reports.take(octets, datagram.source.ip(), frame.at);
                    "RTCP"
                }
                Kind::Sip(message) => {
                    self.signalling.take(message);
                    "SIP"
                }
                Kind::Other(name) => name,
            },
            Content::Fragment => return,
            Content::Other(name) => name,
        };
        *self.other.entry(name).or_default() += 1;
    }

    /// A capture has been read.
    pub fn note_end(&mut self, path: &Path, end: &CaptureEnd) {
        self.partial |= end.error.is_some();
        self.captures.push(CaptureRow {
            file: path.display().to_string(),
            frames: end.frames,
            first_ns: end.first_ns,
            last_ns: end.last_ns,
            clock_steps_back: end.clock_steps_back,
            error: end.error.as_ref().map(ToString::to_string),
        });
    }

    /// Measures what was read; the second value is the address that legs should have been named from, where it is
    /// another than they were.
    #[must_use]
    pub fn finish(mut self) -> (Analysis, Option<IpAddr>) {
        let entries = self.table.end();
        let centre = self.table.centre().filter(|_| !entries.is_empty());
        let better = centre_of(&entries).filter(|found| Some(*found) != centre);
        let (calls, call_of) = calls::pair(&entries, self.signalling.calls());
        let summary = |(entry, call): (&Box<Entry>, Option<usize>)| {
            summary::of(entry, centre, call, &self.reports)
        };
        let streams: Vec<AnalyzedStream> = entries.iter().zip(call_of).map(summary).collect();
        let mut other = self.other;
        *other.entry("unknown UDP").or_default() += self.table.rejected_packets;
        *other.entry("IP fragments without the rest").or_default() +=
            self.datagrams.lost_fragments();
        let analysis = Analysis {
            schema_version: SCHEMA_VERSION,
            partial: self.partial,
            notes: text::notes(&streams, &self.captures),
            captures: self.captures,
            pdv_curves: Leg::BOTH.map(|leg| curve(&entries, &streams, leg)),
            streams,
            calls,
            other_traffic: descending(other),
            centre: centre.map(|centre| centre.to_string()),
            run: None,
            seconds: self.table.seconds.finish(),
        };
        (analysis, better)
    }
}

/// The address that most streams lead to or come from; of equals, the one that an earlier stream leads to.
fn centre_of(entries: &[Box<Entry>]) -> Option<IpAddr> {
    let mut streams: BTreeMap<IpAddr, u64> = BTreeMap::new();
    for entry in entries {
        for address in [entry.key.source.ip(), entry.key.destination.ip()] {
            *streams.entry(address).or_default() += 1;
        }
    }
    let most = streams.values().max()?;
    let ends = entries
        .iter()
        .flat_map(|entry| [entry.key.destination.ip(), entry.key.source.ip()]);
    ends.into_iter()
        .find(|address| streams.get(address) == Some(most))
}

fn descending(other: BTreeMap<&'static str, u64>) -> Vec<(String, u64)> {
    let mut other: Vec<(String, u64)> = other
        .into_iter()
        .filter(|(_, packets)| *packets > 0)
        .map(|(name, packets)| (name.to_owned(), packets))
        .collect();
    other.sort_by_key(|(_, packets)| std::cmp::Reverse(*packets));
    other
}

/// Share of a leg's packets at or below each PDV, ms.
#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn curve(entries: &[Box<Entry>], streams: &[AnalyzedStream], leg: Leg) -> Vec<(f64, f64)> {
    let mut all = Distribution::default();
    for (entry, _) in entries
        .iter()
        .zip(streams)
        .filter(|(_, stream)| stream.leg == Some(leg))
    {
        all.add(&entry.stream.totals().pdv);
    }
    let total = all.total() as f64;
    let mut below = 0;
    let point = |(ns, count): (i64, u64)| {
        below += count;
        (ns as f64 / 1e6, below as f64 / total)
    };
    all.counts().map(point).collect()
}

/// Reads the captures once.
fn read_all(paths: &[PathBuf], centre: Option<IpAddr>) -> Analyzer {
    let mut analyzer = Analyzer::new(centre);
    for path in paths {
        let end = capture::read(path, &mut |record| analyzer.take(&record));
        analyzer.note_end(path, &end);
    }
    analyzer
}

/// Reads the captures and measures them. Legs need the address that most streams touch, which is known at the end
/// only: where the first guess was wrong, files are read again.
fn analyze(paths: &[PathBuf]) -> Analysis {
    let (analysis, better) = read_all(paths, None).finish();
    if better.is_some() && paths.iter().all(|path| path.is_file()) {
        return read_all(paths, better).finish().0;
    }
    analysis
}

/// Reads the captures as one, in the order given, and prints what they hold.
pub fn execute(args: &AnalyzeArgs) -> Result<ExitCode, Failure> {
    let analysis = analyze(&args.captures);
    let unread: Vec<String> = analysis
        .captures
        .iter()
        .filter_map(|capture| Some(format!("{}: {}", capture.file, capture.error.as_ref()?)))
        .collect();
    let nothing_read = analysis.captures.iter().all(|capture| capture.frames == 0);
    if nothing_read && unread.len() == args.captures.len() {
        return Err(Failure::could_not_run("no capture could be read")
            .detail(unread.join("\n"))
            .hint("pcap and pcapng files are read"));
    }
    for line in unread {
        output::complain(&format!("warning: {line}"));
    }
    if args.json {
        output::print_json(&analysis)?;
    } else {
        output::print(&text::text(&analysis))?;
    }
    Ok(ExitCode::Pass)
}
