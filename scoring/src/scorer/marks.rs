//! Marks, commands and named parts of a run, and which disruption belongs to which.

use crate::measured::{Disruption, HookRow, MarkEffect, MarkRow};
use milliwatt_wire::facts::{Fact, HookOutcome, MarkSource};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// A disruption that begins so long after a mark, or after a command ended, may be its doing, ns.
const EFFECT_AFTER_NS: i64 = 60 * NS_PER_SECOND;
/// What is told by hand, or by a log, is told up to so long after it happened, ns.
const TOLD_AFTER_NS: i64 = 10 * NS_PER_SECOND;

/// A mark.
#[derive(Clone, Debug)]
struct Mark {
    at: RunTime,
    label: String,
    source: MarkSource,
}

/// A command that ended.
#[derive(Clone, Debug)]
struct Hook {
    label: String,
    started: RunTime,
    ended: RunTime,
    outcome: HookOutcome,
    output: String,
}

/// What was told.
#[derive(Clone, Debug, Default)]
pub(super) struct MarkLog {
    marks: Vec<Mark>,
    hooks: Vec<Hook>,
    parts: Vec<(RunTime, String)>,
}

impl MarkLog {
    pub(super) fn absorb(&mut self, fact: &Fact) {
        match fact {
            Fact::Mark { at, label, source } => self.marks.push(Mark {
                at: *at,
                label: label.clone(),
                source: source.clone(),
            }),
            Fact::HookEnded {
                label,
                started,
                at,
                outcome,
                output,
            } => self.hooks.push(Hook {
                label: label.clone(),
                started: *started,
                ended: *at,
                outcome: outcome.clone(),
                output: output.clone(),
            }),
            Fact::PartStarted { name, at } => self.parts.push((*at, name.clone())),
            _ => {}
        }
    }

    /// The part that a time lies in.
    pub(super) fn part(&self, at: RunTime) -> Option<String> {
        let begun = self.parts.iter().filter(|(from, _)| *from <= at);
        begun
            .max_by_key(|(from, _)| *from)
            .map(|(_, name)| name.clone())
    }

    /// The nearest mark that may have to do with what began at a time. A command marks its begin and its end, and all that
    /// begins in between.
    pub(super) fn nearest(&self, began: RunTime) -> Option<(RunTime, &str)> {
        let near = |mark: &&Mark| is_near(mark.at, mark.at, began) || self.is_running(mark, began);
        let marks = self.marks.iter().filter(near);
        let nearest = marks.min_by_key(|mark| (began - mark.at).saturating_abs())?;
        Some((nearest.at, &nearest.label))
    }

    /// A mark of a command that was running at a time.
    fn is_running(&self, mark: &Mark, at: RunTime) -> bool {
        let of_hook = matches!(mark.source, MarkSource::HookStarted | MarkSource::HookEnded);
        let mut hooks = self.hooks.iter();
        of_hook
            && hooks.any(|hook| {
                hook.label == mark.label
                    && (hook.started..=hook.ended).contains(&mark.at)
                    && is_near(hook.started, hook.ended, at)
            })
    }

    /// A row a mark, in order of time, with the disruptions that are its own.
    pub(super) fn mark_rows(&self, disruptions: &[Disruption]) -> Vec<MarkRow> {
        let mut rows: Vec<MarkRow> = self
            .marks
            .iter()
            .map(|mark| {
                let own = disruptions.iter().filter(|disruption| {
                    disruption.mark_at == Some(mark.at.as_seconds())
                        && disruption.mark.as_ref() == Some(&mark.label)
                });
                let at = own.map(|disruption| disruption.at).collect();
                mark.row(at)
            })
            .collect();
        rows.sort_by(|a, b| a.at.total_cmp(&b.at));
        rows
    }

    /// A row a command, with all that began while it ran or shortly after.
    pub(super) fn hook_rows(&self, disruptions: &[Disruption]) -> Vec<HookRow> {
        let hooks = self.hooks.iter().map(|hook| {
            let (from, to) = (hook.started.as_seconds(), hook.ended.as_seconds());
            let after = RunTime(EFFECT_AFTER_NS).as_seconds();
            let own = disruptions
                .iter()
                .filter(|disruption| from <= disruption.at && disruption.at <= to + after);
            hook.row(own.map(|disruption| disruption.at).collect())
        });
        hooks.collect()
    }
}

/// Whether what began at a time may be the doing of what went on from `from` to `to`.
fn is_near(from: RunTime, to: RunTime, began: RunTime) -> bool {
    from - began <= TOLD_AFTER_NS && began - to <= EFFECT_AFTER_NS
}

impl Mark {
    fn row(&self, disruptions_at: Vec<f64>) -> MarkRow {
        let (source, detail) = source_words(&self.source);
        MarkRow {
            label: self.label.clone(),
            at: self.at.as_seconds(),
            source: source.to_owned(),
            detail: detail.map(str::to_owned),
            effect: effect(&disruptions_at),
            disruptions_at,
        }
    }
}

impl Hook {
    fn row(&self, disruptions_at: Vec<f64>) -> HookRow {
        let (outcome, exit_code, detail) = match &self.outcome {
            HookOutcome::Exited(code) => ("exited", Some(*code), None),
            HookOutcome::Signalled(signal) => ("signalled", None, Some(format!("signal {signal}"))),
            HookOutcome::TimedOut => ("timed-out", None, None),
            HookOutcome::NotStarted(why) => ("not-started", None, Some(why.clone())),
            HookOutcome::NotEnded => ("not-ended", None, None),
        };
        HookRow {
            label: self.label.clone(),
            started: self.started.as_seconds(),
            ended: self.ended.as_seconds(),
            outcome: outcome.to_owned(),
            exit_code,
            detail,
            output: self.output.clone(),
            effect: effect(&disruptions_at),
            disruptions_at,
        }
    }
}

fn effect(disruptions_at: &[f64]) -> MarkEffect {
    if disruptions_at.is_empty() {
        MarkEffect::None
    } else {
        MarkEffect::Disruption
    }
}

fn source_words(source: &MarkSource) -> (&'static str, Option<&str>) {
    match source {
        MarkSource::Told => ("told", None),
        MarkSource::Scenario => ("scenario", None),
        MarkSource::HookStarted => ("hook-started", None),
        MarkSource::HookEnded => ("hook-ended", None),
        MarkSource::Hypervisor(of) => ("hypervisor", Some(of)),
    }
}
