//! Judgement: metrics, audio scoring, thresholds, validity, verdict. Sans-IO: everything is computed from facts.

pub mod measured;
