//! Reading and measuring side by side: one thread reads captures and takes frames apart, the other measures what
//! they hold, in the order it was captured.

use super::capture::{self, CaptureEnd, Frame, Record};
use super::classify::{Kind, classify};
use super::datagram::{Content, Datagram, Datagrams};
use super::packet::Packet;
use super::table::Key;
use milliwatt_wire::capture::note::PacketNote;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Findings that travel together.
const BATCH: usize = 1024;
/// Batches that may be under way.
const BATCHES: usize = 4;

/// What was found in a capture.
#[derive(Clone, Debug)]
pub enum Finding {
    /// What may be an RTP packet, on this interface.
    Rtp(Key, Packet, u32),
    /// What its receiver knew of the RTP packet that comes next.
    PacketNote(PacketNote),
    /// RTCP: its octets, its sender, when, on which interface.
    Rtcp(Box<[u8]>, IpAddr, i64, u32),
    /// A SIP message.
    Sip(Box<[u8]>),
    /// An interface of a capture, and its name.
    Interface(u32, Option<String>),
    /// A block of our own.
    Custom(Box<[u8]>),
    /// A capture begins: its place among those given.
    Begin(usize),
}

/// What reading came to.
#[derive(Debug, Default)]
pub struct Scanned {
    /// How each capture ended.
    pub ends: Vec<CaptureEnd>,
    /// Packets that are neither RTP nor part of anything, by name.
    pub other: BTreeMap<&'static str, u64>,
}

/// Reads captures, in the order given, and lets `take` have what they hold.
pub fn scan(paths: &[PathBuf], mut take: impl FnMut(&Finding)) -> Scanned {
    let (full, findings) = sync_channel(BATCHES);
    let (empty, used) = sync_channel(BATCHES + 2);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || Scanner::new(full, used).read(paths));
        for mut batch in findings {
            batch.iter().for_each(&mut take);
            batch.clear();
            // The reader may have ended: then nobody needs it.
            drop(empty.try_send(batch));
        }
        // A panic there is a panic here.
        reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

struct Scanner {
    datagrams: Datagrams,
    batch: Vec<Finding>,
    full: SyncSender<Vec<Finding>>,
    used: Receiver<Vec<Finding>>,
    scanned: Scanned,
    /// Of the next frame.
    note: Option<PacketNote>,
}

impl Scanner {
    fn new(full: SyncSender<Vec<Finding>>, used: Receiver<Vec<Finding>>) -> Self {
        Self {
            datagrams: Datagrams::default(),
            batch: Vec::with_capacity(BATCH),
            full,
            used,
            scanned: Scanned::default(),
            note: None,
        }
    }

    fn read(mut self, paths: &[PathBuf]) -> Scanned {
        for (place, path) in paths.iter().enumerate() {
            self.put(Finding::Begin(place));
            let end = capture::read(path, &mut |record| self.take(&record));
            self.scanned.ends.push(end);
        }
        self.hand_over();
        let lost = self.datagrams.lost_fragments();
        if lost > 0 {
            self.scanned
                .other
                .insert("IP fragments without the rest", lost);
        }
        self.scanned
    }

    fn take(&mut self, record: &Record<'_>) {
        match record {
            Record::Frame(frame) => self.take_frame(frame),
            Record::Interface { index, name } => {
                self.put(Finding::Interface(*index, name.map(str::to_owned)));
            }
            Record::Custom(data) => self.put(Finding::Custom((*data).into())),
            Record::PacketNote(data) => self.note = PacketNote::decode(data),
        }
    }

    #[inline]
    fn take_frame(&mut self, frame: &Frame<'_>) {
        let note = self.note.take();
        let (finding, name) = match self.datagrams.take(frame) {
            Content::Udp(datagram) => find(&datagram, frame),
            Content::Fragment => return,
            Content::Other(name) => (None, name),
        };
        if !name.is_empty() {
            *self.scanned.other.entry(name).or_default() += 1;
        }
        if let Some(finding) = finding {
            if let (Some(note), Finding::Rtp(..)) = (note, &finding) {
                self.put(Finding::PacketNote(note));
            }
            self.put(finding);
        }
    }

    #[inline]
    fn put(&mut self, finding: Finding) {
        self.batch.push(finding);
        if self.batch.len() >= BATCH {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let next = self
            .used
            .try_recv()
            .unwrap_or_else(|_| Vec::with_capacity(BATCH));
        let batch = std::mem::replace(&mut self.batch, next);
        // Nobody measures any more: then nobody misses it.
        drop(self.full.send(batch));
    }
}

/// What a datagram is, and under which name it is counted among what is no RTP.
#[inline]
#[must_use]
pub fn find(datagram: &Datagram<'_>, frame: &Frame<'_>) -> (Option<Finding>, &'static str) {
    match classify(datagram) {
        Kind::Rtp(rtp) => {
            let key = Key {
                source: datagram.source,
                destination: datagram.destination,
                ssrc: rtp.ssrc(),
            };
            let packet = Packet::of(&rtp, datagram, frame.at);
            (Some(Finding::Rtp(key, packet, frame.interface)), "")
        }
        Kind::Rtcp(octets) => {
            let finding = Finding::Rtcp(
                octets.into(),
                datagram.source.ip(),
                frame.at,
                frame.interface,
            );
            (Some(finding), "RTCP")
        }
        Kind::Sip(message) => (Some(Finding::Sip(message.into())), "SIP"),
        Kind::Other(name) => (None, name),
    }
}
