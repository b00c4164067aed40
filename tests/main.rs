//! Tests of the whole program: the built binary, on real files and real sockets.

mod calls;
mod cli;
mod lab;
