//! Recordings at the tester: inflated, checked, scored, kept or not, and told as facts. Parts of the
//! guest's capture come the same way and are kept as they are.

use crate::args::KeepRecordings;
use crate::output;
use crate::speakers::Speakers;
use flate2::read::DeflateDecoder;
use milliwatt_scoring::recording::{Event, EventKind, ScoredRecording};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::facts::{Fact, RecordingEventFact, RecordingFact, SilenceFact};
use milliwatt_wire::id::CallId;
use milliwatt_wire::time::RunClock;
use milliwatt_wire::transfer::{Item, Offer, Refusal};
use ring::digest::{SHA256, digest};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, mem};

/// Recordings without events that are kept all the same, to be listened to.
const SAMPLES: u32 = 20;

/// Events of other kinds than silence that are told of one recording.
const LISTED: usize = 20;

/// What scoring found in one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// Length of the audio, ms.
    pub audio_ms: u32,
    /// Silence events.
    pub silences: Vec<SilenceFact>,
    /// Events of other kinds, the first 20.
    pub events: Vec<RecordingEventFact>,
    /// Those past them, by kind.
    pub unlisted: Vec<(String, u64)>,
}

impl Scored {
    /// Whether somebody may want to hear it. Short dropouts are what single lost packets leave: too many to keep.
    fn is_telling(&self) -> bool {
        let quiet = [EventKind::Dropout, EventKind::Clipping].map(EventKind::name);
        let telling = |event: &RecordingEventFact| !quiet.contains(&event.kind.as_str());
        !self.silences.is_empty() || self.events.iter().any(telling)
    }
}

/// Scores the octets of a call's WAV file; an error says why it cannot be scored.
pub type Scorer = Box<dyn Fn(CallId, &[u8]) -> Result<Scored, String> + Send + Sync>;

/// Judges the recording of a call.
pub(super) fn score(speakers: &Speakers, call: CallId, wav: &[u8]) -> Result<Scored, String> {
    let found = speakers.score(call, wav)?;
    let (silences, others): (Vec<&Event>, Vec<&Event>) = found
        .events
        .iter()
        .partition(|event| event.kind == EventKind::Silence);
    let events: Vec<RecordingEventFact> = others.into_iter().take(LISTED).map(tell).collect();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length of hours at most; the cast saturates"
    )]
    let audio_ms = (found.seconds * 1000.0).round() as u32;
    Ok(Scored {
        audio_ms,
        silences: silences
            .into_iter()
            .map(|event| SilenceFact {
                channel: event.channel,
                start_ms: event.start_ms,
                length_ms: event.length_ms,
            })
            .collect(),
        unlisted: unlisted(&found, &events),
        events,
    })
}

fn tell(event: &Event) -> RecordingEventFact {
    RecordingEventFact {
        kind: event.kind.name().to_owned(),
        channel: event.channel,
        start_ms: event.start_ms,
        length_ms: event.length_ms,
        missing_samples: event.missing_samples,
    }
}

/// How many events of each kind but silence are not in the list.
fn unlisted(found: &ScoredRecording, listed: &[RecordingEventFact]) -> Vec<(String, u64)> {
    let kinds = EventKind::ALL
        .into_iter()
        .filter(|kind| *kind != EventKind::Silence);
    let more = kinds.map(|kind| {
        let listed = listed
            .iter()
            .filter(|event| event.kind == kind.name())
            .count() as u64;
        (
            kind.name().to_owned(),
            found.counts.of(kind).saturating_sub(listed),
        )
    });
    more.filter(|(_, more)| *more > 0).collect()
}

/// Where facts go.
pub type Teller = Box<dyn Fn(Fact) + Send + Sync>;

