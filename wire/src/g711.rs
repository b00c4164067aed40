//! G.711 companding (ITU-T G.711), both laws, on the 16-bit scale.
//!
//! A sample becomes the code word whose value is nearest, on a scale of 14 bits: code for code what ffmpeg does. The
//! decision values of the standard's tables lie a step of that scale lower where one segment ends and the next begins.

const MU_BIAS: i32 = 132;
/// Code words of value zero: every second bit of A-law is inverted on the line, every bit of mu-law.
const MU_ZERO: u8 = 0xff;
const A_ZERO: u8 = 0xd5;
/// Steps of 14 bits on either side of zero.
const STEPS: usize = 8192;

static MU_CODES: [u8; 2 * STEPS] = codes(MU_ZERO, &values_of_mu_law());
static A_CODES: [u8; 2 * STEPS] = codes(A_ZERO, &values_of_a_law());

/// Decodes a mu-law code word.
#[must_use]
pub const fn decode_mu_law(code: u8) -> i16 {
    let code = !code;
    let exponent = (code >> 4) & 7;
    let magnitude = (((code & 15) as i32) << 3) + MU_BIAS;
    let value = (magnitude << exponent) - MU_BIAS;
    narrow(if code & 0x80 == 0 { value } else { -value })
}

/// Encodes a 16-bit sample by mu-law.
#[must_use]
#[inline]
pub fn encode_mu_law(sample: i16) -> u8 {
    MU_CODES[step(sample)]
}

/// Decodes an A-law code word.
#[must_use]
pub const fn decode_a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let exponent = (code >> 4) & 7;
    let mantissa = ((code & 15) as i32) << 4;
    let value = if exponent == 0 {
        mantissa + 8
    } else {
        (mantissa + 0x108) << (exponent - 1)
    };
    narrow(if code & 0x80 == 0 { -value } else { value })
}

/// Encodes a 16-bit sample by A-law.
#[must_use]
#[inline]
pub fn encode_a_law(sample: i16) -> u8 {
    A_CODES[step(sample)]
}

/// The step of a sample, 0 to 16383.
fn step(sample: i16) -> usize {
    usize::from((sample.cast_unsigned() ^ 0x8000) >> 2)
}

/// The code word of each step: that of the nearest value, `values` being those of the positive codes from zero up.
const fn codes(zero: u8, values: &[i32; 128]) -> [u8; 2 * STEPS] {
    let mut codes = [zero; 2 * STEPS];
    let (mut code, mut j) = (0_u8, 1);
    while j <= STEPS {
        while code < 127 && j >= boundary(values, code as usize) {
            code += 1;
        }
        codes[STEPS - j] = code ^ zero ^ 0x80;
        if j < STEPS {
            codes[STEPS + j] = code ^ zero;
        }
        j += 1;
    }
    codes
}

/// The first step that belongs to the code after this one.
#[expect(clippy::cast_sign_loss, reason = "values of positive codes")]
const fn boundary(values: &[i32; 128], code: usize) -> usize {
    ((values[code] + values[code + 1] + 4) >> 3) as usize
}

const fn values_of_mu_law() -> [i32; 128] {
    let (mut values, mut code) = ([0; 128], 0_u8);
    while code < 128 {
        values[code as usize] = decode_mu_law(code ^ MU_ZERO) as i32;
        code += 1;
    }
    values
}

const fn values_of_a_law() -> [i32; 128] {
    let (mut values, mut code) = ([0; 128], 0_u8);
    while code < 128 {
        values[code as usize] = decode_a_law(code ^ A_ZERO) as i32;
        code += 1;
    }
    values
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "both laws stay within 16 bits, proven over all 256 codes"
)]
const fn narrow(value: i32) -> i16 {
    value as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digital_milliwatt_decodes_to_the_tables_of_g711() {
        let mu: Vec<i32> = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e]
            .map(|c| i32::from(decode_mu_law(c)).abs())
            .into();
        assert_eq!(mu, [8828, 20860, 20860, 8828, 8828, 20860, 20860, 8828]);
        let a: Vec<i32> = [0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4]
            .map(|c| i32::from(decode_a_law(c)).abs())
            .into();
        assert_eq!(a, [8960, 20992, 20992, 8960, 8960, 20992, 20992, 8960]);
    }

    #[test]
    fn idle_and_extreme_codes_are_those_of_the_standard() {
        assert_eq!(
            [0xff, 0x7f, 0x80, 0x00].map(decode_mu_law),
            [0, 0, 32124, -32124]
        );
        assert_eq!(
            [0xd5, 0x55, 0xaa, 0x2a].map(decode_a_law),
            [8, -8, 32256, -32256]
        );
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=u8::MAX {
            assert_eq!(encode_a_law(decode_a_law(code)), code);
            if code != 0x7f {
                assert_eq!(encode_mu_law(decode_mu_law(code)), code); // 0x7f and 0xff are both zero
            }
        }
    }

    #[test]
    fn every_sample_lands_within_half_a_step_of_its_segment() {
        for sample in i16::MIN..=i16::MAX {
            let size = i32::from(sample).abs();
            let mu = (i32::from(decode_mu_law(encode_mu_law(sample))) - i32::from(sample)).abs();
            assert!(
                mu <= (size + 132) / 32 + 4 || size > 31_635,
                "{sample}: mu-law error {mu}"
            );
            let a = (i32::from(decode_a_law(encode_a_law(sample))) - i32::from(sample)).abs();
            assert!(
                a <= size / 32 + 12 || size > 32_000,
                "{sample}: A-law error {a}"
            );
        }
    }
}
