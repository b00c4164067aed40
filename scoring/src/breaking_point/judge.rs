//! What a step says of a leg.

use super::evidence::{Evidence, StepRecord};
use super::second::LegTally;
use super::sums::{Limit, Sums};
use crate::judgement::Judgement;
use crate::measured::{StepLeg, StepOutcome, StepRow};
use crate::scorer::receiver_of;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::step::StepKind;
use milliwatt_wire::time::RunTime;
use std::ops::Range;

/// Seconds that make up a step's first, which is left out: buffers fill, transfers begin.
const LEFT_OUT: u32 = 1;
/// Fewer clean seconds than these say nothing.
const CLEAN_LEAST: usize = 2;

/// Some judged seconds of a leg.
struct Chosen<'a> {
    /// How many the tester spoilt.
    spoilt: usize,
    /// What was told of the others.
    clean: Vec<&'a LegTally>,
    /// Those of them of which the receiving end told.
    known: Vec<(u32, &'a LegTally)>,
}

/// What seconds say.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LegVerdict {
    outcome: StepOutcome,
    /// The limit that was passed first, and the second.
    broke: Option<(Limit, u32)>,
}

impl From<StepOutcome> for LegVerdict {
    fn from(outcome: StepOutcome) -> Self {
        Self {
            outcome,
            broke: None,
        }
    }
}

/// A leg of a step under a judgement.
#[derive(Clone, Copy)]
struct Case<'a> {
    record: &'a StepRecord,
    leg: Leg,
    judgement: &'a Judgement,
    guest_named: bool,
}

impl Evidence {
    /// What a step showed, by what was told of it so far; none of a step that was not told of.
    #[must_use]
    pub fn row(&self, index: u32, judgement: &Judgement) -> Option<StepRow> {
        let record = self.steps.get(&index)?;
        let leg = |leg| self.case(record, leg, judgement).measured();
        Some(StepRow {
            index,
            kind: record.kind,
            from_s: record.step.from.as_seconds(),
            until_s: record.until().as_seconds(),
            calls: record.step.calls,
            target_mbps: f64::from(record.target_kbps) / 1000.0,
            receive: leg(Leg::Receive),
            sent: leg(Leg::Sent),
        })
    }

    /// What each step showed, in their order.
    #[must_use]
    pub fn rows(&self, judgement: &Judgement) -> Vec<StepRow> {
        let indices = self.steps.keys();
        indices
            .filter_map(|index| self.row(*index, judgement))
            .collect()
    }

    /// What a step says of the receive leg and of the sent leg: for [`super::Search::take`].
    #[must_use]
    pub fn outcomes(&self, index: u32, judgement: &Judgement) -> Option<[StepOutcome; 2]> {
        let record = self.steps.get(&index)?;
        Some(Leg::BOTH.map(|leg| self.case(record, leg, judgement).verdict().outcome))
    }

    /// What a step that goes on is sure to say of a leg: that it is bad, once two judged seconds in a row are past the same
    /// limit each by itself, and the step would be past it even if nothing were amiss in the rest of it; for a load that is
    /// held for long, once two windows in a row are bad. None while it is open. Of the receive leg it may turn out at the step's
    /// end that only the guest was overtaxed.
    #[must_use]
    pub fn verdict_so_far(
        &self,
        index: u32,
        leg: Leg,
        judgement: &Judgement,
    ) -> Option<StepOutcome> {
        let record = self.steps.get(&index)?;
        let case = self.case(record, leg, judgement);
        let all = case.planned();
        let told = all.start
            ..all
                .clone()
                .find(|second| !self.is_told(*second))
                .unwrap_or(all.end);
        let is_bad = match record.kind {
            StepKind::Confirm => case.broke_in_windows(told).is_some(),
            _ => case.is_surely_bad(told, all.len() as u64),
        };
        is_bad.then_some(StepOutcome::Bad)
    }

    fn case<'a>(&self, record: &'a StepRecord, leg: Leg, judgement: &'a Judgement) -> Case<'a> {
        Case {
            record,
            leg,
            judgement,
            guest_named: self.guest_named,
        }
    }
}

