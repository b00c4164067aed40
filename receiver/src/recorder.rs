//! A call's recording, from playout frames to the octets of a WAV file.
//!
//! Frames carry their tick, so that each sample has its exact place whatever came late or never:
//! what is missing is the codec's idle code, never a splice. G.711 is written as it came, G.722 decoded.
//! Sans-IO: the caller owns the file.

use milliwatt_wire::id::CallId;
use milliwatt_wire::load::{Codec, LoadSpec, SAMPLES_PER_PACKET};
use milliwatt_wire::{g711, g722};
use std::io::{self, Write};

/// Frames written at a time: 1280 octets of a stereo file of G.711.
const CHUNK_FRAMES: u32 = 4;
/// Frames of a party that are held: a chunk, and two ticks that the other party may be behind.
const WINDOW_FRAMES: u32 = CHUNK_FRAMES + 2;
/// Octets that a frame of all parties has in a file at most: two channels of 16 bits at 16 kHz.
const FRAME_OCTETS: usize = 2 * 2 * 2 * SAMPLES_PER_PACKET;
/// Octets of [`wav_header`].
pub const WAV_HEADER_OCTETS: usize = 58;
/// Octets of the header that a RIFF length counts: all after the length itself.
const RIFF_OCTETS: u32 = 50;

/// One packet time of one party's audio as playout delivered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioFrame {
    /// The call.
    pub call: CallId,
    /// Channel of the recording: party A is 0, B is 1.
    pub channel: u8,
    /// Playout tick, counted from the call's start.
    pub index: u32,
    /// G.711 code words of the call's codec.
    pub payload: [u8; SAMPLES_PER_PACKET],
}

/// What the media engine tells the recorder. `Copy`, so that it travels in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecorderInput {
    /// A frame was played.
    Frame(AudioFrame),
    /// The call ended: its recording is so many frames long, whatever came of them. The call's
    /// last input.
    Ended {
        /// The call.
        call: CallId,
        /// Playout ticks from the call's start to its end.
        frames: u32,
    },
}

/// Puts one call's frames in order, in six ticks of memory whatever the call's length: an engine plays both
/// parties of a call tick by tick, so their frames come almost in order.
///
/// The file is [`CallRecording::header`] (rewritten at the end, when the length is known) and then
/// everything that `handle_frame` and `finish` write, in order.
#[derive(Debug)]
pub struct CallRecording {
    codec: Codec,
    mix: bool,
    /// A ring of [`WINDOW_FRAMES`] a party; idle code where nothing came.
    window: Vec<Vec<u8>>,
    /// A decoder a party, of a codec that is not recorded as it is.
    decoders: Vec<g722::Decoder>,
    /// The first frame not yet written.
    next: u32,
    /// One past the highest index seen.
    seen: u32,
    too_late: u64,
}

impl CallRecording {
    /// An empty recording in the load's codec: a channel a party, or their mix when the load asks
    /// for no stereo.
    #[must_use]
    pub fn new(load: &LoadSpec) -> Self {
        let octets = WINDOW_FRAMES as usize * SAMPLES_PER_PACKET;
        let parties = load.parties().len();
        Self {
            codec: load.codec,
            mix: parties > 1 && !load.recording.stereo,
            window: vec![vec![load.codec.idle_code(); octets]; parties],
            decoders: match load.codec {
                Codec::Pcmu | Codec::Pcma => Vec::new(),
                Codec::G722 => (0..parties).map(|_| g722::Decoder::new()).collect(),
            },
            next: 0,
            seen: 0,
            too_late: 0,
        }
    }

    /// Channels of the file: 1 or 2.
    #[must_use]
    pub fn channels(&self) -> u16 {
        if self.mix || self.window.len() == 1 {
            1
        } else {
            2
        }
    }

    /// Frames until the highest tick that has come.
    #[must_use]
    pub fn frames_seen(&self) -> u32 {
        self.seen
    }

    /// Frames that came after their place had been written, or of a party that the load does not have.
    #[must_use]
    pub fn too_late(&self) -> u64 {
        self.too_late
    }

    /// Takes a frame, at most two ticks after a later one; writes chunks that fell out of the window.
    pub fn handle_frame(&mut self, frame: &AudioFrame, file: &mut impl Write) -> io::Result<()> {
        if frame.index < self.next || usize::from(frame.channel) >= self.window.len() {
            self.too_late += 1;
            return Ok(());
        }
        while frame.index - self.next >= WINDOW_FRAMES {
            self.write_frames(CHUNK_FRAMES, file)?;
        }
        self.seen = self.seen.max(frame.index.saturating_add(1));
        let at = place(frame.index);
        self.window[usize::from(frame.channel)][at..at + SAMPLES_PER_PACKET]
            .copy_from_slice(&frame.payload);
        Ok(())
    }

