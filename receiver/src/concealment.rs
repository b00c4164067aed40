//! Packet loss concealment of ITU-T G.711 Appendix I (the same as ANSI T1.521a): what is played in place of a packet
//! that is not there.
//!
//! The last pitch period before an erasure is repeated; two are from 10 ms on, three from 20 ms on, so that it does
//! not buzz. From 10 ms on it fades by 20 % of its size each 10 ms, and is silence from 60 ms on. Overlap-add makes
//! every seam smooth. The one at the beginning of an erasure reaches back a quarter of a period, and so all that is
//! played is 3.75 ms late.
//!
//! The standard's frames are of 10 ms: a packet is two. Its history is of 16-bit samples; ours of code words, as
//! played. That is the same where nothing was concealed in the 48.75 ms before an erasure, and otherwise differs by
//! the rounding of code words.

mod pitch;
mod pitch_buffer;

use milliwatt_wire::g711;
use milliwatt_wire::load::{Codec, SAMPLES_PER_PACKET};
use pitch_buffer::{PitchBuffer, attenuate, overlap_add, overlap_add_at_end};

/// Longest pitch period that is looked for, samples: 15 ms, which is 66 Hz.
const PERIOD_MAX: usize = 120;
/// Overlap-add at the beginning of an erasure: a quarter of the longest period. All output is later by this.
const QUARTER_MAX: usize = PERIOD_MAX / 4;
/// History: three of the longest periods and a quarter, 48.75 ms.
const HISTORY: usize = 3 * PERIOD_MAX + QUARTER_MAX;
/// Frames of the standard, samples: 10 ms.
const FRAME: usize = 80;
/// What is left of the history when a packet is added.
const RECENT: usize = HISTORY - SAMPLES_PER_PACKET;
/// Frames from whose number on an erasure is silence: 60 ms.
const SILENT_FROM: u8 = 6;

/// Packets of an erasure after which what is left of the history is silence too.
const PACKETS_COUNTED: u8 = 5;

/// Samples by which a [`Concealer`] delays what it plays: 3.75 ms.
pub const DELAY_SAMPLES: usize = QUARTER_MAX;

/// One stream's concealment: takes the packet whose turn it is, or none, and gives what is to be played.
#[derive(Clone, Debug)]
pub struct Concealer {
    law: Law,
    /// What was played and is about to be, up to where the erasure under way began.
    history: [u8; HISTORY],
    /// What is about to be played.
    held: [u8; DELAY_SAMPLES],
    erasure: Option<Erasure>,
}

/// Code words of a companding law, and their values.
#[derive(Clone, Copy, Debug)]
enum Law {
    Mu,
    A,
}

/// How far an erasure has come.
#[derive(Clone, Copy, Debug)]
struct Erasure {
    /// Packets so far; at [`PACKETS_COUNTED`] it is not counted on.
    packets: u8,
    /// Frames of 10 ms so far; at [`SILENT_FROM`] it is not counted on.
    frames: u8,
    /// Pitch period before it, samples.
    period: usize,
    /// Where the pitch buffer is read next.
    offset: usize,
}

impl Concealer {
    /// A fresh one for a codec; none for one of which the appendix does not speak.
    #[must_use]
    pub fn of(codec: Codec) -> Option<Self> {
        match codec {
            Codec::Pcmu => Some(Self::fresh(Law::Mu)),
            Codec::Pcma => Some(Self::fresh(Law::A)),
            Codec::G722 => None,
        }
    }

    /// One that has played nothing but silence.
    fn fresh(law: Law) -> Self {
        let idle = law.encode(0);
        Self {
            law,
            history: [idle; HISTORY],
            held: [idle; DELAY_SAMPLES],
            erasure: None,
        }
    }

    /// Plays the next packet, or conceals that it is not there. What comes out is [`DELAY_SAMPLES`] late. The code
    /// words of a packet that was there are not touched, but for those at the end of an erasure and, when the next
    /// packet is not there, its last ones.
    #[must_use]
    pub fn play(&mut self, packet: Option<&[u8; SAMPLES_PER_PACKET]>) -> [u8; SAMPLES_PER_PACKET] {
        match (packet, self.erasure) {
            (Some(packet), None) => self.pass(packet),
            (Some(packet), Some(erasure)) => self.end_erasure(erasure, packet),
            (None, _) => self.conceal(),
        }
    }

    /// Plays what is left of a stream that is over, and then silence. The next stream finds a fresh concealer.
    #[must_use]
    pub fn rest(&mut self) -> [u8; SAMPLES_PER_PACKET] {
        let played = self.delay(&[self.law.encode(0); SAMPLES_PER_PACKET]);
        self.reset();
        played
    }

    /// Forgets the stream.
    pub fn reset(&mut self) {
        *self = Self::fresh(self.law);
    }

    fn pass(&mut self, packet: &[u8; SAMPLES_PER_PACKET]) -> [u8; SAMPLES_PER_PACKET] {
        self.history.copy_within(SAMPLES_PER_PACKET.., 0);
        self.history[RECENT..].copy_from_slice(packet);
        self.delay(packet)
    }

    fn conceal(&mut self) -> [u8; SAMPLES_PER_PACKET] {
        let mut erasure = match self.erasure {
            Some(erasure) => erasure,
            None => self.begin_erasure(),
        };
        let packet = self.next_packet(&mut erasure);
        self.erasure = Some(erasure);
        self.delay(&packet)
    }

    /// Finds the pitch, and leads what is about to be played over to what follows.
    fn begin_erasure(&mut self) -> Erasure {
        let history = self.law.decode_all(&self.history);
        let period = pitch::period(&history);
        let quarter = PitchBuffer::new(&history, period, 1);
        self.law
            .encode_to_end(quarter.last_quarter(), &mut self.held);
        Erasure::new(period)
    }

