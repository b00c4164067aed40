//! A lab of one test: two network namespaces, `tester` and `guest`, joined by a cable (veth), with
//! the built program running in them as real processes.
//!
//! Whatever a lab made (namespaces, processes, rules, folder) goes away with it, also when the test
//! fails; only the folder of a failed test stays, and its path is printed. Labs load the machine, so
//! one exists at a time: [`Lab::open`] waits for the one before.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod capture;
mod freeze;
mod network;
mod process;
pub(crate) mod requirement;
mod run_folder;
mod selftest;
pub(crate) mod sipp;
mod starved;
mod witness;

pub(crate) use capture::{Capture, Captured, CapturedStream};
pub(crate) use freeze::Frozen;
pub(crate) use network::{Octets, Side, WIRE};
pub(crate) use process::{Agent, Ended, Program};
pub(crate) use run_folder::{Row, RunFolder, run_zero};
pub(crate) use starved::Starved;
pub(crate) use witness::{Stall, Witness};

use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};
use network::Namespaces;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The built program.
pub(crate) const MILLIWATT: &str = env!("CARGO_BIN_EXE_milliwatt");

/// Two machines and the cable between them.
#[derive(Debug)]
pub(crate) struct Lab {
    // In the order of their end: namespaces, then files, then the next test's turn.
    namespaces: Namespaces,
    folder: TempDir,
    _turn: Turn,
}

impl Lab {
    /// A lab, when this machine can have one and has `programs` too; else the test is skipped
    /// (see [`requirement`]) and there is none.
    #[track_caller]
    pub(crate) fn open(programs: &[&str]) -> Option<Self> {
        let mut needs = vec!["root", "ip", "nft", "namespaces"];
        needs.extend(programs);
        if requirement::missing(&needs) {
            return None;
        }
        let turn = Turn::wait();
        Some(Self {
            namespaces: Namespaces::make(),
            folder: tempfile::Builder::new()
                .prefix("milliwatt-lab-")
                .tempdir()
                .unwrap(),
            _turn: turn,
        })
    }

    /// A path in the lab's folder, which is on the host's disk and seen from both machines.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file there.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// `program` as a command on that machine; its working folder is the lab's.
    pub(crate) fn command(&self, side: Side, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.namespaces.name(side), program]);
        command.current_dir(self.folder.path()).env("NO_COLOR", "1");
        command
    }

    /// Starts `program` there; what it prints goes to files of the lab's folder.
    pub(crate) fn start(&self, side: Side, program: &str, args: &[&str]) -> Program {
        let mut command = self.command(side, program);
        command.args(args);
        Program::start(command, self.folder.path())
    }

    /// Starts `program` on this machine itself, outside both of the lab's: where the test has a part in what passes.
    pub(crate) fn start_here(&self, program: &str, args: &[&str]) -> Program {
        let mut command = Command::new(program);
        command.args(args);
        command.current_dir(self.folder.path()).env("NO_COLOR", "1");
        Program::start(command, self.folder.path())
    }

    /// Starts `milliwatt agent` on the guest, with further flags, and waits for its join line.
    pub(crate) fn start_agent(&self, args: &[&str]) -> Agent {
        let listen = format!("{}:7700", Side::Guest.address());
        let dir = self.path("agent");
        let dir = dir.to_str().unwrap();
        let fixed = ["agent", "--listen", &listen, "--dir", dir];
        Agent::announced(self.start(Side::Guest, MILLIWATT, &[&fixed[..], args].concat()))
    }

    /// Starts `milliwatt run` on the tester against `agent`, results in folder `out` of the lab. The
    /// machine under this lab stands still for some milliseconds now and then, which is no matter of
    /// most tests: the tester is believed up to 20 ms of lateness unless `args` ask for its default.
    pub(crate) fn start_run(
        &self,
        scenario: &str,
        agent: &Agent,
        out: &str,
        args: &[&str],
    ) -> Program {
        let out = self.path(out);
        let fixed = [
            "run",
            scenario,
            "--guest",
            &agent.join,
            "--out",
            out.to_str().unwrap(),
            "--set",
            "validity.lateness=20ms",
        ];
        self.start(Side::Tester, MILLIWATT, &[&fixed[..], args].concat())
    }

    /// Starts an agent, runs `scenario` against it to its end, and gives the run's folder.
    pub(crate) fn run(&self, scenario: &str, args: &[&str]) -> RunFolder {
        let agent = self.start_agent(&[]);
        let ended = self.start_run(scenario, &agent, "run", args).wait();
        RunFolder::of(self.path("run"), ended)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!(
                "the lab's files are kept in {}",
                self.folder.path().display()
            );
        }
    }
}

/// The right to load this machine, held by one test of all processes at a time.
#[derive(Debug)]
pub(crate) struct Turn {
    _lock: File,
}

impl Turn {
    /// Waits for it.
    pub(crate) fn wait() -> Self {
        let lock = File::create(std::env::temp_dir().join("milliwatt-lab.lock")).unwrap();
        lock.lock().unwrap();
        Self { _lock: lock }
    }
}

/// Lets real time pass, for what happens at a moment of a run.
pub(crate) fn pass_time(ms: i64) {
    sleep_until(mono_now() + ms * NS_PER_MS);
}

/// Waits until `happened`, looking a hundred times a second; fails when it does not within `seconds`.
pub(crate) fn wait_for(what: &str, seconds: i64, mut happened: impl FnMut() -> bool) {
    let end = mono_now() + seconds * NS_PER_SECOND;
    while !happened() {
        assert!(mono_now() < end, "{what}: not within {seconds} s");
        pass_time(10);
    }
}

/// What `milliwatt analyze --json` says of a capture.
pub(crate) fn analyze(capture: &Path) -> serde_json::Value {
    let output = Command::new(MILLIWATT)
        .args(["analyze", "--json"])
        .arg(capture)
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// True for the tests' long form (`MILLIWATT_LONG=1`): the same assertions, more load and time.
pub(crate) fn long() -> bool {
    std::env::var_os("MILLIWATT_LONG").is_some_and(|value| value != "0")
}

/// A file's text; empty where there is no such file yet.
fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
