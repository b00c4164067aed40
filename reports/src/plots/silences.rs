//! Silences of recordings over time, below the dead air that they may have come from: a lane a cause, the height of its bars
//! telling how many there were at once. What no packet explains has a lane of its own.

use super::axis::Axis;
use super::canvas::{LIMIT, SHADE};
use super::figure::{Figure, Lane, Panel, RECEIVE, Shape, Stroke, colour};
use super::series::Silences;
use super::timeline::Timeline;
use crate::{figures, incidents};
use milliwatt_scoring::measured::{EventRow, SilenceOrigin};
use milliwatt_wire::facts::DeadCause;
use milliwatt_wire::id::Leg;
use plotters::style::RGBColor;

/// Height of a lane, px.
const LANE: i32 = 20;

/// In the order of a packet's way, as dead air has its cause.
const CAUSES: [DeadCause; 4] = [
    DeadCause::Lost,
    DeadCause::NotSent,
    DeadCause::Late,
    DeadCause::GuestPlayout,
];
const DEAD_AIR: &[&str] = &["lost", "not sent", "late", "guest clock"];
const SILENCES: &[&str] = &[
    "lost",
    "not sent",
    "late",
    "guest clock",
    "known",
    "unexplained",
];

/// Events of a lane.
type Members<'e> = Vec<&'e EventRow>;

pub(super) fn figure<'a>(timeline: &'a Timeline, silences: Silences) -> Figure<'a> {
    let legs = Leg::BOTH.map(|leg| dead_air(silences.events, leg));
    let recorded = recorded(silences.events);
    let all = legs.iter().flatten().chain(&recorded);
    let most = all.flat_map(|lane| overlaps(timeline, lane));
    let most = most.map(|(_, _, count)| count).max().unwrap_or(0);
    let colours = recorded_colours();
    let shaded = shaded(timeline, silences.events);
    let mut panels: Vec<Panel> = Leg::BOTH
        .into_iter()
        .zip(&legs)
        .map(|(leg, lanes)| Panel {
            title: format!("dead air, {}", timeline.series.title(leg)),
            empty: empty_leg(timeline, leg, lanes),
            ..under(
                &shaded,
                panel(timeline, lanes, DEAD_AIR, &[colour(leg); 4], most),
            )
        })
        .collect();
    panels.push(Panel {
        title: "silences in recordings, by what they came from".to_owned(),
        empty: empty_recordings(silences, &recorded),
        ..panel(timeline, &recorded, SILENCES, &colours, most)
    });
    Figure {
        title: "Silences and the dead air that they came from".to_owned(),
        notes: notes(timeline, most),
        legend: Vec::new(),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels,
        timeline: Some(timeline),
    }
}

fn notes(timeline: &Timeline, most: u32) -> Vec<String> {
    if most == 0 {
        return Vec::new();
    }
    let height = format!(
        "height: how many at once (logarithmic), here up to {most}; shaded in the upper panels: silences of recordings"
    );
    let lanes = "guest clock: its playout clock stood still; known: the scenario asked for it; unexplained: no packet, the guest's own doing";
    let mut notes = vec![height, lanes.to_owned()];
    notes.extend(timeline.overlap_notes());
    notes
}

/// Dead air of a leg by cause.
fn dead_air(events: &[EventRow], leg: Leg) -> Vec<Members<'_>> {
    let of = |cause| {
        let own = events.iter().filter(move |event| {
            event.kind == "dead-air"
                && event.cause == Some(cause)
                && event.stream.is_some_and(|stream| stream.leg == leg)
        });
        own.collect()
    };
    CAUSES.map(of).into()
}

/// Silences by what they came from.
fn recorded(events: &[EventRow]) -> Vec<Members<'_>> {
    let of = |origin, cause: Option<DeadCause>| {
        let own = events.iter().filter(move |event| {
            event.kind == "silence"
                && incidents::origin(event) == origin
                && (cause.is_none() || event.cause == cause)
        });
        own.collect()
    };
    let dead = CAUSES.map(|cause| of(SilenceOrigin::DeadAir, Some(cause)));
    let others = [SilenceOrigin::Known, SilenceOrigin::Unexplained].map(|origin| of(origin, None));
    dead.into_iter().chain(others).collect()
}

