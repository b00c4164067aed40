//! Durations counted in coarse buckets.

/// Buckets of the coarse histograms: see [`Scale`].
pub const BUCKETS: usize = 256;

/// The scale of a coarse histogram of durations: 16 equal steps of one unit, then 16 steps an
/// octave, each value within 3.2 % of its bucket's middle; the last bucket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    unit: i64,
}

impl Scale {
    /// For all streams of an end together, once a second: steps of 8 us.
    pub const LEG: Self = Self { unit: 8_000 };
    /// For each stream, once a second: steps of 32 us, since hundreds of these travel.
    pub const STREAM: Self = Self { unit: 32_000 };

    /// The bucket of a duration in ns; below zero counts as zero.
    #[must_use]
    #[inline]
    pub fn bucket(self, ns: i64) -> u8 {
        let units = u64::try_from(ns.max(0) / self.unit).unwrap_or(0);
        if units < 16 {
            return u8::try_from(units).unwrap_or(0);
        }
        let octave = 63 - u64::from(units.leading_zeros()); // >= 4
        let step = (units >> (octave - 4)) & 15;
        u8::try_from(((octave - 3) * 16 + step).min(BUCKETS as u64 - 1)).unwrap_or(u8::MAX)
    }

    /// The middle of a bucket, ns.
    #[must_use]
    pub fn middle(self, bucket: u8) -> i64 {
        let (octave, step) = (i64::from(bucket) / 16, i64::from(bucket) % 16);
        if octave == 0 {
            return step * self.unit + self.unit / 2;
        }
        let width = (1_i64 << (octave - 1)) * self.unit;
        (16 + step) * width + width / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket_middle_by_the_promised_share() {
        for scale in [Scale::LEG, Scale::STREAM] {
            let mut ns = 1_i64;
            while ns < 4_000_000_000 {
                let error = (scale.middle(scale.bucket(ns)) - ns).abs();
                let most = (scale.unit / 2).max(ns / 31);
                assert!(
                    error <= most,
                    "{ns} ns lies {error} ns from the middle of its bucket"
                );
                ns += ns / 7 + 1;
            }
        }
    }

    #[test]
    fn buckets_ascend() {
        for scale in [Scale::LEG, Scale::STREAM] {
            assert!((1..=u8::MAX).all(|bucket| scale.middle(bucket) > scale.middle(bucket - 1)));
        }
    }
}
