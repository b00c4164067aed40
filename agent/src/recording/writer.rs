//! The thread that writes calls to disk while they run. Packet threads only push into rings.

use super::frames::FrameReceiver;
use super::shelf::{Finished, Shelf, Trouble};
use milliwatt_receiver::recorder::{AudioFrame, CallRecording, RecorderInput, WAV_HEADER_OCTETS};
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::id::CallId;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::time::NS_PER_MS;
use milliwatt_wire::transfer::Item;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// How often the rings are emptied, ns: a ring must hold what is played in several of these.
const POLL_NS: i64 = 5 * NS_PER_MS;

/// The writer's thread. What goes wrong with a recording is told by [`Shelf::take_troubles`].
#[derive(Debug)]
pub struct RecordingWriter {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RecordingWriter {
    /// Starts writing what comes from `inputs` to files in `dir`, which is made if it is missing.
    /// All recordings on disk together take at most `max_disk` octets: a call that would need more
    /// loses its recording.
    pub fn start(
        dir: PathBuf,
        load: &LoadSpec,
        inputs: Vec<FrameReceiver>,
        shelf: Arc<Shelf>,
        max_disk: u64,
    ) -> io::Result<Self> {
        fs::create_dir_all(&dir)?;
        let stop = Arc::new(AtomicBool::new(false));
        let desk = Desk {
            dir,
            load: load.clone(),
            shelf,
            max_disk,
            calls: BTreeMap::new(),
        };
        let asked = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || run(desk, inputs, &asked))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Writes what the rings still hold, finishes calls that have not ended as they are, closes
    /// the shelf and waits for all that. The producers should have stopped before.
    pub fn finish(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for RecordingWriter {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.join();
        }
    }
}

fn run(mut desk: Desk, mut inputs: Vec<FrameReceiver>, stop: &AtomicBool) {
    loop {
        let next = mono_now() + POLL_NS;
        let last = stop.load(Ordering::Acquire); // read before the rings, so that none is left behind
        for input in &mut inputs {
            input.drain(|message| desk.handle(message));
        }
        if last {
            break;
        }
        sleep_until(next);
    }
    desk.close();
}

/// All calls being recorded.
struct Desk {
    dir: PathBuf,
    load: LoadSpec,
    shelf: Arc<Shelf>,
    max_disk: u64,
    /// None: this call's recording is lost, and that has been said.
    calls: BTreeMap<CallId, Option<Running>>,
}

struct Running {
    recording: CallRecording,
    file: PartFile,
}

impl Desk {
    fn handle(&mut self, input: &RecorderInput) {
        match input {
            RecorderInput::Frame(frame) => self.write(frame),
            RecorderInput::Ended { call, frames } => self.end(*call, *frames),
        }
    }

    fn write(&mut self, frame: &AudioFrame) {
        self.open(frame.call);
        let Some(Some(running)) = self.calls.get_mut(&frame.call) else {
            return;
        };
        if let Err(error) = running.recording.handle_frame(frame, &mut running.file) {
            let file = self
                .calls
                .insert(frame.call, None)
                .flatten()
                .map(|running| running.file);
            self.give_up(frame.call, file, &error);
        }
    }

    /// A call that ends without any frame is silent and recorded all the same.
    fn end(&mut self, call: CallId, frames: u32) {
        self.open(call);
        let Some(Running {
            recording,
            mut file,
        }) = self.calls.remove(&call).flatten()
        else {
            return;
        };
        self.report_too_late(call, recording.too_late());
        let finished = recording
            .finish(frames, &mut file)
            .and_then(|header| file.finish(&header));
        match finished {
            Ok((path, octets)) => self.shelf.put(Finished {
                item: Item::Recording(call),
                path,
                octets,
            }),
            Err(error) => self.give_up(call, Some(file), &error),
        }
    }

    fn report_too_late(&self, call: CallId, frames: u64) {
        if frames > 0 {
            let number = call.0;
            self.shelf.report(Trouble {
                item: Item::Recording(call),
                kind: "recording-gap",
                text: format!(
                    "recording of call {number} lacks {frames} frames that came to the writer over 40 ms late"
                ),
            });
        }
    }

