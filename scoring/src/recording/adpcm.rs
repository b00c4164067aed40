//! ADPCM of 4 bits a sample as WAVE files hold it: that of the IMA (1992 recommended practices) and Microsoft's.
//! Sample by sample what ffmpeg decodes.

/// Octets of a channel's head in a block of IMA ADPCM.
pub(super) const IMA_HEAD: usize = 4;
/// Octets of a channel's head in a block of Microsoft's.
pub(super) const MS_HEAD: usize = 7;
/// Octets of one channel in a row: IMA ADPCM of several channels interleaves eight samples of each.
const IMA_GROUP: usize = 4;

const IMA_INDEX: [isize; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];
const IMA_INDEX_MAX: usize = 88;
#[rustfmt::skip]
const IMA_STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118,
    130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060,
    1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484,
    7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];

const MS_ADAPTATION: [i32; 16] = [
    230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230,
];
/// The pairs that every file has, of 256.
const MS_COEFFICIENTS: [[i32; 2]; 7] = [
    [256, 0],
    [512, -256],
    [0, 0],
    [192, 64],
    [240, 0],
    [460, -208],
    [392, -232],
];
const MS_LEAST_STEP: i32 = 16;

/// The predictor of IMA ADPCM.
struct Ima {
    predicted: i32,
    /// Of the step.
    index: usize,
}

impl Ima {
    fn decode(&mut self, code: u8) -> i16 {
        let step = IMA_STEPS[self.index];
        let magnitude = i32::from(code & 7);
        let change = ((2 * magnitude + 1) * step) >> 3;
        let signed = if code & 8 == 0 { change } else { -change };
        let sample = to_16_bits(self.predicted + signed);
        self.predicted = sample.into();
        let index = self
            .index
            .saturating_add_signed(IMA_INDEX[usize::from(code & 7)]);
        self.index = index.min(IMA_INDEX_MAX);
        sample
    }
}

/// Appends a block of IMA ADPCM, interleaved. What is left of a block, without its heads, is none.
pub(super) fn decode_ima(block: &[u8], channels: usize, samples: &mut Vec<i16>) {
    let Some((heads, body)) = block.split_at_checked(IMA_HEAD * channels) else {
        return;
    };
    let groups = body.len() / (IMA_GROUP * channels);
    let first = samples.len();
    samples.resize(first + channels * (1 + groups * IMA_GROUP * 2), 0);
    for (channel, head) in heads.chunks_exact(IMA_HEAD).enumerate() {
        let mut ima = Ima {
            predicted: i16::from_le_bytes([head[0], head[1]]).into(),
            index: usize::from(head[2]).min(IMA_INDEX_MAX),
        };
        let mut out = samples[first + channel..].iter_mut().step_by(channels);
        let mut put = |sample| out.next().map_or((), |place| *place = sample);
        put(to_16_bits(ima.predicted));
        let own = body.chunks_exact(IMA_GROUP).skip(channel).step_by(channels);
        for octet in own.take(groups).flatten() {
            put(ima.decode(octet & 15));
            put(ima.decode(octet >> 4));
        }
    }
}

/// The predictor of Microsoft's.
struct Ms {
    coefficients: [i32; 2],
    step: i32,
    last: [i32; 2],
}

impl Ms {
    fn decode(&mut self, code: u8) -> i16 {
        let signed = i32::from(code) - if code & 8 == 0 { 0 } else { 16 };
        let [a, b] = self.coefficients;
        let predicted =
            (self.last[0].wrapping_mul(a)).wrapping_add(self.last[1].wrapping_mul(b)) / 256;
        let sample = to_16_bits(predicted.saturating_add(signed.saturating_mul(self.step)));
        self.last = [sample.into(), self.last[0]];
        let step = MS_ADAPTATION[usize::from(code & 15)].saturating_mul(self.step) >> 8;
        self.step = step.clamp(MS_LEAST_STEP, i32::MAX / 768);
        sample
    }
}

/// The coefficients that a format chunk tells: after its 2 octets of length, 2 of samples a block and 2 of their number. Where
/// it tells none, those that every file has.
pub(super) fn coefficients(extension: &[u8]) -> Vec<[i32; 2]> {
    let told = extension.get(4..).unwrap_or(&[]);
    let pair = |pair: &[u8; 4]| {
        [[pair[0], pair[1]], [pair[2], pair[3]]].map(|half| i16::from_le_bytes(half).into())
    };
    let told: Vec<[i32; 2]> = told.as_chunks::<4>().0.iter().map(pair).collect();
    if told.len() < MS_COEFFICIENTS.len() {
        return MS_COEFFICIENTS.to_vec();
    }
    told
}

/// Appends a block of Microsoft's ADPCM, interleaved: at most two channels, as its writers have them; more stay silent.
pub(super) fn decode_ms(
    block: &[u8],
    channels: usize,
    coefficients: &[[i32; 2]],
    samples: &mut Vec<i16>,
) {
    let Some((heads, body)) = block.split_at_checked(MS_HEAD * channels) else {
        return;
    };
    let half = |at: usize| i32::from(i16::from_le_bytes([heads[at], heads[at + 1]]));
    let mut states: Vec<Ms> = (0..channels)
        .map(|channel| Ms {
            coefficients: coefficients
                .get(usize::from(heads[channel]))
                .copied()
                .unwrap_or([0, 0]),
            step: half(channels + 2 * channel),
            last: [
                half(3 * channels + 2 * channel),
                half(5 * channels + 2 * channel),
            ],
        })
        .collect();
    for age in [1, 0] {
        samples.extend(states.iter().map(|state| to_16_bits(state.last[age])));
    }
    let codes = body.iter().flat_map(|octet| [octet >> 4, octet & 15]);
    let whole = body.len() * 2 / channels * channels;
    for (at, code) in codes.take(whole).enumerate() {
        samples.push(states[at % channels].decode(code));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it was limited to 16 bits")]
fn to_16_bits(sample: i32) -> i16 {
    sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}
