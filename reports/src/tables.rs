//! The tables that the terminal and the HTML report share, as text.

mod disruptions;
mod neighbours;
mod recordings;
mod repeats;
mod steps;

pub use disruptions::{DisruptionLine, disruptions};
pub use neighbours::{OnOffLine, neighbours};
pub use recordings::recordings;
pub use repeats::{RepeatLine, repeats};
pub use steps::{StepLine, steps};

pub(crate) use steps::{LEGS as STEP_LEGS, load, metric_word, step_leg};

use crate::context::NoiseFloor;
use crate::figures::{self, NOT_MEASURED, count, number_or_dash};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::{
    Attribution, EndTimers, Lateness, LegAttribution, LegMeasured, Legs, PlayoutBuffer,
};

/// One line of the table of legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegRow {
    /// What it is, with its unit.
    pub label: &'static str,
    /// Tester to guest.
    pub receive: String,
    /// Guest to tester.
    pub sent: String,
}

/// A named figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// How much, with its unit.
    pub value: String,
    /// Belongs in a summary too.
    pub decisive: bool,
}

/// A published figure beside ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// What it is.
    pub figure: String,
    /// As published.
    pub published: String,
    /// As measured here.
    pub measured: String,
}

/// A row's label and the share that it shows.
type ShareColumn = (&'static str, fn(&LegAttribution) -> Option<f64>);

const ATTRIBUTION: &[ShareColumn] = &[
    ("mean PDV, ms", |leg| leg.pdv_mean_ms),
    ("tester, %", |leg| leg.tester_percent),
    ("guest, %", |leg| leg.guest_percent),
    ("path, %", |leg| leg.path_percent),
    ("  all streams at once, %", |leg| leg.path_common_percent),
    ("  single streams, %", |leg| leg.path_stream_percent),
];

/// Of encrypted streams; the row stands only where there is one of them.
const UNAUTHENTIC: &str = "packets that did not authenticate";

/// A row's label and how a leg fills it.
type LegColumn = (&'static str, fn(&LegMeasured) -> String);

const LEGS: &[LegColumn] = &[
    ("streams", |leg| count(leg.streams.into())),
    ("packets expected", |leg| count(leg.packets_expected)),
    ("  counted by", |leg| leg.expected_from.clone()),
    ("packets received", |leg| count(leg.packets_received)),
    ("packets lost", |leg| count(leg.packets_lost)),
    ("packets lost, %", |leg| number_or_dash(leg.loss_percent)),
    ("late at playout (discarded)", |leg| {
        count(leg.packets_discarded)
    }),
    ("slots not sent", |leg| count(leg.packets_not_sent)),
    (UNAUTHENTIC, |leg| count(leg.packets_unauthentic)),
    ("duplicated / reordered", |leg| {
        format!(
            "{} / {}",
            count(leg.packets_duplicated),
            count(leg.packets_reordered)
        )
    }),
    ("interarrival jitter mean / max, ms", |leg| {
        pair(
            leg.interarrival_jitter_ms.mean,
            leg.interarrival_jitter_ms.max,
        )
    }),
    ("PDV p50 / p99, ms", |leg| {
        pair(leg.pdv_ms.p50, leg.pdv_ms.p99)
    }),
    ("PDV p99.9 / max, ms", |leg| {
        pair(leg.pdv_ms.p999, leg.pdv_ms.max)
    }),
    ("|IPDV| p50 / p99, ms", |leg| {
        pair(leg.ipdv_ms.p50, leg.ipdv_ms.p99)
    }),
    ("|IPDV| p99.9 / max, ms", |leg| {
        pair(leg.ipdv_ms.p999, leg.ipdv_ms.max)
    }),
    ("dead-air events / of 200 ms and more", |leg| {
        format!(
            "{} / {}",
            count(leg.dead_air.events),
            count(leg.dead_air.events_200ms)
        )
    }),
    ("dead air longest / total, ms", |leg| {
        format!(
            "{} / {}",
            number_or_dash(leg.dead_air.longest_ms),
            figures::number(leg.dead_air.total_ms)
        )
    }),
    ("dead-air events per 1000 call-minutes", |leg| {
        number_or_dash(leg.dead_air.per_1000_call_minutes)
    }),
    ("MOS-LQ estimate min / p5 / median", |leg| {
        joined(&[leg.mos_lq.min, leg.mos_lq.p5, leg.mos_lq.median])
    }),
    ("Mbit/s mean / max", |leg| pair(leg.mbps.mean, leg.mbps.max)),
    ("  RTP / transfer, Mbit/s", |leg| {
        pair(leg.rtp_mbps, leg.transfer_mbps)
    }),
    ("  by the interface's counter, Mbit/s", |leg| {
        number_or_dash(leg.nic_mbps)
    }),
    ("DSCP that arrived", |leg| {
        leg.dscp_arrived.map_or_else(dash, |dscp| dscp.to_string())
    }),
];

/// What impairments look like together.
const PATTERNS: &[LegColumn] = &[
    ("dead air of at least 40 / 60 / 100 ms", |leg| {
        let classes = &leg.dead_air_at_least;
        counts(&[classes.ms_40, classes.ms_60, classes.ms_100])
    }),
    ("dead air of at least 200 / 400 / 1000 ms", |leg| {
        let classes = &leg.dead_air_at_least;
        counts(&[classes.ms_200, classes.ms_400, classes.ms_1000])
    }),
    ("impairments, near ones joined", |leg| {
        count(leg.impairment_events)
    }),
    ("buffer depths compared, ms", |leg| {
        buffers(leg, |buffer| figures::number(buffer.depth_ms))
    }),
    ("  late at playout in each", |leg| {
        buffers(leg, |buffer| count(buffer.packets_discarded))
    }),
    ("  dead-air events in each", |leg| {
        buffers(leg, |buffer| count(buffer.dead_air_events))
    }),
    ("runs of lost packets / longest, packets", |leg| {
        let longest = leg.loss_runs.max_packets.map_or_else(dash, count);
        format!("{} / {longest}", count(leg.loss_runs.runs))
    }),
    ("bursts / mean length, ms (RFC 3611)", |leg| {
        let length = number_or_dash(leg.burst_gap.burst_duration_ms);
        format!("{} / {length}", count(leg.burst_gap.bursts))
    }),
    ("impaired in bursts / in gaps, %", |leg| {
        pair(
            leg.burst_gap.burst_density_percent,
            leg.burst_gap.gap_density_percent,
        )
    }),
    ("concealed, ms / mean interruption, ms", |leg| {
        pair(
            Some(leg.concealment.concealed_ms),
            leg.concealment.mean_interrupt_ms,
        )
    }),
    ("seconds unimpaired / concealed / severely", |leg| {
        let seconds = &leg.concealment;
        counts(&[
            seconds.unimpaired_seconds,
            seconds.concealed_seconds,
            seconds.severely_concealed_seconds,
        ])
    }),
];

fn counts(each: &[u64]) -> String {
    let words: Vec<String> = each.iter().map(|n| count(*n)).collect();
    words.join(" / ")
}

fn buffers(leg: &LegMeasured, figure: fn(&PlayoutBuffer) -> String) -> String {
    let words: Vec<String> = leg.playout_buffers.iter().map(figure).collect();
    words.join(" / ")
}

/// Both legs, a line a figure.
#[must_use]
pub fn legs(legs: &Legs) -> Vec<LegRow> {
    let all = [&legs.receive, &legs.sent];
    let is_authentic = all.iter().all(|leg| leg.packets_unauthentic == 0);
    let mut rows = rows(LEGS, legs);
    rows.retain(|row| row.label != UNAUTHENTIC || !is_authentic);
    rows
}

/// The same of how impairments lie to each other, for those who look for a cause.
#[must_use]
pub fn patterns(legs: &Legs) -> Vec<LegRow> {
    rows(PATTERNS, legs)
}

fn rows(columns: &[LegColumn], legs: &Legs) -> Vec<LegRow> {
    let fill = |&(label, fill): &LegColumn| LegRow {
        label,
        receive: fill(&legs.receive),
        sent: fill(&legs.sent),
    };
    columns.iter().map(fill).collect()
}

/// Whose doing delay variation was.
#[must_use]
pub fn attribution(attribution: &Attribution) -> Vec<LegRow> {
    let [receive, sent] = [&attribution.receive, &attribution.sent];
    let rows = ATTRIBUTION.iter().map(|(label, value)| LegRow {
        label,
        receive: number_or_dash(value(receive)),
        sent: number_or_dash(value(sent)),
    });
    rows.collect()
}

/// How it paced: `sleep, 1 thread, slots of 250 us; refused: SCHED_FIFO`.
fn pacing(timers: &EndTimers) -> String {
    let (Some(mode), Some(threads), Some(slot_us)) = (&timers.mode, timers.threads, timers.slot_us)
    else {
        return dash();
    };
    let refused: Vec<&str> = timers
        .rights
        .iter()
        .filter(|right| !right.granted)
        .map(|right| right.name.as_str())
        .collect();
    let refused = if refused.is_empty() {
        String::new()
    } else {
        format!("; refused: {}", refused.join(", "))
    };
    let threads = figures::counted(threads.into(), "thread");
    format!("{mode}, {threads}, slots of {slot_us} us{refused}")
}

fn shares(timers: &EndTimers) -> String {
    let (ran, waited) = (timers.running_percent, timers.runnable_percent);
    format!("{} / {}", number_or_dash(ran), number_or_dash(waited))
}

fn floor(floor: Option<&NoiseFloor>) -> String {
    let Some(floor) = floor else {
        return "not calibrated".to_owned();
    };
    format!(
        "{} / {} at {} streams",
        number_or_dash(floor.lateness_p999_us),
        number_or_dash(floor.pdv_p999_ms),
        floor.streams
    )
}

fn largest_load(floor: Option<&NoiseFloor>) -> String {
    floor.map_or_else(
        || "unknown: `milliwatt calibrate` tells".to_owned(),
        |floor| count(floor.largest_streams.into()),
    )
}

/// How the two machines kept time, and their hosts.
#[must_use]
pub fn machines(scorecard: &Scorecard) -> Vec<Fact> {
    [
        tester_facts(scorecard),
        guest_facts(scorecard),
        clock_facts(scorecard),
    ]
    .concat()
}

fn tester_facts(scorecard: &Scorecard) -> Vec<Fact> {
    let (v, host) = (&scorecard.validity, &scorecard.host);
    let departures = format!(
        "{} / {} / {}",
        count(v.departures_planned),
        count(v.departures_sent),
        count(v.departures_not_sent)
    );
    vec![
        decisive("tester: packets planned / sent / not sent", departures),
        decisive(
            "tester: lateness p50 / p99 / p99.9 / max, us",
            lateness(v.lateness_us),
        ),
        decisive(
            "tester: tainted seconds at full load",
            count(v.tainted_seconds.into()),
        ),
        fact("tester: own socket drops", count(v.socket_drops)),
        decisive(
            "tester: noise floor p99.9, lateness us / PDV ms",
            floor(scorecard.noise_floor.as_ref()),
        ),
        decisive(
            "tester: largest honest load, streams each way",
            largest_load(scorecard.noise_floor.as_ref()),
        ),
        fact("tester: pacing", pacing(&scorecard.timers.tester)),
        fact(
            "tester: departure to the kernel's own stamp p50 / p99 / p99.9 / max, us",
            lateness(scorecard.timers.tester.departure_stamp_us),
        ),
        fact(
            "tester: packet thread ran / was ready and did not, % of a second at most",
            shares(&scorecard.timers.tester),
        ),
        fact(
            "tester: CPU, % of all cores",
            number_or_dash(host.cpu_percent),
        ),
        fact(
            "tester: largest clock step, ms",
            number_or_dash(host.clock_step_ms),
        ),
        fact(
            "tester: real-time scheduling",
            host.real_time.clone().unwrap_or_else(dash),
        ),
    ]
}

fn guest_facts(scorecard: &Scorecard) -> Vec<Fact> {
    let guest = &scorecard.guest;
    let ticks = format!(
        "{} / {}",
        count_or_dash(guest.ticks_planned),
        count_or_dash(guest.ticks_missed)
    );
    vec![
        decisive("guest program: playout ticks planned / missed", ticks),
        decisive(
            "guest program: tick lateness p50 / p99 / p99.9 / max, us",
            lateness(guest.tick_lateness_us),
        ),
        fact(
            "guest program: own socket drops",
            count_or_dash(guest.socket_drops),
        ),
        fact(
            "guest program: recorder drops",
            count_or_dash(guest.recorder_drops),
        ),
        decisive(
            "guest: CPU, % of all cores",
            number_or_dash(guest.cpu_percent),
        ),
        decisive(
            "guest: CPU time stolen, %",
            number_or_dash(guest.steal_percent),
        ),
        decisive(
            "guest: largest clock step, ms",
            number_or_dash(guest.clock_step_ms),
        ),
        fact(
            "guest: real-time scheduling",
            guest.real_time.clone().unwrap_or_else(dash),
        ),
        fact(
            "guest program: packet thread ran / was ready and did not, % of a second at most",
            shares(&scorecard.timers.guest),
        ),
    ]
}

fn clock_facts(scorecard: &Scorecard) -> Vec<Fact> {
    let clock = &scorecard.clock;
    vec![
        fact(
            "clocks",
            if clock.same_clock {
                "one kernel's clock at both ends"
            } else {
                "one at each end"
            }
            .to_owned(),
        ),
        fact(
            "clocks: least round trip, ms",
            number_or_dash(clock.round_trip_min_ms),
        ),
        fact(
            "clocks: skew, guest minus tester, ppm",
            number_or_dash(clock.skew_ppm),
        ),
        fact(
            "control traffic, Mbit/s",
            number_or_dash(scorecard.control_mbps),
        ),
    ]
}

/// Published figures beside ours.
#[must_use]
pub fn document(scorecard: &Scorecard) -> Vec<DocumentRow> {
    let row = |figure: &milliwatt_scoring::measured::DocumentFigure| DocumentRow {
        figure: figure.figure.clone(),
        published: figures::quantity(figure.published, &figure.unit),
        measured: figure
            .measured
            .map_or_else(dash, |value| figures::quantity(value, &figure.unit)),
    };
    scorecard.document.iter().map(row).collect()
}

pub(crate) fn fact(label: &'static str, value: String) -> Fact {
    Fact {
        label,
        value,
        decisive: false,
    }
}

fn decisive(label: &'static str, value: String) -> Fact {
    Fact {
        label,
        value,
        decisive: true,
    }
}

fn dash() -> String {
    NOT_MEASURED.to_owned()
}

fn count_or_dash(value: Option<u64>) -> String {
    value.map_or_else(dash, count)
}

fn pair(first: Option<f64>, second: Option<f64>) -> String {
    joined(&[first, second])
}

fn lateness(l: Lateness) -> String {
    joined(&[l.p50, l.p99, l.p999, l.max])
}

fn joined(values: &[Option<f64>]) -> String {
    values
        .iter()
        .map(|value| number_or_dash(*value))
        .collect::<Vec<_>>()
        .join(" / ")
}