    fn open(&mut self, call: CallId) {
        if self.calls.contains_key(&call) {
            return;
        }
        let running =
            match PartFile::create(&self.dir, call, Arc::clone(&self.shelf), self.max_disk) {
                Ok(file) => self.begin(call, file),
                Err(error) => {
                    self.give_up(call, None, &error);
                    None
                }
            };
        self.calls.insert(call, running);
    }

    /// Reserves the header's place.
    fn begin(&self, call: CallId, mut file: PartFile) -> Option<Running> {
        let recording = CallRecording::new(&self.load);
        match file.write_all(&recording.header()) {
            Ok(()) => Some(Running { recording, file }),
            Err(error) => {
                self.give_up(call, Some(file), &error);
                None
            }
        }
    }

    /// The recording is lost and its space free again.
    fn give_up(&self, call: CallId, file: Option<PartFile>, error: &io::Error) {
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        );
        let removed = file.map_or(Ok(()), PartFile::remove);
        let left = removed.err().map_or(String::new(), |error| {
            format!(" (its part file stays: {error})")
        });
        let (number, dir) = (call.0, self.dir.display());
        self.shelf.report(Trouble {
            item: Item::Recording(call),
            kind: if full { "disk-full" } else { "recording-lost" },
            text: format!("recording of call {number} is missing: {error}, in {dir}{left}"),
        });
    }

    /// Finishes what has not ended.
    fn close(mut self) {
        let open: Vec<(CallId, u32)> = self
            .calls
            .iter()
            .filter_map(|(call, running)| Some((*call, running.as_ref()?.recording.frames_seen())))
            .collect();
        for (call, frames) in open {
            self.end(call, frames);
        }
        self.shelf.close();
    }
}

/// `call-00012.wav.part`, whose space is claimed from the shelf before each write.
struct PartFile {
    file: File,
    part: PathBuf,
    whole: PathBuf,
    octets: u64,
    shelf: Arc<Shelf>,
    max_disk: u64,
}

impl PartFile {
    /// Opens a new file. Files of other runs are left alone: beside them a number is added.
    fn create(dir: &Path, call: CallId, shelf: Arc<Shelf>, max_disk: u64) -> io::Result<Self> {
        let mut copy = 0;
        loop {
            let beside = if copy == 0 {
                String::new()
            } else {
                format!("-{copy}")
            };
            let whole = dir.join(format!("call-{:05}{beside}.wav", call.0));
            let part = whole.with_extension("wav.part");
            copy += 1;
            if whole.exists() {
                continue;
            }
            match File::create_new(&part) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    return Ok(Self {
                        file,
                        part,
                        whole,
                        octets: 0,
                        shelf,
                        max_disk,
                    });
                }
            }
        }
    }

    /// Puts the final header in its place and gives the file its name: (path, octets).
    fn finish(&mut self, header: &[u8; WAV_HEADER_OCTETS]) -> io::Result<(PathBuf, u64)> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(header)?;
        fs::rename(&self.part, &self.whole)?;
        Ok((self.whole.clone(), self.octets))
    }

    fn remove(self) -> io::Result<()> {
        self.shelf.release(self.octets);
        fs::remove_file(&self.part)
    }
}

