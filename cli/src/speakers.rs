//! What the parties of a run say, and what its recordings should therefore hold.

use crate::audio_file::{AudioFile, to_16_bits};
use crate::exit::Failure;
use crate::scenario::Plan;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use milliwatt_generator::voice::{Voice, Voices};
use milliwatt_receiver::recorder::{AudioFrame, CallRecording};
use milliwatt_scoring::recording::{
    Levels, Pauses, Reference, Rules, ScoredRecording, SilenceRule, score_against, score_recording,
};
use milliwatt_wire::id::{CallId, Party};
use milliwatt_wire::load::{
    Audio, Codec, Fill, LoadSpec, SAMPLES_PER_PACKET, TONE_A_HZ, TONE_B_HZ,
};
use std::path::Path;
use std::sync::Arc;

/// What is said is heard this much later at most, ms: playout buffers and paths of half a second.
const LATEST_MS: f64 = 500.0;
/// Of a recording that is weighed, s.
const SAMPLE_S: u32 = 30;
/// Active speech level that audio is brought to, dBov (ITU-T P.56): the nominal one.
const ACTIVE_DBOV: f64 = -26.0;

/// Both parties' audio, and the judge of what was recorded of it.
#[derive(Clone, Debug)]
pub struct Speakers {
    /// What they say.
    pub voices: Arc<Voices>,
    codec: Codec,
    rules: Rules,
    /// Of each channel of a recording; none where they never pause.
    pauses: Option<Vec<Arc<Pauses>>>,
}

impl Speakers {
    /// Makes the audio of a plan ready. A file is read, levelled and encoded here and at no other time.
    ///
    /// # Errors
    /// The plan's file cannot be used: which, and why.
    pub fn of(plan: &Plan) -> Result<Self, Failure> {
        let load = &plan.load;
        let voices = match (load.audio, &plan.audio) {
            (Audio::File, Some(file)) => of_file(file, load).map_err(|why| unusable(file, &why))?,
            (Audio::Speech, _) => Voices::speech(load.seed, load.codec),
            _ => Voices::tones(load.codec),
        };
        let rules = Rules {
            tones_hz: tones(load),
            ..Rules::default()
        };
        let pauses = (load.audio != Audio::Tone).then(|| pauses(&voices, load, &rules.silence));
        Ok(Self {
            voices: Arc::new(voices),
            codec: load.codec,
            rules,
            pauses,
        })
    }

    /// Scores the recording of a call: beside what was sent in it, where that has pauses.
    ///
    /// # Errors
    /// Why it cannot be scored.
    pub fn score(&self, call: CallId, wav: &[u8]) -> Result<ScoredRecording, String> {
        let scored = match &self.pauses {
            None => score_recording(wav, &self.rules),
            Some(pauses) => score_against(wav, &self.rules, |_| Reference {
                channels: pauses.clone(),
                first_s: self.first_s(call),
                delay_ms: 0.0..=LATEST_MS,
            }),
        };
        scored.map_err(|error| error.to_string())
    }

    /// What a recording weighs at least, bit/s of call time: its audio, compressed as it travels. Tones shrink to less than
    /// any scenario asks for, speech does not.
    #[must_use]
    pub fn recorded_bits_per_second(&self, load: &LoadSpec) -> u32 {
        let call = CallId(0);
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        let mut recording = CallRecording::new(load);
        let frames = (0..50 * SAMPLE_S).flat_map(|index| {
            let parties = load.parties().iter();
            parties.map(move |party| (index, *party))
        });
        let mut written = Ok(());
        for (index, party) in frames {
            let mut frame = AudioFrame {
                call,
                channel: party as u8,
                index,
                payload: [0; SAMPLES_PER_PACKET],
            };
            frame
                .payload
                .copy_from_slice(self.voices.packet(call, party, index));
            written = written.and_then(|()| recording.handle_frame(&frame, &mut packed));
        }
        let octets = written
            .and_then(|()| packed.finish())
            .map_or(0, |octets| octets.len());
        u32::try_from(octets).unwrap_or(u32::MAX).saturating_mul(8) / SAMPLE_S
    }

    /// The place in the audio at which a call begins, s.
    fn first_s(&self, call: CallId) -> f64 {
        let a_packet = u32::try_from(self.codec.samples_a_packet()).unwrap_or(0);
        let packet_s = f64::from(a_packet) / f64::from(self.codec.sample_rate());
        f64::from(self.voices.first(call)) * packet_s
    }
}

fn unusable(file: &Path, why: &str) -> Failure {
    Failure::usage(format!("media.audio: {}: {why}", file.display())).hint(
        "give a file of 1 s to 60 min of speech, by its path from here; or \"tone\", or \"speech\" (made up, with pauses)",
    )
}

/// A channel of a file each; of a file of one channel both say the same, half its length apart.
fn of_file(file: &Path, load: &LoadSpec) -> Result<Voices, String> {
    let audio = AudioFile::read(file)?.at_rate(load.codec.sample_rate())?;
    let mut levelled = audio
        .channels
        .iter()
        .map(|own| level(own, audio.sample_rate));
    let a = levelled.next().ok_or("it holds no audio")??;
    let b = match levelled.next() {
        Some(b) => b?,
        None => from_the_middle(&a, load.codec.samples_a_packet()),
    };
    let voices = [a, b].map(|samples| Voice::new(&samples, load.codec));
    Ok(Voices::of_voices(voices, load.seed))
}

/// At the nominal active speech level; peaks above full scale are cut.
fn level(samples: &[i16], sample_rate: u32) -> Result<Vec<i16>, String> {
    let active = Levels::of(samples, sample_rate).active_dbov;
    let active = active.ok_or("a channel of it is silent")?;
    #[expect(clippy::cast_possible_truncation, reason = "a gain of a few digits")]
    let gain = 10_f64.powf((ACTIVE_DBOV - active) / 20.0) as f32;
    let louder = |sample: &i16| to_16_bits(f32::from(*sample) * gain);
    Ok(samples.iter().map(louder).collect())
}

/// The same loop from its middle on, in whole packets.
fn from_the_middle(samples: &[i16], a_packet: usize) -> Vec<i16> {
    let whole = samples.len() / a_packet * a_packet;
    let middle = whole / a_packet / 2 * a_packet;
    [&samples[middle..whole], &samples[..middle]].concat()
}

/// The tones whose phase is followed: where a channel holds one alone, as it was sent, and gaps are filled with silence.
fn tones(load: &LoadSpec) -> Vec<u32> {
    let as_sent = load.codec != Codec::G722 && load.fill == Fill::Silence;
    match (load.audio, load.legs) {
        (Audio::Tone, 1) if as_sent => vec![TONE_A_HZ],
        (Audio::Tone, _) if as_sent && load.recording.stereo => vec![TONE_A_HZ, TONE_B_HZ],
        _ => Vec::new(),
    }
}

/// Where each channel of a recording may be quiet.
fn pauses(voices: &Voices, load: &LoadSpec, rule: &SilenceRule) -> Vec<Arc<Pauses>> {
    let idle = load.codec.decode(&[load.codec.idle_code()]);
    let idle = idle.first().map_or(0, |sample| sample.unsigned_abs());
    let of = |party: &Party| {
        let heard = voices.of(*party).heard();
        Pauses::find(&heard, (load.codec.sample_rate(), idle), rule, true)
    };
    let parties: Vec<Pauses> = load.parties().iter().map(of).collect();
    let channels = match parties.as_slice() {
        [a, b] if !load.recording.stereo => vec![a.of_both(b)],
        _ => parties,
    };
    channels.into_iter().map(Arc::new).collect()
}
