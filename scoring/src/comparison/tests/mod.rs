//! Comparisons of hand-made and simulated runs.

mod rates;
mod runs;
mod sides;
mod simulated;
mod vectors;
mod verdicts;
