//! The capture of a whole run: both halves in order of time, and before them the plan and the ledgers,
//! in one file. Each half is read once, front to back.

use super::directory::{capture_path, facts_files, guest_capture_folder};
use crate::analyze::capture::{Record, read};
use crate::output;
use milliwatt_agent::capture::half::{COMMENT, describe};
use milliwatt_agent::capture::pcapng::{self, PacketHead};
use milliwatt_wire::block::{BlockReader, encode_block};
use milliwatt_wire::capture::note::{Note, PacketNote};
use milliwatt_wire::capture::{Way, interface_named};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Packets that travel together.
const BATCH: usize = 1024;
/// Batches that may be under way.
const BATCHES: usize = 4;
/// Octets that are written together.
const WRITE_OCTETS: usize = 1 << 20;

/// The interfaces of a run's capture, in their order.
const INTERFACES: [(End, Way); 4] = [
    (End::Tester, Way::Departure),
    (End::Guest, Way::Arrival),
    (End::Guest, Way::Departure),
    (End::Tester, Way::Arrival),
];

/// A packet of a half.
#[derive(Clone, Debug, PartialEq)]
struct HalfPacket {
    /// Run time, ns.
    at: i64,
    interface: u32,
    length: u32,
    kept: Box<[u8]>,
    note: Option<PacketNote>,
}

/// What stands in a half.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Packet(HalfPacket),
    /// A [`Note::Half`] or [`Note::Done`].
    Note(Note),
}

/// Puts the capture of a run that has ended together; what cannot be is told, and costs nothing else.
pub(super) async fn put_together(folder: PathBuf, run: Note) {
    output::complain("putting both halves of the capture together");
    let completed = tokio::task::spawn_blocking(move || complete(&folder, run)).await;
    let failed = match completed {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(stopped) => stopped.to_string(),
    };
    output::complain(&format!(
        "they could not be put together: {failed}; the tester's is capture.pcapng, the guest's in capture.guest: \
         `mergecap` makes one of them, without the run's plan"
    ));
}

/// Puts what there is of both halves of the run in `folder` together; `run` is a [`Note::Run`], whose time is
/// set to that of the tester's half. Where this fails, both halves stay as they are.
pub fn complete(folder: &Path, run: Note) -> io::Result<()> {
    let (whole, part) = (capture_path(folder), folder.join("capture.pcapng.part"));
    let joined = File::create(&part)
        .and_then(|file| Joined::new(file).write(folder, run))
        .and_then(|()| fs::rename(&part, &whole));
    if joined.is_err() {
        fs::remove_file(&part).unwrap_or_default(); // that it could not be written is the error to tell
        return joined;
    }
    match fs::remove_dir_all(guest_capture_folder(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The file being written.
struct Joined<W> {
    file: W,
    blocks: Vec<u8>,
    wall_at_zero: i64,
    counts: [u64; 4],
    missed: [[u64; 2]; 2],
    last: i64,
    done: Vec<Note>,
}

impl<W: Write> Joined<W> {
    fn new(file: W) -> Self {
        Self {
            file,
            blocks: Vec::with_capacity(WRITE_OCTETS * 2),
            wall_at_zero: 0,
            counts: [0; 4],
            missed: [[0; 2]; 2],
            last: 0,
            done: Vec::new(),
        }
    }

    fn write(mut self, folder: &Path, run: Note) -> io::Result<()> {
        let tester = vec![capture_path(folder)];
        let guest = parts(&guest_capture_folder(folder))?;
        thread::scope(|scope| {
            let [mut tester, mut guest] = [tester, guest].map(|paths| {
                let (out, items) = sync_channel(BATCHES);
                scope.spawn(move || HalfReader::new(out).read(&paths));
                items.into_iter().flatten().peekable()
            });
            if let Some(Item::Note(Note::Half { wall_at_zero, .. })) = tester.peek() {
                self.wall_at_zero = *wall_at_zero;
            }
            self.begin(folder, run)?;
            while let Some(item) = next(&mut tester, &mut guest) {
                self.take(item)?;
            }
            self.end()
        })
    }

    /// Interfaces, the run, the plan and the ledgers.
    fn begin(&mut self, folder: &Path, run: Note) -> io::Result<()> {
        pcapng::section(&mut self.blocks, COMMENT);
        for (end, way) in INTERFACES {
            describe(&mut self.blocks, end, way);
        }
        if let Note::Run {
            run,
            scenario,
            ports,
            ..
        } = run
        {
            let note = Note::Run {
                run,
                scenario,
                wall_at_zero: self.wall_at_zero,
                ports,
            };
            pcapng::custom(&mut self.blocks, &note);
        }
        for end in [End::Tester, End::Guest] {
            for file in facts_files(folder, end) {
                self.plan_of(&file, end)?;
            }
        }
        Ok(())
    }

    fn plan_of(&mut self, path: &Path, end: End) -> io::Result<()> {
        // What cannot be read is missing from the capture as it is from the report.
        let blocks = BlockReader::new(BufReader::new(File::open(path)?)).map_while(Result::ok);
        for block in blocks {
            let facts: Vec<Fact> = block.facts.into_iter().filter(is_of_the_plan).collect();
            if !facts.is_empty() {
                let block = encode_block(block.sequence, &facts);
                pcapng::custom(&mut self.blocks, &Note::Facts { end, block });
                self.flush(WRITE_OCTETS)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Packet(packet) => {
                let head = PacketHead {
                    interface: packet.interface,
                    at: self.wall_at_zero + packet.at,
                    length: packet.length,
                };
                let kept = [&packet.kept[..], &[]];
                pcapng::packet(&mut self.blocks, head, kept, packet.note.as_ref());
                self.last = self.last.max(head.at);
                if let Some(count) = self.counts.get_mut(packet.interface as usize) {
                    *count += 1;
                }
            }
            Item::Note(Note::Done {
                end,
                frames,
                missed,
                stopped,
            }) => {
                self.missed[end as usize] = missed;
                self.done.push(Note::Done {
                    end,
                    frames,
                    missed,
                    stopped,
                });
            }
            Item::Note(_) => {}
        }
        self.flush(WRITE_OCTETS)
    }

    fn end(mut self) -> io::Result<()> {
        for note in &self.done {
            pcapng::custom(&mut self.blocks, note);
        }
        for ((interface, (end, way)), count) in (0..).zip(INTERFACES).zip(self.counts) {
            let missed = self.missed[end as usize][way as usize];
            let seen = count + missed;
            pcapng::statistics(&mut self.blocks, interface, self.last, seen, missed);
        }
        self.flush(1)?;
        self.file.flush()
    }

    /// Writes what has gathered, when it is so much.
    fn flush(&mut self, least: usize) -> io::Result<()> {
        if self.blocks.len() >= least {
            self.file.write_all(&self.blocks)?;
            self.blocks.clear();
        }
        Ok(())
    }
}

/// What the packets do not tell: the load, its phases, what each sender says that it sent.
fn is_of_the_plan(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Opened { .. }
            | Fact::Phase { .. }
            | Fact::StreamStarted { .. }
            | Fact::Ledger(_)
            | Fact::NotSent { .. }
            | Fact::Sent(_)
            | Fact::Closed { .. }
    )
}

/// The parts of the guest's half, in order; none when none came.
fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut paths = paths?;
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "pcapng"));
    paths.sort();
    Ok(paths)
}