impl Case<'_> {
    /// Seconds that are to be judged.
    fn planned(&self) -> Range<u32> {
        let until = self.record.until().second();
        let from = self.record.step.from.second().saturating_add(LEFT_OUT);
        from.min(until)..until
    }

    /// Of those, the ones that an end has come to: a run may be cut off.
    fn range(&self) -> Range<u32> {
        let planned = self.planned();
        let last = self.record.seconds.keys().next_back();
        let told = last.map_or(0, |last| last.saturating_add(1));
        planned.start..planned.end.min(told).max(planned.start)
    }

    /// The tester's own time; and the agent's when no guest was named, since both then share one machine.
    fn is_tainted(&self, second: u32) -> bool {
        let bound = self.judgement.lateness_bound_us;
        self.record.seconds.get(&second).is_some_and(|tally| {
            tally.ends[End::Tester as usize].is_tainted(bound)
                || !self.guest_named && tally.ends[End::Guest as usize].is_tainted(bound)
        })
    }

    fn chosen(&self, range: Range<u32>) -> Chosen<'_> {
        let receiver = receiver_of(self.leg) as usize;
        let mut chosen = Chosen {
            spoilt: 0,
            clean: Vec::new(),
            known: Vec::new(),
        };
        for second in range {
            if self.is_tainted(second) {
                chosen.spoilt += 1;
            } else if let Some(tally) = self.record.seconds.get(&second) {
                let leg = &tally.legs[self.leg as usize];
                chosen.clean.push(leg);
                if tally.ends[receiver].told {
                    chosen.known.push((second, leg));
                }
            }
        }
        chosen
    }

    fn is_past(&self, sums: &Sums, limit: Limit, whole: u64) -> bool {
        sums.is_past(limit, &self.judgement.steps, whole)
    }

    /// Past the other leg's limit, what the guest alone did not get done says nothing of the receive leg. A load that is held
    /// for long lies below that limit: what breaks there broke.
    fn verdict(&self) -> LegVerdict {
        let alone = self.alone();
        let sent = Case {
            leg: Leg::Sent,
            ..*self
        };
        let is_harmed = self.leg == Leg::Receive
            && self.record.kind != StepKind::Confirm
            && alone.outcome == StepOutcome::Bad
            && self.is_playout_alone()
            && sent.alone().outcome == StepOutcome::Bad;
        if is_harmed {
            StepOutcome::GuestLimited.into()
        } else {
            alone
        }
    }

    /// Had the guest's playout missed nothing, no limit would have been passed.
    fn is_playout_alone(&self) -> bool {
        let known = self.chosen(self.range()).known;
        let all: Sums = known.iter().map(|(_, tally)| *tally).collect();
        let all = all.without_missed_playout();
        !Limit::ALL.iter().any(|limit| self.is_past(&all, *limit, 0))
    }

    /// What the leg says by itself.
    fn alone(&self) -> LegVerdict {
        let range = self.range();
        let window = self.window();
        if self.record.kind == StepKind::Confirm && range.len() >= 2 * window as usize {
            return self.verdict_of_windows(range);
        }
        self.verdict_over(range)
    }

    /// Seconds judged at once.
    fn verdict_over(&self, range: Range<u32>) -> LegVerdict {
        let judged = range.len();
        let chosen = self.chosen(range);
        let clean = judged - chosen.spoilt;
        if chosen.spoilt > 0 && (2 * clean < judged || clean < CLEAN_LEAST) {
            return StepOutcome::Tainted.into();
        }
        let all: Sums = chosen.known.iter().map(|(_, tally)| *tally).collect();
        // Nothing came, and nobody said that anything was sent.
        if chosen.known.len() < CLEAN_LEAST || all.is_empty() {
            return StepOutcome::NotMeasured.into();
        }
        let broke = self.broke(&chosen.known, &all);
        match broke {
            Some(_) => LegVerdict {
                outcome: StepOutcome::Bad,
                broke,
            },
            None if 2 * chosen.known.len() < clean => StepOutcome::NotMeasured.into(),
            None => StepOutcome::Good.into(),
        }
    }

    /// The limit that was passed first of those that all seconds together are past: in the first second that is past it by
    /// itself, or else in the last.
    fn broke(&self, known: &[(u32, &LegTally)], all: &Sums) -> Option<(Limit, u32)> {
        let (last, _) = known.last()?;
        let passed = Limit::ALL
            .into_iter()
            .filter(|limit| self.is_past(all, *limit, 0));
        let dated = passed.map(|limit| {
            let alone = known
                .iter()
                .find(|(_, tally)| self.is_past(&Sums::from_iter([*tally]), limit, 0));
            (limit, alone.map_or(*last, |(second, _)| *second))
        });
        // The first of equals.
        dated.min_by_key(|(_, second)| *second)
    }

    fn is_surely_bad(&self, told: Range<u32>, whole: u64) -> bool {
        let known = self.chosen(told).known;
        let all: Sums = known.iter().map(|(_, tally)| *tally).collect();
        let alone: Vec<Sums> = known
            .iter()
            .map(|(_, tally)| Sums::from_iter([*tally]))
            .collect();
        let passed = Limit::ALL
            .into_iter()
            .filter(|limit| self.is_past(&all, *limit, whole));
        passed.into_iter().any(|limit| {
            alone
                .windows(2)
                .any(|two| two.iter().all(|one| self.is_past(one, limit, 0)))
        })
    }

    fn window(&self) -> u32 {
        self.judgement.steps.confirm_window_s.max(2)
    }

    /// Whole windows of a range.
    fn windows(&self, range: Range<u32>) -> impl Iterator<Item = LegVerdict> + '_ {
        let length = self.window();
        let whole = (range.end - range.start) / length;
        (0..whole).map(move |number| {
            let from = range.start + number * length;
            self.verdict_over(from..from + length)
        })
    }

    /// The first of two bad windows in a row; those of which nothing is known part none.
    fn broke_in_windows(&self, range: Range<u32>) -> Option<(Limit, u32)> {
        let told = self
            .windows(range)
            .filter(|window| matches!(window.outcome, StepOutcome::Good | StepOutcome::Bad));
        let mut before = None;
        for window in told {
            if before.is_some() && window.broke.is_some() {
                return before;
            }
            before = window.broke;
        }
        None
    }

    fn verdict_of_windows(&self, range: Range<u32>) -> LegVerdict {
        if let Some(broke) = self.broke_in_windows(range.clone()) {
            return LegVerdict {
                outcome: StepOutcome::Bad,
                broke: Some(broke),
            };
        }
        let outcomes: Vec<StepOutcome> = self.windows(range).map(|window| window.outcome).collect();
        let count = |outcome| outcomes.iter().filter(|held| **held == outcome).count();
        let (spoilt, unknown) = (count(StepOutcome::Tainted), count(StepOutcome::NotMeasured));
        match 2 * (spoilt + unknown) > outcomes.len() {
            false => StepOutcome::Good.into(),
            true if spoilt >= unknown => StepOutcome::Tainted.into(),
            true => StepOutcome::NotMeasured.into(),
        }
    }

    /// What stands in the scorecard.
    fn measured(&self) -> StepLeg {
        let verdict = self.verdict();
        let chosen = self.chosen(self.range());
        let offered: Sums = chosen.clean.iter().copied().collect();
        let known: Sums = chosen.known.iter().map(|(_, tally)| *tally).collect();
        StepLeg {
            outcome: verdict.outcome,
            offered_mbps: offered.offered_mbps(),
            carried_mbps: known.carried_mbps(),
            transfer_mbps: offered.transfer_mbps(),
            loss_percent: known.loss_percent(),
            discarded_percent: known.discarded_percent(),
            dead_air_events: known.dead_air,
            pdv_p999_ms: known.pdv_p999_ms(),
            transfer_goodput_percent: known.goodput(),
            metric: verdict.broke.map(|(limit, _)| limit.key().to_owned()),
            at_s: verdict
                .broke
                .map(|(_, second)| RunTime(i64::from(second) * 1_000_000_000).as_seconds()),
        }
    }
}
