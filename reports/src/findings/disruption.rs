//! What live calls went through, in plain words.

use super::moment_of_day;
use crate::context::RunContext;
use crate::figures::{self, counted};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::{Disruption, DisruptionKind, HookRow, MarkEffect, MarkRow};
use milliwatt_wire::id::Leg;

/// A step of transit or of a clock is told from this size on, ms.
const STEP_TOLD_MS: f64 = 5.0;

/// Whether there is anything to say: something was interrupted, or was meant to be.
#[must_use]
pub fn is_told(scorecard: &Scorecard) -> bool {
    !scorecard.disruptions.is_empty() || !scorecard.marks.is_empty() || !scorecard.hooks.is_empty()
}

/// The `most` with the longest blackouts, in order of time.
#[must_use]
pub fn longest(scorecard: &Scorecard, most: usize) -> Vec<&Disruption> {
    let mut rows: Vec<&Disruption> = scorecard.disruptions.iter().collect();
    rows.sort_by(|a, b| b.blackout_ms.total_cmp(&a.blackout_ms));
    rows.truncate(most);
    rows.sort_by(|a, b| a.at.total_cmp(&b.at));
    rows
}

/// A paragraph a disruption of these.
#[must_use]
pub fn sentences(scorecard: &Scorecard, rows: &[&Disruption], context: &RunContext) -> Vec<String> {
    let disruptions = rows.iter();
    let marked = !scorecard.marks.is_empty();
    let told = disruptions.map(|row| {
        let mark = match &row.mark {
            Some(mark) => format!(" Mark: {mark}."),
            None if marked => " No mark is near it.".to_owned(),
            None => String::new(),
        };
        sentence(row, context) + &mark
    });
    told.collect()
}

/// `At 31.2 s into the run (22:13:51 UTC) all 500 streams stood still for 713 ms on both legs: 17,320 packets came too late to
/// be played, none was lost; recovered after 0.9 s.`
fn sentence(row: &Disruption, context: &RunContext) -> String {
    let mut text = format!(
        "At {} {} {} {} on {}: {}; {}.",
        moment_of_day(row.at, context),
        who(row),
        what(row.kind),
        length(row),
        place(row),
        packets(row),
        recovery(row),
    );
    for remark in [lost_calls(row), brownout(row), steps(row), taint(row)]
        .into_iter()
        .flatten()
    {
        text.push(' ');
        text.push_str(&remark);
    }
    text
}

fn who(row: &Disruption) -> String {
    if row.streams_affected == row.streams {
        return match row.streams {
            1 => "the only stream".to_owned(),
            streams => format!("all {} streams", figures::count(streams)),
        };
    }
    format!(
        "{} of {} streams",
        figures::count(row.streams_affected),
        figures::count(row.streams)
    )
}

fn what(kind: DisruptionKind) -> &'static str {
    match kind {
        DisruptionKind::Pause => "stood still",
        DisruptionKind::Loss => "lost all packets",
        DisruptionKind::Delay => "were held up",
    }
}

fn length(row: &Disruption) -> String {
    let ms = figures::number(row.blackout_ms.round());
    match row.recovered_ms {
        Some(_) => format!("for {ms} ms"),
        None => format!("and did not come back for the {ms} ms that were recorded"),
    }
}

fn place(row: &Disruption) -> String {
    if let [leg] = row.legs.as_slice() {
        return format!("the {}", leg.title());
    }
    let of = |leg| {
        let own = row.by_leg.get(leg)?;
        Some(figures::number(own.blackout_ms.round()))
    };
    match (of(Leg::Receive), of(Leg::Sent)) {
        (Some(receive), Some(sent)) if receive != sent => {
            format!("both legs (receive {receive} ms, sent {sent} ms)")
        }
        _ => "both legs".to_owned(),
    }
}

fn packets(row: &Disruption) -> String {
    let lost = match row.packets_lost {
        0 => "none was lost".to_owned(),
        some => format!("{} were lost", figures::count(some)),
    };
    let late = match row.packets_late {
        0 => "no packet came late".to_owned(),
        some => format!("{} came or were read late", counted(some, "packet")),
    };
    let not_sent = match row.packets_not_sent {
        0 => String::new(),
        some => format!(", {} not sent", figures::count(some)),
    };
    format!("{late}, {lost}{not_sent}")
}

fn recovery(row: &Disruption) -> String {
    row.recovered_ms.map_or_else(
        || "not recovered".to_owned(),
        |ms| {
            format!(
                "recovered after {} s",
                figures::number((ms / 10.0).round() / 100.0)
            )
        },
    )
}

