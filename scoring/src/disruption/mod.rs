//! Interruptions of service: what live calls went through when a guest was moved, paused or backed up. They are found without
//! being told of, as times at which most streams of a leg were silent at once, and measured on each leg by itself.
//!
//! A stream is silent between two packets that arrived, and, on the receive leg, between two ticks of the guest's playout that
//! ran: a guest that stood still has its packets stamped by the kernel all the same. [`GapLog`] keeps what facts tell of such
//! times; [`find`] joins what belongs together.
//!
//! All instants are run time of the tester, on which calls, marks and phases lie: a slot's time is when it was due by its
//! sender's clock, and the least transit that its leg had just before.

mod common;
mod count;
mod find;
mod gap;
mod level;
mod recovery;
mod silence;
#[cfg(test)]
mod tests;
mod track;

pub(crate) use common::Stretch;
pub(crate) use find::{Found, FoundDisruption, FoundLeg, Scene, find};
pub(crate) use gap::GapLog;
pub(crate) use level::Levels;
pub(crate) use silence::{Nature, Silence};
pub(crate) use track::{Heard, Key, Runs, Track};
