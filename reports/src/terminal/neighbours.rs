//! Load beside the calls.

use super::Page;
use crate::scorecard::Scorecard;
use crate::tables;

/// Nothing of a run without neighbours.
pub(super) fn neighbours(page: &mut Page, scorecard: &Scorecard) {
    if scorecard.neighbours.is_empty() {
        return;
    }
    page.section(
        "Neighbours (seconds with their load on from begin to end, and with all of it off)",
    );
    page.row(&format!("{:<56} {:>14} {:>14}", "", "on", "off"));
    for line in tables::neighbours(scorecard) {
        page.row(&format!(
            "{:<56} {:>14} {:>14}",
            line.label, line.on, line.off
        ));
    }
}