fn lost_calls(row: &Disruption) -> Option<String> {
    (row.calls_lost > 0).then(|| {
        format!(
            "{} of {} up did not come back.",
            figures::count(row.calls_lost),
            counted(row.calls, "call")
        )
    })
}

fn brownout(row: &Disruption) -> Option<String> {
    let ms = row.brownout_ms.filter(|ms| *ms > 0.0)?;
    let worst = row.brownout_pdv_p99_ms?;
    Some(format!(
        "Delay variation was raised for {} s around it (p99 up to {} ms).",
        figures::number(ms / 1000.0),
        figures::number(worst)
    ))
}

fn steps(row: &Disruption) -> Option<String> {
    let legs = Leg::BOTH.into_iter().filter_map(|leg| {
        let step = row
            .by_leg
            .get(leg)?
            .step_ms
            .filter(|ms| ms.abs() >= STEP_TOLD_MS)?;
        Some(format!("{:+.1} ms on the {} leg", step, leg.key()))
    });
    let mut parts: Vec<String> = legs.collect();
    if !parts.is_empty() {
        parts = vec![format!(
            "The least transit stayed changed by {}",
            parts.join(" and ")
        )];
    }
    let clock = row.clock_step_ms.filter(|ms| ms.abs() >= STEP_TOLD_MS);
    parts.extend(clock.map(|ms| {
        let way = if ms < 0.0 { "behind" } else { "ahead" };
        format!(
            "the guest's clock was {:.1} ms {way} of where it had been",
            ms.abs()
        )
    }));
    (!parts.is_empty()).then(|| parts.join("; ") + ".")
}

fn taint(row: &Disruption) -> Option<String> {
    row.tainted.then(|| {
        "The tester did not keep its own time in that second either, by less than would explain it."
            .to_owned()
    })
}

/// What became of each mark, and each command, a sentence each.
#[must_use]
pub fn marks(scorecard: &Scorecard, context: &RunContext) -> Vec<String> {
    let of_hook = |mark: &&MarkRow| ["hook-started", "hook-ended"].contains(&mark.source.as_str());
    // A command that ended is told by itself, with all that began while it ran.
    let ended = |mark: &&MarkRow| scorecard.hooks.iter().any(|hook| hook.label == mark.label);
    let marks = scorecard
        .marks
        .iter()
        .filter(|mark| !(of_hook(mark) && ended(mark)));
    let mut lines: Vec<(f64, String)> = marks
        .map(|mark| (mark.at, mark_line(mark, context)))
        .chain(
            scorecard
                .hooks
                .iter()
                .map(|hook| (hook.started, hook_line(hook, context))),
        )
        .collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    lines.into_iter().map(|(_, line)| line).collect()
}

fn mark_line(mark: &MarkRow, context: &RunContext) -> String {
    format!(
        "mark {} at {}: {}",
        mark.label,
        moment_of_day(mark.at, context),
        effect(mark.effect, &mark.disruptions_at)
    )
}

fn hook_line(hook: &HookRow, context: &RunContext) -> String {
    let lasted = figures::duration((hook.ended - hook.started).max(0.0));
    let outcome = match (hook.outcome.as_str(), hook.exit_code, &hook.detail) {
        ("exited", Some(0), _) => format!("ended in order after {lasted}"),
        ("exited", Some(code), _) => format!("failed with code {code} after {lasted}"),
        ("timed-out", ..) => format!("did not end in its time and was ended after {lasted}"),
        ("not-ended", ..) => format!("was killed after {lasted}, did not end, and was left"),
        ("not-started", _, Some(why)) => format!("could not be started: {why}"),
        (_, _, Some(detail)) => format!("was ended by {detail} after {lasted}"),
        (other, ..) => other.to_owned(),
    };
    format!(
        "command of {} at {}: {outcome}; {}",
        hook.label,
        moment_of_day(hook.started, context),
        effect(hook.effect, &hook.disruptions_at)
    )
}

fn effect(effect: MarkEffect, at: &[f64]) -> String {
    match (effect, at) {
        (MarkEffect::None, _) => "no effect seen".to_owned(),
        (MarkEffect::Disruption, [at]) => {
            format!("the disruption at {} s is near it", figures::number(*at))
        }
        (MarkEffect::Disruption, many) => {
            let at: Vec<String> = many.iter().map(|at| figures::number(*at)).collect();
            format!("the disruptions at {} s are near it", at.join(", "))
        }
    }
}
