//! A real virtual machine as the guest of a test: QEMU without hardware virtualisation, Debian's kernel, and of user space the
//! program under test and busybox.
//!
//! The guest's end of the lab's cable becomes a switch with two more ports, a machine each: the second one is where a live
//! migration goes. The machine has the guest's address, so that all else is as in every other test.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod adapters;
mod disruptions;
mod image;
pub(crate) mod machine;

use crate::lab::{Lab, Side, WIRE};
use machine::Place;
use std::path::PathBuf;

/// What tests/vm/fetch put there.
fn files(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("target/vm")
        .join(name)
}

/// A lab whose guest can be a virtual machine.
#[track_caller]
pub(crate) fn open() -> Option<Lab> {
    let lab = Lab::open(&["virtual machine", "perl", "tshark"])?;
    let ip = |args: &str| {
        let words: Vec<&str> = args.split(' ').collect();
        lab.execute(Side::Guest, "ip", &words);
    };
    ip("link add switch0 type bridge forward_delay 0");
    ip(&format!(
        "address del {}/24 dev {WIRE}",
        Side::Guest.address()
    ));
    ip(&format!("link set {WIRE} master switch0"));
    for place in [Place::Source, Place::Destination] {
        ip(&format!("tuntap add {} mode tap", place.tap()));
        ip(&format!("link set {} master switch0 up", place.tap()));
    }
    ip("link set switch0 up");
    image::make(&lab);
    Some(lab)
}
