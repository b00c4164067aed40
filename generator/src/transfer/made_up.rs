//! Files of noise that stand for recordings: drawn from the seed, made as they are sent, the same each time.

use crate::calls::draw_hold;
use milliwatt_wire::load::{FileSize, Hold, LoadSpec};
use milliwatt_wire::time::NS_PER_SECOND;
use milliwatt_wire::transfer::FILE_OCTETS_MAX;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ring::digest::{Context, SHA256};

/// The random streams of made-up files begin here, two a file: calls have those below.
const STREAMS_FROM: u64 = 1 << 40;

/// One made-up file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeUpFile {
    /// Its number.
    pub number: u32,
    /// Its length, octets: 1 to [`FILE_OCTETS_MAX`].
    pub octets: u64,
    seed: u64,
}

impl MadeUpFile {
    /// What is in it, from the start.
    #[must_use]
    pub fn content(&self) -> Content {
        Content {
            noise: random(self.seed, self.number, 1),
            left: self.octets,
            digest: Context::new(&SHA256),
        }
    }
}

/// All made-up files of an end, one after the other.
#[derive(Clone, Debug)]
pub struct MadeUpFiles {
    seed: u64,
    size: FileSize,
    hold: Hold,
    rate_bits_per_second: u32,
    next: u32,
}

impl MadeUpFiles {
    /// Those of a load.
    #[must_use]
    pub fn new(load: &LoadSpec) -> Self {
        Self {
            seed: load.seed,
            size: load.transfer.size,
            hold: load.hold,
            rate_bits_per_second: load.recording.rate_bits_per_second,
            next: 0,
        }
    }

    /// The next one.
    pub fn draw(&mut self) -> MadeUpFile {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        MadeUpFile {
            number,
            octets: self.size_of(number).clamp(1, FILE_OCTETS_MAX),
            seed: self.seed,
        }
    }

    fn size_of(&self, number: u32) -> u64 {
        let mut random = random(self.seed, number, 0);
        match self.size {
            FileSize::Recording => {
                let ns = i128::from(draw_hold(self.hold, &mut random).max(0));
                let octets =
                    ns * i128::from(self.rate_bits_per_second) / (8 * i128::from(NS_PER_SECOND));
                u64::try_from(octets).unwrap_or(u64::MAX)
            }
            FileSize::Fixed(octets) => octets,
            FileSize::Uniform(low, high) => random.random_range(low..=high.max(low)),
        }
    }
}

fn random(seed: u64, number: u32, which: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(STREAMS_FROM + 2 * u64::from(number) + which);
    random
}

/// The noise of one file as it is read, and its checksum. Nothing on the way can compress it.
#[derive(Clone)]
pub struct Content {
    noise: ChaCha8Rng,
    left: u64,
    digest: Context,
}

impl Content {
    /// Fills `piece` with the next octets, fewer at the end; how many. None are left where that is 0.
    pub fn fill(&mut self, piece: &mut [u8]) -> usize {
        let room = piece.len() as u64;
        let length = usize::try_from(self.left.min(room)).unwrap_or(0);
        let piece = &mut piece[..length];
        self.noise.fill_bytes(piece);
        self.digest.update(piece);
        self.left -= length as u64;
        length
    }

    /// SHA-256 of what was read.
    #[must_use]
    pub fn sha256(self) -> [u8; 32] {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.digest.finish().as_ref());
        sha256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_load;
    use milliwatt_wire::load::TransferSpec;
    use ring::digest::digest;

    fn files(size: FileSize, hold: Hold) -> Vec<MadeUpFile> {
        let load = test_load();
        let transfer = TransferSpec {
            size,
            ..load.transfer
        };
        let mut files = MadeUpFiles::new(&LoadSpec {
            transfer,
            hold,
            ..load
        });
        (0..2000).map(|_| files.draw()).collect()
    }

    /// 8533 bit/s x 180 s / 8 = 191,992.5 octets; uniform 2 to 5 minutes is 127,995 to 319,988, and in the mean 223,991.
    #[test]
    fn a_made_up_recording_weighs_rate_times_hold_time() {
        let minute = 60 * NS_PER_SECOND;
        let fixed = files(FileSize::Recording, Hold::Fixed(3 * minute));
        assert!(fixed.iter().all(|file| file.octets == 191_992));
        let drawn = files(FileSize::Recording, Hold::Uniform(2 * minute, 5 * minute));
        assert!(
            drawn
                .iter()
                .all(|file| (127_994..=319_988).contains(&file.octets))
        );
        let mean = drawn.iter().map(|file| file.octets).sum::<u64>() / 2000;
        // The standard error of the mean of 2000 is 1240 octets: five of them.
        assert!(mean.abs_diff(223_991) < 6200, "{mean}");
    }

    #[test]
    fn sizes_are_within_their_bounds_and_reach_both() {
        let some = files(FileSize::Uniform(3, 5), Hold::Fixed(0));
        let mut sizes: Vec<u64> = some.iter().map(|file| file.octets).collect();
        sizes.sort_unstable();
        sizes.dedup();
        assert_eq!(sizes, [3, 4, 5]);
        let longest = files(FileSize::Fixed(u64::MAX), Hold::Fixed(0));
        assert_eq!(longest[0].octets, FILE_OCTETS_MAX);
        let shortest = files(FileSize::Recording, Hold::Fixed(0));
        assert_eq!(shortest[0].octets, 1);
        let numbers: Vec<u32> = some.iter().take(3).map(|file| file.number).collect();
        assert_eq!(numbers, [0, 1, 2]);
    }

    fn read(file: &MadeUpFile, piece: usize) -> (Vec<u8>, [u8; 32]) {
        let (mut content, mut all, mut piece) = (file.content(), Vec::new(), vec![0; piece]);
        loop {
            let length = content.fill(&mut piece);
            if length == 0 {
                return (all, content.sha256());
            }
            all.extend_from_slice(&piece[..length]);
        }
    }

    #[test]
    fn a_file_is_the_same_noise_each_time_and_no_other_has_it() {
        let some = files(FileSize::Fixed(40_000), Hold::Fixed(0));
        let (noise, sha256) = read(&some[7], 16_382);
        assert_eq!(noise.len(), 40_000);
        assert_eq!(digest(&SHA256, &noise).as_ref(), sha256);
        assert_eq!(read(&some[7], 16_382), (noise.clone(), sha256));
        assert_ne!(read(&some[8], 16_382).1, sha256);
        assert_ne!(noise[..16], noise[20_000..20_016]);
    }
}
