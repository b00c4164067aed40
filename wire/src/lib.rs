//! What two milliwatt processes must agree on.

pub mod block;
pub mod capture;
pub mod clock;
pub mod control;
pub mod facts;
pub mod frame;
#[cfg(test)]
mod fuzz_seeds;
pub mod g711;
pub mod g722;
pub mod id;
pub mod join;
pub mod load;
pub mod neighbour;
pub mod probe;
pub mod socket;
pub mod srtp;
pub mod step;
pub mod time;
pub mod tls;
pub mod transfer;
