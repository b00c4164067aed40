//! Octets for the tester, over a connection that it opened: no other address is ever sent to.

use super::{Neighbour, Rate};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::time::{MonoTime, NS_PER_MS};
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

/// Octets that go at once at most.
const PIECE_MAX: u64 = 64 << 10;
/// The smallest piece, but at the lowest rates.
const PIECE_MIN: u64 = 256;
/// So often the state is looked at, ns.
const LOOK_NS: i64 = 10 * NS_PER_MS;

impl Neighbour {
    /// Sends what the load asks for in the stretches in which it is on, until all is over or the connection ends.
    pub async fn send<S: AsyncWrite + Unpin>(&self, stream: &mut S) -> io::Result<()> {
        let octets_per_second = self.work.asked.load.network_bits_per_second / 8;
        if octets_per_second == 0 {
            return Ok(());
        }
        let mut rate = Rate::new(octets_per_second);
        let length = (octets_per_second / 200).clamp(PIECE_MIN, PIECE_MAX);
        let mut piece = vec![0; usize::try_from(length).unwrap_or(0)];
        rand::fill(piece.as_mut_slice());
        loop {
            let now = mono_now();
            if self.work.is_over(now) {
                return Ok(());
            }
            if !self.work.state(now).on {
                rate.rest();
                pause(now, now + LOOK_NS).await;
            } else if let Some(later) = rate.take(now, length) {
                pause(now, later.min(now + LOOK_NS)).await;
            } else {
                stream.write_all(&piece).await?;
                stream.flush().await?;
                self.work.made.network.fetch_add(length, Ordering::Relaxed);
            }
        }
    }
}

async fn pause(now: MonoTime, until: MonoTime) {
    sleep(Duration::from_nanos(
        u64::try_from(until - now).unwrap_or(0),
    ))
    .await;
}
