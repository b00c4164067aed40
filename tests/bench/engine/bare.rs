//! The bare loops of `tests/bench/bare.c`: compiled, started, read.

use crate::lab::{Lab, Program, Side, wait_for};
use crate::paced::WORD;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// First port of what the tester sends, and of what the guest sends: a bare sender and a bare receiver of one
/// machine do not share sockets.
const PORTS: [(Side, u32); 2] = [(Side::Tester, 20_000), (Side::Guest, 30_000)];

/// The compiled program.
pub(crate) struct Bare {
    program: PathBuf,
}

/// One of its loops that runs.
pub(crate) struct Loop {
    program: Program,
}

impl Bare {
    /// Compiles it into the lab's folder.
    pub(crate) fn compile(lab: &Lab) -> Self {
        let program = lab.path("bare");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/bare.c");
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-Wall", source, "-o"]).arg(&program);
        assert!(cc.status().unwrap().success(), "{cc:?}");
        Self { program }
    }

    /// Starts a loop that sends from that machine to the other one (`send`, `pace`), with these options.
    pub(crate) fn start_sender(&self, lab: &Lab, from: Side, what: &str, options: &str) -> Loop {
        let (local, remote) = (from.address(), other(from).address());
        let ends = format!(
            "{what} --local {local} --remote {remote} --port {}",
            first_port(from)
        );
        self.start(lab, from, &format!("{ends} {options}"))
    }

    /// Starts a loop that reads what the other machine sends (`receive`, `sink`), and waits until its sockets are
    /// open.
    pub(crate) fn start_receiver(&self, lab: &Lab, at: Side, what: &str, options: &str) -> Loop {
        let (local, port) = (at.address(), first_port(other(at)));
        let receiver = self.start(
            lab,
            at,
            &format!("{what} --local {local} --port {port} {options}"),
        );
        let ready = || receiver.program.stderr().contains("ready");
        wait_for("the bare receiver", 10, ready);
        receiver
    }

    /// Starts our own pacing thread in place of `pace`, with these options.
    pub(crate) fn start_paced(lab: &Lab, options: &str) -> Loop {
        let (from, to) = (Side::Tester, Side::Guest);
        let (local, remote, port) = (from.address(), to.address(), first_port(from));
        let words = format!("{WORD} --local {local} --remote {remote} --port {port} {options}");
        let program = std::env::current_exe().unwrap();
        Loop::start(lab, from, program.to_str().unwrap(), &words)
    }

    fn start(&self, lab: &Lab, side: Side, words: &str) -> Loop {
        Loop::start(lab, side, self.program.to_str().unwrap(), words)
    }
}

impl Loop {
    /// The process, for what the kernel counts of it.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    fn start(lab: &Lab, side: Side, program: &str, words: &str) -> Self {
        let words: Vec<&str> = words.split_whitespace().collect();
        Self {
            program: lab.start(side, program, &words),
        }
    }

    /// Waits for its end; what it measured.
    pub(crate) fn end(self) -> Value {
        let ended = self.program.wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

/// First port of the streams that `sender` sends.
pub(crate) fn first_port(sender: Side) -> u32 {
    let port = PORTS.iter().find(|(side, _)| *side == sender);
    port.unwrap().1
}

fn other(side: Side) -> Side {
    match side {
        Side::Tester => Side::Guest,
        Side::Guest => Side::Tester,
    }
}
