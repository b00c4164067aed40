//! A file that is written in a circle while load is on.

use super::{Rate, Work};
use crate::output::complain;
use milliwatt_wire::clock::mono_now;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

/// The largest piece that is written at once, octets.
const PIECE_MAX: u64 = 1 << 20;
/// The smallest.
const PIECE_MIN: u64 = 4096;

/// Writes in the stretches in which load is on, until all is over; then the file goes.
pub(super) fn write_disk(work: &Work, path: &Path) {
    if let Err(error) = write_circle(work, path) {
        work.fail(format!("the disk takes no more of its load: {error}"));
    }
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        complain(&format!("{} was left behind: {error}", path.display()));
    }
}

fn write_circle(work: &Work, path: &Path) -> io::Result<()> {
    let wanted = work.asked.load.disk_octets_per_second;
    let mut rate = Rate::new(wanted);
    let mut circle = Circle::create(path, wanted, work.asked.file_octets)?;
    while let Some(mut stretch) = work.wait_on() {
        let mut now = mono_now();
        while work.goes_on(now, &mut stretch) {
            match rate.take(now, circle.piece.len() as u64) {
                None => {
                    let given = circle.write()?;
                    work.made.disk.fetch_add(given, Ordering::Relaxed);
                }
                Some(later) => work.wait(stretch.no_later(later)),
            }
            now = mono_now();
        }
        rate.rest();
    }
    Ok(())
}

/// The file.
struct Circle {
    file: File,
    piece: Vec<u8>,
    at: u64,
    size: u64,
    /// Octets written that the disk does not have yet, and how many of them are given to it at once.
    waiting: u64,
    batch: u64,
}

impl Circle {
    fn create(path: &Path, rate: u64, most: u64) -> io::Result<Self> {
        let octets = (rate / 20).clamp(PIECE_MIN, PIECE_MAX).min(most);
        let mut piece = vec![0; usize::try_from(octets).unwrap_or(0)];
        rand::fill(piece.as_mut_slice());
        Ok(Self {
            file: File::create(path)?,
            size: most / octets.max(1) * octets,
            piece,
            at: 0,
            waiting: 0,
            batch: rate / 4,
        })
    }

    /// Writes the next piece: how many octets the disk was given by it. Without that they would wait in memory until the
    /// system sees fit.
    fn write(&mut self) -> io::Result<u64> {
        if self.at >= self.size {
            self.at = 0;
            self.file.seek(SeekFrom::Start(0))?;
        }
        // Else a disk that looks for equal pieces would store it once.
        for (octet, of_place) in self.piece.iter_mut().zip(mono_now().0.to_ne_bytes()) {
            *octet = of_place;
        }
        self.file.write_all(&self.piece)?;
        let octets = self.piece.len() as u64;
        self.at += octets;
        self.waiting += octets;
        if self.waiting < self.batch {
            return Ok(0);
        }
        self.file.sync_data()?;
        Ok(std::mem::take(&mut self.waiting))
    }
}