    /// Writes what is left of a call of `frames` frames and returns the header for its length.
    /// What was written already is not taken back: then the recording is longer.
    pub fn finish(
        mut self,
        frames: u32,
        file: &mut impl Write,
    ) -> io::Result<[u8; WAV_HEADER_OCTETS]> {
        while self.next < frames {
            self.write_frames(CHUNK_FRAMES.min(frames - self.next), file)?;
        }
        Ok(self.header())
    }

    /// The WAV header for what has been written so far.
    #[must_use]
    pub fn header(&self) -> [u8; WAV_HEADER_OCTETS] {
        let a_frame = u32::try_from(self.codec.samples_a_packet()).unwrap_or(0);
        wav_header(
            self.codec,
            self.channels(),
            self.next.saturating_mul(a_frame),
        )
    }

    /// Writes the next `count` frames and frees their places.
    fn write_frames(&mut self, count: u32, file: &mut impl Write) -> io::Result<()> {
        let mut chunk = [0; CHUNK_FRAMES as usize * FRAME_OCTETS];
        let (_, sample) = self.codec.recorded_as();
        let octets = self.codec.samples_a_packet() * usize::from(sample * self.channels());
        for (index, frame) in (self.next..self.next + count).zip(chunk.chunks_mut(octets)) {
            let at = place(index);
            if self.decoders.is_empty() {
                interleave(self.codec, self.mix, &self.window, at, frame);
            } else {
                self.decode(at, frame);
            }
            for party in &mut self.window {
                party[at..at + SAMPLES_PER_PACKET].fill(self.codec.idle_code());
            }
        }
        self.next += count;
        file.write_all(&chunk[..count as usize * octets])
    }

    /// Decodes the frame at `at` of all parties into `frame` as the file has it: 16 bits, little endian.
    fn decode(&mut self, at: usize, frame: &mut [u8]) {
        let channels = usize::from(self.channels());
        let mut pcm = [0_i16; 2 * SAMPLES_PER_PACKET];
        frame.fill(0);
        for (party, (decoder, codes)) in self.decoders.iter_mut().zip(&self.window).enumerate() {
            decoder.decode_into(&codes[at..at + SAMPLES_PER_PACKET], &mut pcm);
            let own = frame.chunks_exact_mut(2).skip(party % channels);
            for (octets, sample) in own.step_by(channels).zip(pcm) {
                let held = i16::from_le_bytes([octets[0], octets[1]]);
                octets.copy_from_slice(&held.saturating_add(sample).to_le_bytes());
            }
        }
    }
}

/// Where a frame lies in a party's ring.
fn place(index: u32) -> usize {
    (index % WINDOW_FRAMES) as usize * SAMPLES_PER_PACKET
}

/// Puts the frame at `at` of all parties into `frame` as the file has it.
fn interleave(codec: Codec, mix: bool, parties: &[Vec<u8>], at: usize, frame: &mut [u8]) {
    match parties {
        [a, b] if mix => {
            let mixed = a[at..]
                .iter()
                .zip(&b[at..])
                .map(|(a, b)| mix_codes(codec, *a, *b));
            frame
                .iter_mut()
                .zip(mixed)
                .for_each(|(out, code)| *out = code);
        }
        _ => {
            for (sample, out) in (at..).zip(frame.chunks_exact_mut(parties.len())) {
                out.iter_mut()
                    .zip(parties)
                    .for_each(|(out, party)| *out = party[sample]);
            }
        }
    }
}

/// The sum of two code words, through linear, limited to 16 bits.
fn mix_codes(codec: Codec, a: u8, b: u8) -> u8 {
    match codec {
        Codec::Pcmu => {
            g711::encode_mu_law(g711::decode_mu_law(a).saturating_add(g711::decode_mu_law(b)))
        }
        Codec::Pcma => {
            g711::encode_a_law(g711::decode_a_law(a).saturating_add(g711::decode_a_law(b)))
        }
        // Decoded first: a code word alone has no value.
        Codec::G722 => a,
    }
}

