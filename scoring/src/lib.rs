//! Judgement: metrics, audio scoring, thresholds, validity, verdict. Sans-IO: everything is computed from facts.

pub mod interarrival_jitter;
pub mod measured;
pub mod sequence;
