//! `milliwatt score` beside `ffmpeg -af silencedetect`, run once for each file: wall time on all processors for many
//! recordings of 30 s (PCM of 16 bits, 8000 samples/s), by the default analysis and with levels and tone tracking; and for one
//! recording of an hour. ffmpeg is measured twice: one after the other, and as many at a time as there are processors.
//!
//!     cargo bench --bench score [-- FILES]     5000 files and 5 minutes; 300 by default

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is not as it should be"
)]
#![expect(clippy::print_stdout, reason = "its output is its result")]
#![expect(clippy::cast_precision_loss, reason = "counts of files and ms")]

use milliwatt_wire::clock::mono_now;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const RATE: u32 = 8000;
/// Different recordings among them.
const DIFFERENT: usize = 50;
/// Samples of the silence in each: 300 ms.
const SILENT_SAMPLES: usize = 2400;

fn main() {
    let files = std::env::args().find_map(|word| word.parse().ok());
    let files: usize = files.unwrap_or(300);
    let folder = tempfile::tempdir().unwrap();
    let many: Vec<PathBuf> = (0..files)
        .map(|n| folder.path().join(format!("{n:05}.wav")))
        .collect();
    for (n, path) in many.iter().enumerate() {
        if n < DIFFERENT {
            write(path, 30, n as u64);
        } else {
            // Its own file all the same: what is compared reads each of them.
            std::fs::copy(&many[n % DIFFERENT], path).unwrap();
        }
    }
    println!("{files} recordings of 30 s");
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let theirs = time(|| many.iter().for_each(|file| detect(file)));
    say(
        "ffmpeg -af silencedetect, one after the other",
        theirs,
        None,
    );
    let side_by_side = time(|| {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let own = many.iter().skip(thread).step_by(threads);
                scope.spawn(move || own.for_each(|file| detect(file)));
            }
        });
    });
    say(&format!("ffmpeg, {threads} at a time"), side_by_side, None);
    for (flags, required) in [(&[][..], 100), (&["--levels", "--tone", "1004"], 40)] {
        let ours = time(|| score(folder.path(), flags));
        let name = format!("milliwatt score {}", flags.join(" "));
        say(&name, ours, Some((theirs, side_by_side, required)));
    }
    compare_long();
}

/// One recording of an hour.
fn compare_long() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("hour.wav");
    write(&long, 3600, 1);
    println!("one recording of an hour");
    let theirs = time(|| detect(&long));
    say("ffmpeg -af silencedetect", theirs, None);
    let ours = time(|| score(folder.path(), &[]));
    say("milliwatt score", ours, Some((theirs, theirs, 4)));
}

/// Prints a time, and how many times as fast it is as what it is held against.
fn say(name: &str, ms: f64, against: Option<(f64, f64, u32)>) {
    println!("  {name:<48}{ms:>10.0} ms");
    if let Some((theirs, side_by_side, required)) = against {
        println!(
            "    {:.0} times as fast ({:.0} times, as many at a time); required: {required}",
            theirs / ms,
            side_by_side / ms
        );
    }
}

/// ms of wall time.
fn time(work: impl FnOnce()) -> f64 {
    let begun = mono_now();
    work();
    (mono_now() - begun) as f64 / 1e6
}

fn detect(file: &Path) {
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "info", "-i"])
        .arg(file)
        .args(["-af", "silencedetect=n=-50dB:d=0.06", "-f", "null", "-"])
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

/// Scores a folder, and prints what it found in all.
fn score(folder: &Path, flags: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_milliwatt"))
        .args(["score", "--json"])
        .args(flags)
        .arg(folder)
        .output()
        .unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    println!("  {}", json["totals"]);
}

/// A recording of something like speech, silent for 300 ms at one place of each 30 s.
fn write(path: &Path, seconds: u32, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut file = BufWriter::new(File::create(path).unwrap());
    let octets = seconds * RATE * 2;
    file.write_all(b"RIFF").unwrap();
    file.write_all(&(octets + 36).to_le_bytes()).unwrap();
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x01\0").unwrap();
    file.write_all(&RATE.to_le_bytes()).unwrap();
    file.write_all(&(RATE * 2).to_le_bytes()).unwrap();
    file.write_all(b"\x02\0\x10\0data").unwrap();
    file.write_all(&octets.to_le_bytes()).unwrap();
    let part: Vec<i16> = speech(30, &mut random);
    for _ in 0..seconds / 30 {
        for sample in &part {
            file.write_all(&sample.to_le_bytes()).unwrap();
        }
    }
    file.flush().unwrap();
}

fn speech(seconds: usize, random: &mut ChaCha8Rng) -> Vec<i16> {
    let pitch = random.random_range(500.0..1200.0);
    let mut samples: Vec<i16> = (0..seconds * RATE as usize)
        .map(|n| {
            let t = n as f64 / f64::from(RATE);
            let swell = 0.5 + 0.5 * (t * 19.0).sin();
            let harmonics = (1..9).map(|k| (t * pitch * f64::from(k)).sin() / f64::from(k));
            #[expect(clippy::cast_possible_truncation, reason = "a test signal")]
            let voice = (harmonics.sum::<f64>() * swell * 6000.0) as i16;
            voice + random.random_range(-650_i16..650)
        })
        .collect();
    let at = random.random_range(8000..samples.len() - 8000 - SILENT_SAMPLES);
    samples[at..at + SILENT_SAMPLES].fill(0);
    samples
}
