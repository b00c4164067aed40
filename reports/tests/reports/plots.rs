//! What the pictures say.

use crate::sample;
use milliwatt_reports::plots::{self, Plot};
use milliwatt_scoring::measured::Measured;

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
