//! The report of a run of 24 h stays small and loses no peak.

use crate::sample::{self, day};
use milliwatt_reports::plots;
use milliwatt_reports::{Scorecard, html};

/// Octets of a picture.
const PICTURE: usize = 300_000;
/// Octets of `report.html`.
const PAGE: usize = 5_000_000;

/// Left end of every plotting area, and its right ends with limits and without, px.
const LEFT: f64 = 84.0;
const RIGHTS: [f64; 2] = [770.0, 930.0];

/// (name, what its lines and outlines over the day have in common, how many of them there are).
const PICTURES: [(&str, &str, usize); 6] = [
    // Mean and max of each leg.
    ("interarrival-jitter", "<polyline", 4),
    // Four lines a leg.
    ("pdv", "<polyline", 8),
    // The bars of each leg.
    ("dead-air", "<polygon opacity=\"0.8\"", 2),
    // All of each leg, and recordings of both.
    ("mbps", "<polyline", 4),
    // PDV of each leg; goodput, stalls and segments of the sent one.
    ("transfers", "<polyline", 5),
    // The guest's part of each leg.
    ("attribution", "<polygon opacity=\"1\" fill=\"#009E73\"", 2),
];

/// The points (x, y) of each outline, and of each line that has at least a point in each pixel column.
fn long_shapes(svg: &str, common: &str) -> Vec<Vec<(i32, i32)>> {
    let drawn = svg.lines().filter(|line| line.contains(common));
    let drawn = drawn.filter_map(|line| line.split_once(" points=\"")?.1.split('"').next());
    let pair = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    let shapes = drawn.map(|points| points.split_whitespace().map(pair).collect());
    let is_outline = common.starts_with("<polygon");
    shapes
        .filter(|points: &Vec<_>| is_outline || points.len() > 500)
        .collect()
}

/// Where the day's spike stands if nothing is lost, px: within a point of 96 s, which is narrower than a pixel, or at an edge
/// of its bar of 2.
fn is_spike(x: i32) -> bool {
    let share = (f64::from(day::SPIKE) + 0.5) / f64::from(day::SECONDS);
    RIGHTS
        .iter()
        .any(|right| (f64::from(x) - LEFT - share * (right - LEFT)).abs() <= 2.0)
}

#[test]
fn the_report_of_a_day_is_small() {
    let (measured, context) = (day::day(), sample::context());
    let plots = plots::draw_all(&measured).unwrap();
    for plot in &plots {
        let octets = plot.svg.len();
        assert!(octets < PICTURE, "{}: {octets} octets", plot.name);
    }
    let scorecard = Scorecard::new(&context, &measured);
    let page = html::render(&scorecard, &measured, &context, (&plots, &[])).unwrap();
    assert!(page.len() < PAGE, "{} octets", page.len());
    // Of 299 disruptions 20 are told and 100 listed.
    for more in ["279 more in disruptions.csv", "199 more in disruptions.csv"] {
        assert!(page.contains(more), "{more}");
    }
    assert!(page.contains("more in scorecard.json") && page.contains("more in events.jsonl"));
    let pdv = plots.iter().find(|plot| plot.name == "pdv").unwrap();
    assert!(pdv.svg.contains("each point: the largest of 96 s"));
}

/// One second of 86,400 has the largest figures of all: it stands highest in every line and outline.
#[test]
fn one_second_of_a_day_is_the_highest_point_drawn() {
    let plots = plots::draw_all(&day::day()).unwrap();
    for (name, common, count) in PICTURES {
        let plot = plots.iter().find(|plot| plot.name == name).unwrap();
        let shapes = long_shapes(&plot.svg, common);
        assert_eq!(shapes.len(), count, "{name}");
        for points in shapes {
            let top = points.iter().map(|point| point.1).min().unwrap();
            let mut highest = points.iter().filter(|point| point.1 == top);
            assert!(highest.all(|point| is_spike(point.0)), "{name}");
        }
    }
}
