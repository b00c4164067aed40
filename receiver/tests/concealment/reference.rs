//! The structure of ITU-T G.711 Appendix I, clause for clause and in floating point: frames of 10 ms, a history of
//! samples, a pitch buffer of its own. It shares nothing with what it is a reference for but the code words.

use crate::{decode, encode};
use milliwatt_wire::load::Codec;

const FRAME: usize = 80;
const PITCH_MIN: usize = 40;
const PITCH_MAX: usize = 120;
const OVERLAP_MAX: usize = PITCH_MAX / 4;
const HISTORY: usize = 3 * PITCH_MAX + OVERLAP_MAX;
const COMPARED: usize = 160;
const CORRELATION_POWER_MIN: f64 = 250.0;
const END_OVERLAP_A_FRAME: usize = 32;

/// What the history holds of what was made up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kept {
    /// The standard's 16-bit samples.
    Samples,
    /// What a listener heard: the same through a code word.
    CodeWords,
}

pub(crate) struct Reference {
    codec: Codec,
    kept: Kept,
    history: Vec<f64>,
    pitch_buffer: Vec<f64>,
    last_quarter: Vec<f64>,
    erased: usize,
    pitch: usize,
    overlap: usize,
    offset: usize,
    length: usize,
}

impl Reference {
    pub(crate) fn new(codec: Codec, kept: Kept) -> Self {
        let idle = f64::from(decode(codec, codec.idle_code()));
        Self {
            codec,
            kept,
            history: vec![idle; HISTORY],
            pitch_buffer: Vec::new(),
            last_quarter: Vec::new(),
            erased: 0,
            pitch: 0,
            overlap: 0,
            offset: 0,
            length: 0,
        }
    }

    /// A packet of 20 ms, or none; gives code words, 30 samples late.
    pub(crate) fn packet(&mut self, codes: Option<&[u8]>) -> Vec<u8> {
        (0..2)
            .flat_map(|half| match codes {
                Some(codes) => self.good(&codes[half * FRAME..][..FRAME]),
                None => self.erasure(),
            })
            .collect()
    }

    fn good(&mut self, codes: &[u8]) -> Vec<u8> {
        let mut frame: Vec<f64> = codes
            .iter()
            .map(|c| decode(self.codec, *c).into())
            .collect();
        if self.erased > 0 {
            let overlap = (self.overlap + (self.erased - 1) * END_OVERLAP_A_FRAME).min(FRAME);
            let continued = self.speech(overlap);
            // In fifths, so that nothing but the last division rounds.
            let fifths = (6.0 - number(self.erased)).max(0.0);
            for (i, continued) in continued.iter().enumerate() {
                let (left, right) = (number(overlap - 1 - i), number(i + 1));
                let sum = continued * fifths * left + 5.0 * frame[i] * right;
                frame[i] = (sum / (5.0 * number(overlap))).trunc();
            }
            self.erased = 0;
        }
        self.save(frame)
    }

    fn erasure(&mut self) -> Vec<u8> {
        let frame = match self.erased {
            0 => {
                self.pitch_buffer.clone_from(&self.history);
                self.pitch = self.find_pitch();
                self.overlap = self.pitch / 4;
                let quarter = HISTORY - self.overlap;
                self.last_quarter = self.pitch_buffer[quarter..].to_vec();
                (self.offset, self.length) = (0, self.pitch);
                self.join_periods();
                for at in quarter..HISTORY {
                    self.history[at] = self.keep(self.pitch_buffer[at]);
                }
                self.speech(FRAME)
            }
            1 | 2 => {
                let saved = self.offset;
                let tail = self.speech(self.overlap);
                self.offset = saved;
                while self.offset > self.pitch {
                    self.offset -= self.pitch;
                }
                self.length += self.pitch;
                self.join_periods();
                let mut frame = self.speech(FRAME);
                let joined = overlap_add(&tail, &frame[..self.overlap]);
                frame[..self.overlap].copy_from_slice(&joined);
                self.scaled(&frame)
            }
            3..=5 => {
                let frame = self.speech(FRAME);
                self.scaled(&frame)
            }
            _ => vec![0.0; FRAME],
        };
        self.erased += 1;
        self.save(frame)
    }

    fn join_periods(&mut self) {
        let before = HISTORY - self.length - self.overlap;
        let before = &self.pitch_buffer[before..before + self.overlap];
        let joined = overlap_add(&self.last_quarter, before);
        self.pitch_buffer[HISTORY - self.overlap..].copy_from_slice(&joined);
    }

    fn speech(&mut self, count: usize) -> Vec<f64> {
        let repeated = &self.pitch_buffer[HISTORY - self.length..];
        let speech = (0..count).map(|n| repeated[(self.offset + n) % self.length]);
        let speech = speech.collect();
        self.offset = (self.offset + count) % self.length;
        speech
    }

    /// By 0.2 in each 10 ms, from full size at 10 ms on.
    fn scaled(&self, frame: &[f64]) -> Vec<f64> {
        let from = 5.0 * number(FRAME) - number((self.erased - 1) * FRAME);
        let scaled = frame.iter().enumerate();
        scaled
            .map(|(i, sample)| (sample * (from - number(i)) / (5.0 * number(FRAME))).trunc())
            .collect()
    }

    fn save(&mut self, frame: Vec<f64>) -> Vec<u8> {
        let frame: Vec<f64> = frame.into_iter().map(|sample| self.keep(sample)).collect();
        self.history.drain(..FRAME);
        self.history.extend(frame);
        let out = &self.history[HISTORY - FRAME - OVERLAP_MAX..HISTORY - OVERLAP_MAX];
        out.iter().map(|sample| self.code(*sample)).collect()
    }

    fn keep(&self, sample: f64) -> f64 {
        match self.kept {
            Kept::Samples => sample,
            Kept::CodeWords => decode(self.codec, self.code(sample)).into(),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole numbers of 16 bits")]
    fn code(&self, sample: f64) -> u8 {
        encode(self.codec, sample as i16)
    }

    fn find_pitch(&self) -> usize {
        let mut coarse = (f64::MIN, 0);
        for shift in (0..=PITCH_MAX - PITCH_MIN).step_by(2) {
            let found = self.correlation(shift, 2);
            if found >= coarse.0 {
                coarse = (found, shift);
            }
        }
        let mut fine = (f64::MIN, 0);
        for shift in coarse.1.saturating_sub(1)..=(coarse.1 + 1).min(PITCH_MAX - PITCH_MIN) {
            let found = self.correlation(shift, 1);
            if found > fine.0 {
                fine = (found, shift);
            }
        }
        PITCH_MAX - fine.1
    }

    fn correlation(&self, shift: usize, step: usize) -> f64 {
        let last = HISTORY - COMPARED;
        let before = last - PITCH_MAX + shift;
        let (mut product, mut energy) = (0.0, 0.0);
        for i in (0..COMPARED).step_by(step) {
            product += self.pitch_buffer[last + i] * self.pitch_buffer[before + i];
            energy += self.pitch_buffer[before + i] * self.pitch_buffer[before + i];
        }
        product / f64::max(energy, CORRELATION_POWER_MIN).sqrt()
    }
}

fn overlap_add(left: &[f64], right: &[f64]) -> Vec<f64> {
    let count = number(left.len());
    let pairs = left.iter().zip(right).enumerate();
    pairs
        .map(|(i, (l, r))| ((l * (count - number(i + 1)) + r * number(i + 1)) / count).trunc())
        .collect()
}

fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap().into()
}
