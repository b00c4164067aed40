//! Judgement: metrics, audio scoring, thresholds, validity, verdict. Sans-IO: everything is computed from facts.

pub mod analysis;
pub mod breaking_point;
pub mod burst_gap;
pub mod clock;
pub mod comparison;
pub mod dead_run;
pub mod delay_variation;
mod disruption;
pub mod emodel;
pub mod interarrival_jitter;
pub mod judgement;
pub mod loss_pattern;
pub mod measured;
pub mod metric;
pub mod percentile;
pub mod playout;
pub mod proportion;
pub mod rank_correlation;
pub mod recording;
pub mod reordering;
pub mod rtcp;
pub mod scorer;
pub mod sequence;
