//! What is possible in `[transfer]`.

use super::Findings;
use crate::scenario::file::{Direction, Transfer};
use crate::scenario::value::Duration;
use milliwatt_wire::load::{FileSize, TRANSFERS_MAX, TransferWhen};
use milliwatt_wire::time::NS_PER_SECOND;
use milliwatt_wire::transfer::FILE_OCTETS_MAX;

pub(super) fn check(transfer: &Transfer, found: &mut Findings) {
    found.require(
        (1..=TRANSFERS_MAX).contains(&transfer.parallel),
        "transfer.parallel",
        format!("{} files at once", transfer.parallel),
        format!("1 to {TRANSFERS_MAX}"),
    );
    if let TransferWhen::Every(ns) = transfer.when.0 {
        found.require(
            ns >= NS_PER_SECOND,
            "transfer.when",
            format!("a batch every {}", Duration(ns)),
            "1s or more between two",
        );
    }
    found.require(
        transfer.rate.is_none_or(|rate| rate.0 > 0),
        "transfer.rate",
        "nothing could travel",
        "1 bit/s or more, or left out: as TCP goes",
    );
    let has_made_up = matches!(
        transfer.when.0,
        TransferWhen::Backlog | TransferWhen::Continuous
    );
    found.require(
        transfer.direction == Direction::ToTester || has_made_up,
        "transfer.direction",
        "no file would go to the guest: recordings go to the tester",
        "to-tester, or transfer.when = \"backlog\" or \"continuous\"",
    );
    check_size(transfer.size.0, found);
}

fn check_size(size: FileSize, found: &mut Findings) {
    let (low, high) = match size {
        FileSize::Recording => return,
        FileSize::Fixed(octets) => (octets, octets),
        FileSize::Uniform(low, high) => (low, high),
    };
    let allowed = format!("1 B to {FILE_OCTETS_MAX} B, or recording");
    let message = if low == 0 {
        "files without content".to_owned()
    } else {
        format!("files of {high} octets")
    };
    found.require(
        low > 0 && high <= FILE_OCTETS_MAX,
        "transfer.size",
        message,
        allowed,
    );
}