    /// The next 20 ms of an erasure.
    fn next_packet(&self, erasure: &mut Erasure) -> [u8; SAMPLES_PER_PACKET] {
        let mut packet = [self.law.encode(0); SAMPLES_PER_PACKET];
        if erasure.frames < SILENT_FROM {
            let mut buffer = self.pitch_buffer(*erasure);
            for frame in packet.chunks_exact_mut(FRAME) {
                let made_up = erasure.next_frame(&mut buffer);
                self.law.encode_to_end(&made_up, frame);
            }
        }
        erasure.packets = PACKETS_COUNTED.min(erasure.packets + 1);
        packet
    }

    /// Leads over to the first packet after an erasure: the longer it was, the longer that takes, to 10 ms.
    fn end_erasure(
        &mut self,
        mut erasure: Erasure,
        packet: &[u8; SAMPLES_PER_PACKET],
    ) -> [u8; SAMPLES_PER_PACKET] {
        let recent = self.made_up(erasure);
        let mut packet = *packet;
        let (mut continued, mut good) = ([0; FRAME], [0; FRAME]);
        let overlap = erasure.overlap_at_end();
        let (continued, good) = (&mut continued[..overlap], &mut good[..overlap]);
        let buffer = self.pitch_buffer(erasure);
        buffer.read(&mut erasure.offset, continued);
        for (value, code) in good.iter_mut().zip(&packet) {
            *value = self.law.decode(*code);
        }
        overlap_add_at_end(continued, good, erasure.frames);
        self.law.encode_to_end(good, &mut packet[..overlap]);
        self.history[..RECENT].copy_from_slice(&recent);
        self.history[RECENT..].copy_from_slice(&packet);
        self.erasure = None;
        self.delay(&packet)
    }

    /// The history's last part, an erasure in it. What was played then is made up again: it is wanted at an erasure's end
    /// only, and each stream would have to hold it.
    fn made_up(&self, erasure: Erasure) -> [u8; RECENT] {
        let mut recent = [0; RECENT];
        recent.copy_from_slice(&self.history[SAMPLES_PER_PACKET..]);
        let mut again = Erasure::new(erasure.period);
        let quarter = self.pitch_buffer(again);
        self.law.encode_to_end(quarter.last_quarter(), &mut recent);
        for _ in 0..erasure.packets {
            let packet = self.next_packet(&mut again);
            recent.copy_within(SAMPLES_PER_PACKET.., 0);
            recent[RECENT - SAMPLES_PER_PACKET..].copy_from_slice(&packet);
        }
        recent
    }

    fn pitch_buffer(&self, erasure: Erasure) -> PitchBuffer {
        let history = self.law.decode_all(&self.history);
        PitchBuffer::new(&history, erasure.period, erasure.periods())
    }

    /// Gives what is held and the packet, but for its end, which is held in turn.
    fn delay(&mut self, packet: &[u8; SAMPLES_PER_PACKET]) -> [u8; SAMPLES_PER_PACKET] {
        let (now, later) = packet.split_at(SAMPLES_PER_PACKET - DELAY_SAMPLES);
        let mut played = [0; SAMPLES_PER_PACKET];
        played[..DELAY_SAMPLES].copy_from_slice(&self.held);
        played[DELAY_SAMPLES..].copy_from_slice(now);
        self.held.copy_from_slice(later);
        played
    }
}

impl Erasure {
    fn new(period: usize) -> Self {
        Self {
            packets: 0,
            frames: 0,
            period,
            offset: 0,
        }
    }

    /// Pitch periods that are repeated.
    fn periods(self) -> usize {
        self.frames.clamp(1, 3).into()
    }

    /// The next 10 ms.
    fn next_frame(&mut self, buffer: &mut PitchBuffer) -> [i16; FRAME] {
        let mut frame = [0; FRAME];
        match self.frames {
            0 | 3..SILENT_FROM => buffer.read(&mut self.offset, &mut frame),
            1 | 2 => self.add_period(buffer, &mut frame),
            _ => return frame,
        }
        attenuate(&mut frame, self.frames);
        self.frames += 1;
        frame
    }

    /// One period more, at the same phase; what was repeated so far leads over to it.
    fn add_period(&mut self, buffer: &mut PitchBuffer, frame: &mut [i16; FRAME]) {
        let mut continued = [0; QUARTER_MAX];
        let continued = &mut continued[..self.period / 4];
        buffer.read(&mut self.offset.clone(), continued);
        buffer.repeat(usize::from(self.frames) + 1);
        while self.offset > self.period {
            self.offset -= self.period;
        }
        buffer.read(&mut self.offset, frame);
        overlap_add(continued, frame);
    }

    /// Samples of the first packet after it that overlap: a quarter of a period, and 4 ms more for each 10 ms after
    /// the first, to 10 ms in all.
    fn overlap_at_end(self) -> usize {
        let more = 32 * usize::from(self.frames.saturating_sub(1));
        (self.period / 4 + more).min(FRAME)
    }
}

impl Law {
    fn decode(self, code: u8) -> i16 {
        match self {
            Self::Mu => g711::decode_mu_law(code),
            Self::A => g711::decode_a_law(code),
        }
    }

    fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Mu => g711::encode_mu_law(sample),
            Self::A => g711::encode_a_law(sample),
        }
    }

    fn decode_all(self, codes: &[u8; HISTORY]) -> [i16; HISTORY] {
        codes.map(|code| self.decode(code))
    }

    /// Encodes samples to the end of `codes`.
    fn encode_to_end(self, samples: &[i16], codes: &mut [u8]) {
        let from = codes.len() - samples.len();
        for (code, sample) in codes[from..].iter_mut().zip(samples) {
            *code = self.encode(*sample);
        }
    }
}