/// Takes the recordings of a run from all transfer connections.
pub struct RecordingSink {
    folder: PathBuf,
    keep: KeepRecordings,
    clock: RunClock,
    score: Scorer,
    tell: Teller,
    /// Where parts of the guest's capture go, when there is one.
    capture: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of calls whose recording is not confirmed.
    attempts: BTreeMap<CallId, u32>,
    confirmed: BTreeSet<CallId>,
    samples: u32,
    /// Parts of the guest's capture that are here.
    parts: BTreeSet<u32>,
    /// The disk's state has been told since the last recording that could be kept.
    full: bool,
}

impl RecordingSink {
    /// A sink that keeps files in `folder`, the run directory's `recordings/`.
    #[must_use]
    pub fn new(
        folder: PathBuf,
        keep: KeepRecordings,
        clock: RunClock,
        score: Scorer,
        tell: Teller,
    ) -> Self {
        Self {
            folder,
            keep,
            clock,
            score,
            tell,
            capture: None,
            state: Mutex::default(),
        }
    }

    /// The same, for a run that is captured: the guest's parts of the capture go to `folder`.
    #[must_use]
    pub fn with_capture(self, folder: PathBuf) -> Self {
        Self {
            capture: Some(folder),
            ..self
        }
    }

    /// Recordings confirmed so far.
    #[must_use]
    pub fn received(&self) -> usize {
        self.state().confirmed.len()
    }

