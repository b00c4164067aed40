//! Tests of the whole program: the built binary, on real files and real sockets.

mod bad_input;
mod breaking;
mod calls;
mod captures;
mod cli;
mod lab;
mod recordings;
mod transfers;
mod vm;
