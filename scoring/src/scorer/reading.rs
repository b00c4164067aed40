//! All facts of a run, read as often as it takes.

use super::leg::LegRecord;
use super::spread::Spread;
use super::{Scorer, sample};
use crate::breaking_point::Evidence;
use crate::comparison::RunSample;
use crate::judgement::Judgement;
use crate::measured::Measured;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use std::ops::Range;

/// What a run measured, judged by its own facts or by another judgement.
///
/// `read` hands every fact of both ends to what it is given, those of one end in their order, and the
/// same ones each time it is called. Its error ends the scoring.
pub fn score<E>(
    judgement: Option<Judgement>,
    read: impl FnMut(&mut dyn FnMut(End, &Fact)) -> Result<(), E>,
) -> Result<Measured, E> {
    let read = Reading::of(judgement, false, read)?;
    Ok(read.scorer.finish(read.full, read.spread, &read.evidence))
}

/// What a run measured, and what it gives to a comparison with other runs.
///
/// `read` is as for [`score`].
pub fn score_for_comparison<E>(
    read: impl FnMut(&mut dyn FnMut(End, &Fact)) -> Result<(), E>,
) -> Result<(Measured, RunSample), E> {
    let mut read = Reading::of(None, true, read)?;
    let beside = sample::Beside::of(&read.scorer, &mut read.spread, read.full.as_ref());
    let measured = read.scorer.finish(read.full, read.spread, &read.evidence);
    let sample = beside.sample(&measured);
    Ok((measured, sample))
}

/// All facts, read.
struct Reading {
    scorer: Scorer,
    full: Option<Range<u32>>,
    spread: Spread,
    evidence: Evidence,
}

impl Reading {
    /// Reads facts as often as it takes; with `by_stream`, PDV of each stream is kept.
    fn of<E>(
        judgement: Option<Judgement>,
        by_stream: bool,
        mut read: impl FnMut(&mut dyn FnMut(End, &Fact)) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut scorer = Scorer {
            judgement,
            ..Scorer::default()
        };
        read(&mut |end, fact| scorer.absorb(end, fact))?;
        let full = scorer.full();
        let mut spread = scorer.spread(full.as_ref());
        if by_stream {
            spread.keep_streams(scorer.legs.each_ref().map(LegRecord::streams));
        }
        if spread.lacks_references() {
            read(&mut |_, fact| spread.refer(fact))?;
        }
        let mut evidence = scorer.evidence();
        read(&mut |end, fact| {
            spread.absorb(fact);
            evidence.absorb(end, fact);
        })?;
        Ok(Self {
            scorer,
            full,
            spread,
            evidence,
        })
    }
}
