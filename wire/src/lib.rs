//! What two milliwatt processes must agree on.

pub mod facts;
pub mod id;
pub mod load;
pub mod time;