    /// Parts of the guest's capture confirmed so far.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.state().parts.len()
    }

    /// A transfer of this file began.
    pub fn count_attempt(&self, item: Item) {
        let mut state = self.state();
        if let Item::Recording(call) = item
            && !state.confirmed.contains(&call)
        {
            *state.attempts.entry(call).or_default() += 1;
        }
    }

    /// Takes one file whose octets have all come. `Ok` is the promise that it is safe here.
    pub fn accept(&self, offer: &Offer, compressed: &[u8]) -> Result<(), Refusal> {
        match offer.item {
            Item::Recording(call) => self.accept_recording(call, offer, compressed),
            Item::Capture(part) => self.accept_part(part, offer, compressed),
            // Those are read and thrown away where they come in.
            Item::MadeUp(_) => Err(Refusal::NotKept(
                "a made-up file is nothing to keep".to_owned(),
            )),
        }
    }

    fn accept_part(&self, part: u32, offer: &Offer, compressed: &[u8]) -> Result<(), Refusal> {
        let not_asked = || Refusal::NotKept("no capture was asked for".to_owned());
        let folder = self.capture.as_ref().ok_or_else(not_asked)?;
        let octets = unpack(offer, compressed)?;
        let written = fs::create_dir_all(folder)
            .and_then(|()| write_whole(folder, &part_name(part), &octets));
        let mut state = self.state();
        if let Err(error) = written {
            return Err(self.refuse(state, &error));
        }
        state.full = false;
        state.parts.insert(part);
        Ok(())
    }

    /// Judges one recording whose octets have all come. `Ok` is the promise that it is safe here:
    /// scored, told as a fact, and on disk when it is to be kept. A further copy of a recording
    /// that is safe already changes nothing. Takes a core for some ms: not for an async thread.
    fn accept_recording(
        &self,
        call: CallId,
        offer: &Offer,
        compressed: &[u8],
    ) -> Result<(), Refusal> {
        if self.state().confirmed.contains(&call) {
            return Ok(());
        }
        let wav = unpack(offer, compressed)?;
        let scored = (self.score)(call, &wav);
        let mut state = self.state(); // held from here on: another copy may come at the same time
        if state.confirmed.contains(&call) {
            return Ok(());
        }
        if let Err(error) = self.keep(&mut state, call, &wav, &scored) {
            return Err(self.refuse(state, &error));
        }
        state.confirmed.insert(call);
        let attempts = state.attempts.remove(&call).unwrap_or(1);
        drop(state);
        let (recording, others) = self.facts((call, offer), attempts, scored);
        (self.tell)(recording);
        if let Some(others) = others {
            (self.tell)(others);
        }
        Ok(())
    }

    /// The recording, and what else was found in it.
    fn facts(
        &self,
        (call, offer): (CallId, &Offer),
        attempts: u32,
        scored: Result<Scored, String>,
    ) -> (Fact, Option<Fact>) {
        let (scored, error) = match scored {
            Ok(scored) => (scored, None),
            Err(error) => (Scored::default(), Some(error)),
        };
        let Scored {
            audio_ms,
            silences,
            events,
            unlisted,
        } = scored;
        let recording = RecordingFact {
            call,
            file: file_name(call),
            received_at: self.clock.run(mono_now()),
            wire_octets: offer.wire_octets(),
            weight_octets: offer.weight_octets,
            attempts,
            audio_ms,
            silences,
            error,
        };
        let others = (!events.is_empty()).then_some(Fact::RecordingEvents {
            call,
            events,
            unlisted,
        });
        (Fact::Recording(Box::new(recording)), others)
    }

    /// Writes the file if it is to be kept: one with events or that could not be scored is, unless
    /// none are.
    fn keep(
        &self,
        state: &mut State,
        call: CallId,
        wav: &[u8],
        scored: &Result<Scored, String>,
    ) -> io::Result<()> {
        let telling = scored.as_ref().map_or(true, Scored::is_telling);
        let sample = !telling && self.keep == KeepRecordings::Events && state.samples < SAMPLES;
        let wanted = match self.keep {
            KeepRecordings::All => true,
            KeepRecordings::Events => telling || sample,
            KeepRecordings::None => false,
        };
        if wanted {
            write_whole(&self.folder, &file_name(call), wav)?;
            state.full = false;
        }
        state.samples += u32::from(sample);
        Ok(())
    }

    /// Says once that the disk is full, and refuses each recording until it is not.
    fn refuse(&self, mut state: MutexGuard<'_, State>, error: &io::Error) -> Refusal {
        let told = mem::replace(&mut state.full, true);
        drop(state);
        let text = format!("{}: {error}", self.folder.display());
        if !told {
            output::complain(&format!(
                "cannot keep recordings, they wait at the guest: {text}; make room"
            ));
            (self.tell)(Fact::Event {
                at: self.clock.run(mono_now()),
                kind: "disk-full".to_owned(),
                text: format!(
                    "the tester cannot keep recordings, they wait at the guest: {text}; make room there"
                ),
            });
        }
        Refusal::NotKept(text)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a call's recording.
#[must_use]
pub fn file_name(call: CallId) -> String {
    format!("call-{:05}.wav", call.0)
}

/// The name of a part of the guest's capture: their order is that of their names.
#[must_use]
pub fn part_name(part: u32) -> String {
    format!("guest-{part:05}.pcapng")
}

/// Inflates to exactly the announced length and checks the digest.
fn unpack(offer: &Offer, compressed: &[u8]) -> Result<Vec<u8>, Refusal> {
    let damaged = |why: String| Refusal::Damaged(why);
    let mut file = Vec::new();
    let mut bounded = DeflateDecoder::new(compressed).take(offer.file_octets + 1);
    bounded
        .read_to_end(&mut file)
        .map_err(|error| damaged(format!("it does not inflate: {error}")))?;
    if file.len() as u64 != offer.file_octets {
        return Err(damaged(format!(
            "expected {} octets of file, got {} or more",
            offer.file_octets,
            file.len()
        )));
    }
    if digest(&SHA256, &file).as_ref() != offer.sha256 {
        return Err(damaged("its SHA-256 is not the announced one".to_owned()));
    }
    Ok(file)
}

/// Writes a file under another name first, so that no half of one is ever taken for it.
fn write_whole(folder: &Path, name: &str, octets: &[u8]) -> io::Result<()> {
    let part = folder.join(format!("{name}.part"));
    let written = fs::write(&part, octets).and_then(|()| fs::rename(&part, folder.join(name)));
    if written.is_err() {
        drop(fs::remove_file(&part)); // makes room; that the disk is full is the error to tell
    }
    written
}

#[cfg(test)]
mod tests;
