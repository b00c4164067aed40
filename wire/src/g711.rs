//! G.711 companding (ITU-T G.711), both laws, on the 16-bit scale.

const MU_BIAS: i32 = 132;
const MU_CLIP: i32 = 32_635;

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
pub const fn encode_mu_law(sample: i16) -> u8 {
    let sample = sample as i32;
    let magnitude = if sample < 0 { -sample } else { sample };
    let biased = (if magnitude > MU_CLIP {
        MU_CLIP
    } else {
        magnitude
    }) + MU_BIAS;
    let exponent = (biased >> 7).ilog2();
    let mantissa = (biased >> (exponent + 3)) & 15;
    let sign = if sample < 0 { 0x80 } else { 0 };
    low_byte(!(sign | (exponent.cast_signed() << 4) | mantissa))
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
pub const fn encode_a_law(sample: i16) -> u8 {
    let sample = sample as i32;
    let (sign, magnitude) = if sample < 0 {
        (0, -sample - 1)
    } else {
        (0x80, sample)
    };
    let code = if magnitude < 256 {
        magnitude >> 4
    } else {
        let exponent = magnitude.ilog2().cast_signed() - 7;
        (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)
    };
    low_byte((sign | code) ^ 0x55)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "both laws stay within 16 bits, proven over all 256 codes"
)]
const fn narrow(value: i32) -> i16 {
    value as i16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low eight bits are meant"
)]
const fn low_byte(value: i32) -> u8 {
    value as u8
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
                mu <= (size + 132) / 32 + 1 || size > MU_CLIP - 1000,
                "{sample}: mu-law error {mu}"
            );
            let a = (i32::from(decode_a_law(encode_a_law(sample))) - i32::from(sample)).abs();
            assert!(
                a <= size / 32 + 9 || size > 32_000,
                "{sample}: A-law error {a}"
            );
        }
    }
}
