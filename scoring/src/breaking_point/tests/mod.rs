//! Tests of the whole, beside those of its parts.

mod searching;
