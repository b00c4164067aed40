//! The scorer against runs of known truth, in virtual time.

mod attributed;
mod bounds;
mod breaking;
mod counting;
mod edges;
mod figures;
mod judging;
mod live;
mod observed;
mod origins;
mod places;
mod recording_events;
mod rich;
mod seconds;
mod stepped;
mod steps;
mod told;
mod transferred;
mod transferring;
mod truth;