/// The header of a WAV file of `samples` samples a channel, as a codec is recorded: an 18-octet `fmt ` chunk and a
/// `fact` chunk, as RIFF asks of every format but PCM. Lengths of over 4 GiB saturate.
#[must_use]
pub fn wav_header(codec: Codec, channels: u16, samples: u32) -> [u8; WAV_HEADER_OCTETS] {
    let (format, octets) = codec.recorded_as();
    let block = octets * channels;
    let data = samples.saturating_mul(u32::from(block));
    let riff = data.saturating_add(RIFF_OCTETS);
    let fields: [&[u8]; 16] = [
        b"RIFF",
        &riff.to_le_bytes(),
        b"WAVEfmt ",
        &18_u32.to_le_bytes(),
        &format.to_le_bytes(),
        &channels.to_le_bytes(),
        &codec.sample_rate().to_le_bytes(),
        &(codec.sample_rate() * u32::from(block)).to_le_bytes(),
        &block.to_le_bytes(),        // octets a sample of all channels
        &(8 * octets).to_le_bytes(), // bits a sample
        &0_u16.to_le_bytes(),        // octets of extension
        b"fact",
        &4_u32.to_le_bytes(),
        &samples.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    let mut header = [0; WAV_HEADER_OCTETS];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::load::{Audio, Fill, Hold, RecordingSpec, Role, TransferSpec};
    use proptest::prelude::*;

    fn load(codec: Codec, stereo: bool, legs: u8) -> LoadSpec {
        LoadSpec {
            seed: 1,
            role: Role::MediaServer,
            concurrent: 1,
            total: None,
            arrival_interval: 20_000_000,
            hold: Hold::Fixed(1_000_000_000),
            steady_start: false,
            legs,
            full_for: None,
            codec,
            srtp: false,
            dscp: 46,
            transfer_dscp: 0,
            playout_buffer: 60_000_000,
            dead_air_min: 60_000_000,
            slot_width: 500_000,
            onward_offset: 0,
            recording: RecordingSpec {
                share: 1.0,
                rate_bits_per_second: 8533,
                stereo,
            },
            transfer: TransferSpec {
                parallel: 1,
                ..TransferSpec::default()
            },
            known_silences: Vec::new(),
            audio: Audio::Tone,
            fill: Fill::Silence,
            rated_fill: Fill::G711AppendixI,
            stepped: false,
        }
    }

    fn frame(channel: u8, index: u32, code: u8) -> AudioFrame {
        AudioFrame {
            call: CallId(7),
            channel,
            index,
            payload: [code; SAMPLES_PER_PACKET],
        }
    }

    fn record(
        load: &LoadSpec,
        frames: &[AudioFrame],
        length: u32,
    ) -> (Vec<u8>, [u8; WAV_HEADER_OCTETS], u64) {
        let (mut recording, mut data) = (CallRecording::new(load), Vec::new());
        for frame in frames {
            recording.handle_frame(frame, &mut data).unwrap();
        }
        let too_late = recording.too_late();
        let header = recording.finish(length, &mut data).unwrap();
        (data, header, too_late)
    }

    #[test]
    fn a_header_is_that_of_riff_octet_by_octet() {
        let header = wav_header(Codec::Pcmu, 2, 8000);
        let expected = [
            b"RIFF".as_slice(),
            &[0xb2, 0x3e, 0, 0], // 16000 + 50
            b"WAVEfmt ",
            &[18, 0, 0, 0, 7, 0, 2, 0],
            &[0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0], // 8000 samples, 16000 octets a second
            &[2, 0, 8, 0, 0, 0],
            b"fact",
            &[4, 0, 0, 0, 0x40, 0x1f, 0, 0],
            b"data",
            &[0x80, 0x3e, 0, 0],
        ]
        .concat();
        assert_eq!(header.as_slice(), expected);
        assert_eq!(wav_header(Codec::Pcma, 1, 0)[20..24], [6, 0, 1, 0]);
    }

    #[test]
    fn a_recording_is_as_long_as_the_call_when_nothing_came() {
        for (codec, idle) in [(Codec::Pcmu, 0xff), (Codec::Pcma, 0xd5)] {
            let (data, header, _) = record(&load(codec, true, 2), &[], 151);
            assert_eq!(data, vec![idle; 151 * 320]);
            assert_eq!(header, wav_header(codec, 2, 151 * 160));
        }
    }

    #[test]
    fn a_frame_later_than_the_window_is_counted_and_not_written_elsewhere() {
        // Tick 149 pushes out chunks of 4 until it fits in 6: up to 144.
        let frames = [
            frame(0, 149, 1),
            frame(0, 0, 9),
            frame(1, 143, 9),
            frame(1, 144, 2),
            frame(2, 144, 9),
        ];
        let (data, _, too_late) = record(&load(Codec::Pcmu, true, 2), &frames, 150);
        assert_eq!(too_late, 3);
        assert!(!data.contains(&9));
        assert_eq!((data[144 * 320 + 1], data[149 * 320]), (2, 1));
    }

    #[test]
    fn the_last_chunk_is_cut_at_the_end_of_the_call() {
        let (data, header, _) = record(
            &load(Codec::Pcmu, true, 2),
            &[frame(0, 9, 3), frame(0, 10, 4)],
            10,
        );
        assert_eq!(data.len(), 10 * 320);
        assert_eq!((data[9 * 320], data[10 * 320 - 2]), (3, 3));
        assert_eq!(header, wav_header(Codec::Pcmu, 2, 1600));
    }

    /// Two parties of G.722, a channel each and mixed: what is recorded is what a decoder makes of each party's codes,
    /// of idle ones where a frame never came, and their sum.
    #[test]
    fn g722_is_recorded_as_16_bit_samples_of_16_khz() {
        let codes = |party: u32, index: u32| -> [u8; 160] {
            std::array::from_fn(|n| {
                let n = u32::try_from(n).unwrap();
                u8::try_from((index * 7919 + n * (31 + party) + party) % 251).unwrap()
            })
        };
        let heard = |party: u32| -> Vec<i16> {
            let mut all = Vec::new();
            for index in 0..9 {
                let came = (party, index) != (1, 4);
                all.extend(if came {
                    codes(party, index)
                } else {
                    [g722::IDLE_CODE; 160]
                });
            }
            Codec::G722.decode(&all)
        };
        let frames: Vec<AudioFrame> = (0..18)
            .map(|n| (n % 2, n / 2))
            .filter(|frame| *frame != (1, 4))
            .map(|(party, index)| AudioFrame {
                payload: codes(party, index),
                ..frame(u8::try_from(party).unwrap(), index, 0)
            })
            .collect();
        let [a, b] = [heard(0), heard(1)];
        let octets = |samples: Vec<i16>| -> Vec<u8> {
            samples.into_iter().flat_map(i16::to_le_bytes).collect()
        };
        let (data, header, _) = record(&load(Codec::G722, true, 2), &frames, 9);
        assert_eq!(
            header[20..36],
            [1, 0, 2, 0, 0x80, 0x3e, 0, 0, 0, 0xfa, 0, 0, 4, 0, 16, 0]
        );
        let both = a.iter().zip(&b).flat_map(|(a, b)| [*a, *b]).collect();
        assert_eq!(data, octets(both));
        let (data, header, _) = record(&load(Codec::G722, false, 2), &frames, 9);
        assert_eq!(header, wav_header(Codec::G722, 1, 9 * 320));
        let sum = a
            .iter()
            .zip(&b)
            .map(|(a, b)| a.saturating_add(*b))
            .collect();
        assert_eq!(data, octets(sum));
    }

    #[test]
    fn one_party_is_mono_and_two_mix_through_linear() {
        let (mono, header, _) = record(&load(Codec::Pcmu, true, 1), &[frame(0, 0, 0x1e)], 1);
        assert_eq!(
            (mono, header),
            (vec![0x1e; 160], wav_header(Codec::Pcmu, 1, 160))
        );
        // 0x9e is 8828: twice is 17656, and with the bias 17788, in segment 7 at step 1: !0x71. 0x80
        // is 32124 and doubles to the limit, 0x80 again; 0x1e and 0x9e cancel to 0xff.
        for (a, b, sum) in [
            (0x9e, 0x9e, 0x8e),
            (0x80, 0x80, 0x80),
            (0x1e, 0x9e, 0xff),
            (0x9e, 0xff, 0x9e),
        ] {
            let frames = [frame(0, 0, a), frame(1, 0, b)];
            let (mixed, header, _) = record(&load(Codec::Pcmu, false, 2), &frames, 1);
            assert_eq!(
                (mixed, header),
                (vec![sum; 160], wav_header(Codec::Pcmu, 1, 160))
            );
        }
    }

    proptest! {
        /// Frames lost at random and shuffled by up to two ticks: every sample lies where its tick says.
        #[test]
        fn the_data_equals_the_truth_whatever_came_in_whatever_order(
            length in 1_u32..400,
            seeds in prop::collection::vec((0_u32..3, prop::bool::weighted(0.9), 0_u8..0x7f), 800),
        ) {
            let mut truth = vec![0xff_u8; length as usize * 320];
            let mut sent: Vec<(u32, AudioFrame)> = Vec::new();
            for (slot, (shift, arrives, code)) in (0..length * 2).zip(&seeds) {
                let (channel, index) = (u8::try_from(slot % 2).unwrap(), slot / 2);
                if !arrives {
                    continue;
                }
                sent.push((index + shift, frame(channel, index, *code)));
                for sample in 0..160 {
                    truth[index as usize * 320 + sample * 2 + usize::from(channel)] = *code;
                }
            }
            sent.sort_by_key(|(order, _)| *order);
            let frames: Vec<AudioFrame> = sent.into_iter().map(|(_, frame)| frame).collect();
            let (data, header, too_late) = record(&load(Codec::Pcmu, true, 2), &frames, length);
            prop_assert_eq!(too_late, 0);
            prop_assert_eq!(data, truth);
            prop_assert_eq!(header, wav_header(Codec::Pcmu, 2, length * 160));
        }
    }
}