/// What recordings hold came over the receive leg.
fn recorded_colours() -> Vec<RGBColor> {
    let mut colours = vec![RECEIVE; CAUSES.len()];
    colours.extend([
        origin_colour(SilenceOrigin::Known),
        origin_colour(SilenceOrigin::Unexplained),
    ]);
    colours
}

/// The colour of a silence, the same in every picture.
pub(super) fn origin_colour(origin: SilenceOrigin) -> RGBColor {
    match origin {
        SilenceOrigin::DeadAir => RECEIVE,
        SilenceOrigin::Known => SHADE,
        SilenceOrigin::Unexplained => LIMIT,
    }
}

/// Where there are silences, in the colour of their origin.
fn shaded(timeline: &Timeline, events: &[EventRow]) -> Vec<(RGBColor, Vec<(f64, f64)>)> {
    let of = |origin| {
        let own = events
            .iter()
            .filter(|event| event.kind == "silence" && incidents::origin(event) == origin);
        let overlaps = overlaps(timeline, &own.collect()).into_iter();
        let places = overlaps.map(|(from, to, _)| (from, to));
        (origin_colour(origin), places.collect())
    };
    let origins = [
        SilenceOrigin::Known,
        SilenceOrigin::DeadAir,
        SilenceOrigin::Unexplained,
    ];
    origins.map(of).into()
}

/// The panel with what is shaded behind it.
fn under(shaded: &[(RGBColor, Vec<(f64, f64)>)], mut panel: Panel) -> Panel {
    let bands = shaded.iter().map(|(colour, places)| {
        let stroke = Stroke {
            colour: *colour,
            opacity: 0.16,
            width: 1,
        };
        Shape::Bands(stroke, places.clone())
    });
    panel.shapes = bands.chain(panel.shapes).collect();
    panel
}

fn panel(
    timeline: &Timeline,
    lanes: &[Members],
    names: &'static [&'static str],
    colours: &[RGBColor],
    most: u32,
) -> Panel {
    let shape = |((index, members), colour): ((usize, &Members), &RGBColor)| {
        let stroke = Stroke {
            colour: *colour,
            opacity: 1.0,
            width: 1,
        };
        let bars = overlaps(timeline, members).into_iter();
        let bars = bars.map(|(from, to, count)| (from, to, share(count, most)));
        let lane = Lane {
            index,
            bars: bars.collect(),
            remark: remark(members),
        };
        Shape::Lane(stroke, lane)
    };
    Panel {
        title: String::new(),
        y: Axis::lanes(names),
        y_label: "",
        height: i32::try_from(names.len()).ok().map(|lanes| lanes * LANE),
        x: None,
        shapes: lanes.iter().enumerate().zip(colours).map(shape).collect(),
        limits: Vec::new(),
        empty: None,
    }
}

fn overlaps(timeline: &Timeline, members: &Members) -> Vec<(f64, f64, u32)> {
    timeline.overlaps(members.iter().map(|event| {
        let length_s = event.duration_ms.unwrap_or(0.0) / 1000.0;
        (event.at_s, event.at_s + length_s)
    }))
}

/// A lane's height for so many at once; one alone has half, so that it is seen.
fn share(count: u32, most: u32) -> f64 {
    let of = |count: u32| f64::from(count).ln();
    if most < 2 {
        return 1.0;
    }
    0.5 + 0.5 * of(count) / of(most)
}

fn remark(members: &Members) -> String {
    let lengths = members.iter().filter_map(|event| event.duration_ms);
    let longest = lengths.max_by(f64::total_cmp);
    longest.map_or_else(String::new, |longest| {
        let count = figures::count(members.len() as u64);
        let tenths = figures::number((longest * 10.0).round() / 10.0);
        format!("{count}, longest {tenths} ms")
    })
}

fn empty_leg(timeline: &Timeline, leg: Leg, lanes: &[Members]) -> Option<&'static str> {
    let measured = timeline.series.seconds.iter().any(|row| row.leg == leg);
    match (measured, lanes.iter().all(Vec::is_empty)) {
        (_, false) => None,
        (false, true) => Some("nothing measured"),
        (true, true) => Some("no dead air"),
    }
}

fn empty_recordings(silences: Silences, lanes: &[Members]) -> Option<&'static str> {
    match (silences.recorded, lanes.iter().all(Vec::is_empty)) {
        (_, false) => None,
        (false, true) => Some("no recordings"),
        (true, true) => Some("no silences"),
    }
}
