//! `milliwatt analyze`: the RTP streams of captures, measured offline.

pub mod capture;
pub mod datagram;
pub mod segment;
pub mod stream;
pub mod summary;

use crate::args::AnalyzeArgs;
use crate::exit::{ExitCode, Failure};
use crate::output;
use milliwatt_receiver::packet::RtpView;
use serde::Serialize;
use std::collections::HashMap;
use std::net::SocketAddr;
use stream::{Packet, Stream};
use summary::Summary;

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;
/// Payload types that RTCP's packet types look like (RFC 5761 section 4).
const RTCP_LIKE: std::ops::RangeInclusive<u8> = 64..=95;

/// What a set of captures holds. The names are those of `milliwatt analyze --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Version of this form.
    pub schema_version: u32,
    /// A stream each, in order of their first packet.
    pub streams: Vec<Summary>,
}

/// Source, destination and synchronisation source: what makes a stream one.
type Key = (SocketAddr, SocketAddr, u32);

/// All that look like RTP streams, while captures are read.
#[derive(Default)]
pub struct Streams {
    by_key: HashMap<Key, usize>,
    streams: Vec<(Key, Stream)>,
}

impl Streams {
    /// Takes a frame; what is not RTP over UDP is passed over.
    pub fn take(&mut self, frame: &capture::Frame<'_>) {
        let Some(datagram) = datagram::find(frame) else {
            return;
        };
        let Ok(rtp) = RtpView::parse(datagram.payload) else {
            return;
        };
        if RTCP_LIKE.contains(&rtp.payload_type()) {
            return;
        }
        let key = (datagram.source, datagram.destination, rtp.ssrc());
        let index = *self.by_key.entry(key).or_insert_with(|| {
            self.streams
                .push((key, Stream::new(rtp.seq(), rtp.payload_type())));
            self.streams.len() - 1
        });
        self.streams[index].1.take(Packet::of(&rtp, frame.at));
    }

    /// Measures those that RFC 3550 A.1 found valid.
    #[must_use]
    pub fn finish(self) -> Analysis {
        let valid = self
            .streams
            .into_iter()
            .filter(|(_, stream)| stream.is_valid());
        let streams = valid.map(|((source, destination, ssrc), stream)| {
            Summary::of(source, destination, ssrc, stream)
        });
        Analysis {
            schema_version: SCHEMA_VERSION,
            streams: streams.collect(),
        }
    }
}

/// Reads the captures as one, in the order given, and prints what they hold.
pub fn execute(args: &AnalyzeArgs) -> Result<ExitCode, Failure> {
    let mut streams = Streams::default();
    let mut unread = Vec::new();
    for path in &args.captures {
        let outcome = capture::read(path, |frame| streams.take(&frame));
        if let Err(error) = outcome {
            unread.push(format!("{}: {error}", path.display()));
        }
    }
    let nothing_read = streams.streams.is_empty() && unread.len() == args.captures.len();
    if nothing_read {
        return Err(Failure::could_not_run("no capture could be read")
            .detail(unread.join("\n"))
            .hint("pcap and pcapng files are read"));
    }
    for line in unread {
        output::complain(&format!("warning: {line}"));
    }
    let analysis = streams.finish();
    if args.json {
        output::print_json(&analysis)?;
    } else {
        output::print(&analysis.text())?;
    }
    Ok(ExitCode::Pass)
}

impl Analysis {
    /// For people: a table, and what it rests on.
    #[must_use]
    pub fn text(&self) -> String {
        if self.streams.is_empty() {
            return "no RTP streams\n".to_owned();
        }
        let rows: String = self.streams.iter().map(Summary::row).collect();
        format!(
            "{}{rows}{} streams; lost: by sequence numbers, a capture holds no sender's ledger\n",
            summary::heading(),
            self.streams.len()
        )
    }
}