impl Write for PartFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let length = octets.len() as u64;
        if !self.shelf.claim(length, self.max_disk) {
            let text = format!(
                "the agent's limit of {} octets is reached (--max-disk)",
                self.max_disk
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        self.octets += length;
        self.file.write_all(octets)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::{FrameSender, frame_queue};
    use super::super::test_load;
    use super::*;
    use milliwatt_receiver::recorder::wav_header;
    use milliwatt_wire::load::Codec;

    struct Bench {
        folder: tempfile::TempDir,
        shelf: Arc<Shelf>,
        input: FrameSender,
        writer: RecordingWriter,
    }

    fn bench(folder: tempfile::TempDir, max_disk: u64) -> Bench {
        let (input, output) = frame_queue(10_000);
        let shelf = Arc::new(Shelf::default());
        let dir = folder.path().to_owned();
        let writer = RecordingWriter::start(
            dir,
            &test_load(),
            vec![output],
            Arc::clone(&shelf),
            max_disk,
        )
        .unwrap();
        Bench {
            folder,
            shelf,
            input,
            writer,
        }
    }

    fn speak(input: &mut FrameSender, call: u32, frames: u32) {
        for index in 0..frames {
            for channel in 0..2 {
                let payload = [channel + 1; 160];
                let call = CallId(call);
                let frame = AudioFrame {
                    call,
                    channel,
                    index,
                    payload,
                };
                assert!(input.push(RecorderInput::Frame(frame)));
            }
        }
    }

    fn end(input: &mut FrameSender, call: u32, frames: u32) {
        let call = CallId(call);
        assert!(input.push(RecorderInput::Ended { call, frames }));
        input.flush();
    }

    fn wav(frames: u32) -> Vec<u8> {
        let data = [1, 2].repeat(frames as usize * 160);
        [wav_header(Codec::Pcmu, 2, frames * 160).as_slice(), &data].concat()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn every_call_gets_its_file_and_those_of_other_runs_stay() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("call-00012.wav"), "another run's").unwrap();
        fs::write(folder.path().join("call-00013.wav.part"), "another run's").unwrap();
        let mut bench = bench(folder, u64::MAX);
        for (call, frames) in [(12, 120), (13, 10), (14, 60)] {
            speak(&mut bench.input, call, frames);
        }
        end(&mut bench.input, 12, 120);
        end(&mut bench.input, 13, 10); // call 14 never ends
        bench.writer.finish();
        for (call, frames) in [(12, 120), (13, 10), (14, 60)] {
            let finished = bench.shelf.take().await.unwrap();
            assert_eq!(finished.item, Item::Recording(CallId(call)));
            assert_eq!(
                fs::read(&finished.path).unwrap(),
                wav(frames),
                "{}",
                finished.path.display()
            );
            assert_eq!(finished.octets, wav(frames).len() as u64);
        }
        let left = [
            "call-00012-1.wav",
            "call-00012.wav",
            "call-00013-1.wav",
            "call-00013.wav.part",
            "call-00014.wav",
        ];
        assert_eq!(names(bench.folder.path()), left);
        assert_eq!(
            fs::read(bench.folder.path().join("call-00012.wav")).unwrap(),
            b"another run's"
        );
        assert_eq!(bench.shelf.take_troubles(), []);
    }

    #[test]
    fn frames_too_late_to_be_written_are_reported() {
        let mut bench = bench(tempfile::tempdir().unwrap(), u64::MAX);
        speak(&mut bench.input, 3, 150); // the first frames are on disk by then
        speak(&mut bench.input, 3, 1);
        end(&mut bench.input, 3, 150);
        bench.writer.finish();
        let troubles = bench.shelf.take_troubles();
        assert_eq!(troubles.len(), 1);
        assert_eq!(troubles[0].kind, "recording-gap");
        assert!(troubles[0].text.contains("call 3 lacks 2 frames"));
    }

    #[tokio::test]
    async fn a_full_disk_costs_the_recording_that_did_not_fit_and_says_so() {
        // Room for 2 s and two headers: call 1 fits whole, call 2's header too, its audio does not.
        let mut bench = bench(tempfile::tempdir().unwrap(), 32_000 + 2 * 58);
        speak(&mut bench.input, 1, 100);
        end(&mut bench.input, 1, 100);
        speak(&mut bench.input, 2, 100);
        end(&mut bench.input, 2, 100);
        bench.writer.finish();
        assert_eq!(
            bench.shelf.take().await.map(|r| r.item),
            Some(Item::Recording(CallId(1)))
        );
        assert_eq!(names(bench.folder.path()), ["call-00001.wav"]);
        let troubles = bench.shelf.take_troubles();
        let [trouble] = troubles.as_slice() else {
            panic!("{troubles:?}")
        };
        assert_eq!(
            (trouble.item, trouble.kind),
            (Item::Recording(CallId(2)), "disk-full")
        );
        assert!(
            trouble
                .text
                .starts_with("recording of call 2 is missing: the agent's limit of 32116 octets")
        );
        assert_eq!(bench.shelf.held(), 32_058);
        assert_eq!(bench.shelf.pending(), 1);
    }
}
