//! `milliwatt analyze` on captures of what other programs send, beside what tshark says of the same
//! capture; and where the two must differ, beside an expectation made by hand.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod agreement;
mod differences;
mod ffmpeg;
mod own;
mod sipp;
mod written;
