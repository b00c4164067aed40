//! What the pictures say.

use crate::sample;
use milliwatt_reports::plots::{self, Plot};
use milliwatt_scoring::measured::{EventRow, Measured};

fn draw(measured: &Measured) -> Vec<Plot> {
    plots::draw_all(measured).unwrap()
}

fn svg(measured: &Measured, name: &str) -> String {
    draw(measured)
        .into_iter()
        .find(|plot| plot.name == name)
        .unwrap()
        .svg
}

#[test]
fn a_run_without_data_says_so_in_every_plot() {
    for plot in draw(&sample::empty()) {
        assert!(plot.svg.contains("nothing measured"), "{}", plot.name);
    }
    for plot in draw(&sample::pass()) {
        assert!(!plot.svg.contains("nothing measured"), "{}", plot.name);
    }
}

#[test]
fn the_legs_have_the_same_two_colours_everywhere() {
    for plot in draw(&sample::fail()) {
        assert!(
            plot.svg.contains("#0072B2") && plot.svg.contains("#D55E00"),
            "{}",
            plot.name
        );
    }
}

#[test]
fn a_limit_far_above_quiet_data_is_told_at_the_edge_and_drawn_when_data_comes_near() {
    let quiet = svg(&sample::pass(), "interarrival-jitter");
    assert!(
        quiet.contains("limit 15 ms: off the scale"),
        "0.2 ms of data under a limit of 15 ms"
    );
    let broken = svg(&sample::fail(), "interarrival-jitter");
    assert!(
        broken.contains("limit 15 ms") && !broken.contains("off the scale"),
        "90 ms of data"
    );
}

#[test]
fn a_limit_of_one_leg_is_drawn_on_both_legs_plot_under_its_name() {
    assert!(svg(&sample::pass(), "mbps").contains("max in any 10s, sent leg"));
}

#[test]
fn tainted_seconds_are_hatched_and_explained() {
    assert!(svg(&sample::invalid(), "pdv").contains("tainted second: no evidence"));
    assert!(!svg(&sample::fail(), "pdv").contains("tainted second"));
}

#[test]
fn measured_without_dead_air_is_not_the_same_as_not_measured() {
    assert!(svg(&sample::pass(), "dead-air").contains("no dead air"));
    assert!(!svg(&sample::fail(), "dead-air").contains("no dead air"));
}

#[test]
fn twelve_hours_stay_a_small_file_that_says_how_it_was_thinned() {
    let mut long = sample::pass();
    let rows = long.seconds.clone();
    long.seconds = (0..12 * 3600 / 70)
        .flat_map(|n| {
            rows.iter().cloned().map(move |mut row| {
                row.second += n * 70;
                row
            })
        })
        .collect();
    // 617 repeats of 70 s are 43,190 s; 900 points at most make 48 s a point.
    let pdv = svg(&long, "pdv");
    assert!(pdv.contains("each point: the largest of 48 s"));
    assert!(pdv.contains("run time (h)"));
    assert!(pdv.len() < 300_000, "{} octets", pdv.len());
}

/// A single second between seconds without data is a dot, no line to anywhere.
#[test]
fn a_lone_second_is_a_dot() {
    let mut lone = sample::pass();
    lone.seconds.retain(|row| row.second == 7);
    assert!(svg(&lone, "interarrival-jitter").contains("<circle"));
    assert!(!svg(&sample::pass(), "interarrival-jitter").contains("<circle"));
}

#[test]
fn what_was_not_recorded_had_no_silence_and_is_not_said_to_have_none() {
    assert!(svg(&sample::pass(), "silences").contains("no silences"));
    assert!(svg(&sample::empty(), "silences").contains("no recordings"));
    let broken = svg(&sample::fail(), "silences");
    assert!(!broken.contains("no silences") && !broken.contains("no recordings"));
    assert!(!broken.contains("no dead air"));
    let mut heard = sample::fail();
    heard.events.retain(|event| event.kind == "silence");
    assert!(svg(&heard, "silences").contains("no dead air"));
}

/// What stands at the right of each lane, from the uppermost down.
#[test]
fn each_lane_of_silences_counts_its_own() {
    let remarks = svg(&sample::fail(), "silences");
    let remarks: Vec<&str> = remarks
        .lines()
        .filter(|line| line.contains(", longest"))
        .collect();
    assert_eq!(
        remarks,
        [
            "1, longest 140 ms",     // receive leg, lost
            "500, longest 680 ms",   // receive leg, guest clock
            "500, longest 680 ms",   // sent leg, late
            "1, longest 142.5 ms",   // silences: lost
            "500, longest 682.5 ms", // guest clock
            "1, longest 1,000 ms",   // known
            "5, longest 7,000 ms",   // unexplained
        ]
    );
}

/// 12 h with an event every second of each kind, some of each thousand together: the picture stays small.
#[test]
fn many_thousands_of_silences_stay_a_small_picture() {
    let mut long = sample::pass();
    let last = long.seconds.last().unwrap().clone();
    for leg in milliwatt_wire::id::Leg::BOTH {
        let mut row = last.clone();
        (row.leg, row.second) = (leg, 12 * 3600 - 1);
        long.seconds.push(row);
    }
    let kinds = sample::fail().events;
    long.events = (0..12 * 3600_u32)
        .flat_map(|n| {
            let row = kinds[usize::try_from(n).unwrap() * 7 % kinds.len()].clone();
            // Every second point of 48 s, so that no two runs of points join.
            let at_s = f64::from(n / 96 * 96 + n % 48);
            std::iter::once(EventRow { at_s, ..row })
        })
        .filter(|event| event.kind != "stall")
        .collect();
    assert!(long.events.len() > 40_000);
    let picture = svg(&long, "silences");
    assert!(picture.contains("each point: all of 48 s"));
    assert!(picture.len() < 300_000, "{} octets", picture.len());
}

/// Readers who see no picture have its title and a description.
#[test]
fn every_picture_has_a_title_and_a_description() {
    for plot in draw(&sample::fail()) {
        let words: Vec<&str> = plot.svg.lines().skip(1).take(2).collect();
        let title = format!("<title>{}</title>", plot.title);
        assert_eq!(words[0], title, "{}", plot.name);
        assert!(words[1].starts_with("<desc>") && words[1].ends_with("</desc>"));
        assert!(
            words[1].len() > "<desc>; over run time (s)</desc>".len(),
            "{}",
            plot.name
        );
    }
}
