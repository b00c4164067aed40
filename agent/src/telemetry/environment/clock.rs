//! The clock: what the kernel reads, and whether something keeps it right.

use super::program::output;
use super::{Fact, read, stated};

const SOURCES: &str = "/sys/devices/system/clocksource/clocksource0";

pub(super) fn facts() -> Vec<Fact> {
    let chrony = output("chronyc", &["-c", "tracking"]);
    let chrony = chrony.as_deref().and_then(chrony_of);
    let (reference, by_chrony) = chrony.unzip();
    let by_systemd = || {
        let asked = output(
            "timedatectl",
            &["show", "--property=NTPSynchronized", "--value"],
        );
        asked.as_deref().and_then(stated)
    };
    vec![
        ("clocksource", source()),
        (
            "clocksources",
            read(&format!("{SOURCES}/available_clocksource")),
        ),
        (
            "clock_synchronised",
            by_chrony.map(str::to_owned).or_else(by_systemd),
        ),
        ("clock_reference", reference),
    ]
}

/// What the kernel keeps time by.
pub(super) fn source() -> Option<String> {
    read(&format!("{SOURCES}/current_clocksource"))
}

/// The reference and whether the clock follows it, of `chronyc -c tracking`: fields parted by commas, the second the
/// reference's name, the last `Normal`, `Insert second`, `Delete second` or `Not synchronised`.
fn chrony_of(text: &str) -> Option<(String, &'static str)> {
    let fields: Vec<&str> = text.trim().split(',').collect();
    let (name, state) = (fields.get(1)?, fields.get(13)?);
    let followed = if *state == "Not synchronised" {
        "no"
    } else {
        "yes"
    };
    Some((stated(name)?, followed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chrony_names_its_reference_and_says_whether_it_follows_it() {
        let text = "A9FEA97B,169.254.169.123,4,1700000000.1,0.000001,0.0,0.00001,-7.1,0.0,0.1,0.0005,0.0004,16.1,Normal\n";
        assert_eq!(chrony_of(text), Some(("169.254.169.123".to_owned(), "yes")));
        let lost = text.replace("Normal", "Not synchronised");
        assert_eq!(chrony_of(&lost).map(|(_, followed)| followed), Some("no"));
        assert_eq!(chrony_of("506 Cannot talk to daemon"), None);
    }
}