/// The earlier of the next packets of two halves; each half keeps its own order.
fn next(
    one: &mut Peekable<impl Iterator<Item = Item>>,
    other: &mut Peekable<impl Iterator<Item = Item>>,
) -> Option<Item> {
    let place = |item: Option<&Item>| match item {
        Some(Item::Packet(packet)) => packet.at,
        Some(Item::Note(_)) => i64::MIN,
        None => i64::MAX,
    };
    if place(one.peek()) <= place(other.peek()) {
        one.next().or_else(|| other.next())
    } else {
        other.next()
    }
}

/// Reads a half's files on a thread of its own.
struct HalfReader {
    out: SyncSender<Vec<Item>>,
    batch: Vec<Item>,
    interfaces: Vec<Option<u32>>,
    wall_at_zero: i64,
    note: Option<PacketNote>,
}

impl HalfReader {
    fn new(out: SyncSender<Vec<Item>>) -> Self {
        Self {
            out,
            batch: Vec::new(),
            interfaces: Vec::new(),
            wall_at_zero: 0,
            note: None,
        }
    }

    /// What is damaged is left out: the counts in the file's end then show it.
    fn read(mut self, paths: &[PathBuf]) {
        for path in paths {
            self.interfaces.clear();
            read(path, &mut |record| self.take(&record));
        }
        self.hand_over();
    }

    fn take(&mut self, record: &Record<'_>) {
        match record {
            Record::Interface { name, .. } => {
                let named = name.and_then(interface_named);
                let place = named.and_then(|(end, way, _)| {
                    INTERFACES.iter().position(|known| *known == (end, way))
                });
                self.interfaces
                    .push(place.and_then(|place| u32::try_from(place).ok()));
            }
            Record::Custom(data) => {
                let Some(note) = Note::decode(data) else {
                    return;
                };
                if let Note::Half { wall_at_zero, .. } = note {
                    self.wall_at_zero = wall_at_zero;
                }
                self.put(Item::Note(note));
            }
            Record::PacketNote(data) => self.note = PacketNote::decode(data),
            Record::Frame(frame) => {
                let note = self.note.take();
                let place = usize::try_from(frame.interface).unwrap_or(usize::MAX);
                let Some(interface) = self.interfaces.get(place).copied().flatten() else {
                    return;
                };
                self.put(Item::Packet(HalfPacket {
                    at: frame.at - self.wall_at_zero,
                    interface,
                    length: frame.length,
                    kept: frame.octets.into(),
                    note,
                }));
            }
        }
    }

    fn put(&mut self, item: Item) {
        self.batch.push(item);
        if self.batch.len() >= BATCH {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        // Whoever stopped writing has its own error to tell.
        drop(self.out.send(std::mem::take(&mut self.batch)));
    }
}
