//! The scorer against runs of known truth, in virtual time.

mod counting;
mod judging;
mod live;
mod truth;
