//! `milliwatt analyze`: the RTP streams of captures, measured offline.

pub mod calls;
pub mod capture;
pub mod classify;
pub mod codec;
pub mod datagram;
pub mod packet;
pub mod replay;
pub mod reported;
mod round;
pub mod scan;
pub mod seconds;
pub mod signalling;
pub mod stream;
pub mod summary;
pub mod table;
pub mod text;

use crate::args::AnalyzeArgs;
use crate::exit::{ExitCode, Failure};
use crate::output;
use capture::CaptureEnd;
use milliwatt_scoring::analysis::{Analysis, AnalyzedStream, CaptureRow, SCHEMA_VERSION};
use milliwatt_scoring::percentile::Distribution;
use milliwatt_wire::id::Leg;
use replay::Replay;
use reported::Reports;
use scan::{Finding, Scanned};
use signalling::Signalling;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use table::{Entry, Table};

/// Reads captures, as one in the order they are read.
#[derive(Default)]
pub struct Analyzer {
    signalling: Signalling,
    reports: Reports,
    table: Table,
    replay: Replay,
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

    /// Takes what was found in a capture.
    #[inline]
    pub fn take(&mut self, finding: &Finding) {
        match finding {
            Finding::Rtp(key, packet, interface) => {
                if self.replay.take(key, packet, *interface) {
                    self.table.take(*key, *packet, &self.signalling);
                }
            }
            Finding::Rtcp(octets, from, at, interface) => {
                if !self.replay.is_departure(*interface) {
                    self.reports.take(octets, *from, *at);
                }
            }
            Finding::Sip(message) => {
                self.table.measure(&self.signalling);
                self.signalling.take(message);
            }
            Finding::PacketNote(note) => self.replay.note_packet(*note),
            Finding::Interface(index, name) => self.replay.describe(*index, name.as_deref()),
            Finding::Custom(data) => self.replay.note(data),
            Finding::Begin(place) => self.replay.begin(*place),
        }
    }

    /// Measures what was read; the second value is the address that legs should have been named from, where it is
    /// another than they were.
    #[must_use]
    pub fn finish(mut self, paths: &[PathBuf], scanned: Scanned) -> (Analysis, Option<IpAddr>) {
        let entries = self.table.end(&self.signalling);
        let centre = self.table.centre().filter(|_| !entries.is_empty());
        let better = centre_of(&entries).filter(|found| Some(*found) != centre);
        let (calls, call_of) = calls::pair(&entries, self.signalling.calls());
        let summary = |(entry, call): (&Entry, Option<usize>)| {
            summary::of(entry, centre, call, &self.reports)
        };
        let streams: Vec<AnalyzedStream> = entries.iter().zip(call_of).map(summary).collect();
        let captures: Vec<CaptureRow> = paths.iter().zip(&scanned.ends).map(capture_row).collect();
        let mut other = scanned.other;
        *other.entry("unknown UDP").or_default() += self.table.rejected_packets;
        let (run, told) = self.replay.finish(&scanned.ends);
        let analysis = Analysis {
            schema_version: SCHEMA_VERSION,
            partial: captures.iter().any(|capture| capture.error.is_some()),
            notes: [told, text::notes(&streams, &captures, run.is_some())].concat(),
            captures,
            pdv_curves: Leg::BOTH.map(|leg| curve(&entries, &streams, leg)),
            streams,
            calls,
            other_traffic: descending(other),
            centre: centre.map(|centre| centre.to_string()),
            run,
            seconds: self.table.seconds.finish(),
        };
        (analysis, better)
    }
}

/// The address that most streams lead to or come from; of equals, the one that an earlier stream leads to.
fn centre_of(entries: &[Entry]) -> Option<IpAddr> {
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
fn curve(entries: &[Entry], streams: &[AnalyzedStream], leg: Leg) -> Vec<(f64, f64)> {
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

fn capture_row((path, end): (&PathBuf, &CaptureEnd)) -> CaptureRow {
    CaptureRow {
        file: path.display().to_string(),
        frames: end.frames,
        first_ns: end.first_ns,
        last_ns: end.last_ns,
        clock_steps_back: end.clock_steps_back,
        error: end.error.as_ref().map(ToString::to_string),
    }
}

/// Reads the captures once.
fn read_all(paths: &[PathBuf], centre: Option<IpAddr>) -> (Analysis, Option<IpAddr>) {
    let mut analyzer = Analyzer::new(centre);
    let scanned = scan::scan(paths, |finding| analyzer.take(finding));
    analyzer.finish(paths, scanned)
}

/// Reads the captures and measures them. Legs need the address that most streams touch, which is known at the end
/// only: where the first guess was wrong, files are read again.
#[must_use]
pub fn analyze(paths: &[PathBuf]) -> Analysis {
    let (analysis, better) = read_all(paths, None);
    if better.is_some() && paths.iter().all(|path| path.is_file()) {
        return read_all(paths, better).0;
    }
    analysis
}

/// Reads the captures as one, in the order given, and prints what they hold.
pub fn execute(args: &AnalyzeArgs) -> Result<ExitCode, Failure> {
    if let Some(dir) = &args.out {
        check_empty(dir)?;
    }
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
    if let Some(dir) = &args.out {
        write_report(dir, &analysis)?;
    }
    if args.json {
        output::print_json(&analysis)?;
    } else {
        output::print(&text::text(&analysis))?;
    }
    Ok(ExitCode::Pass)
}

/// What is there already would be mixed with what is written.
pub(crate) fn check_empty(dir: &Path) -> Result<(), Failure> {
    match std::fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(Failure::could_not_run(format!(
            "the folder {} is not empty",
            dir.display()
        ))
        .hint("name a new one with --out")),
        _ => Ok(()),
    }
}

fn write_report(dir: &Path, analysis: &Analysis) -> Result<(), Failure> {
    milliwatt_reports::analysis::write_all(dir, analysis).map_err(|error| {
        Failure::could_not_run("the report was not written").detail(error.to_string())
    })
}

#[cfg(test)]
mod tests;
