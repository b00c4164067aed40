//! Programs that run on the lab's machines.

use super::{text_of, wait_for};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A program that runs; it is killed with this value.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// A program that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it printed there.
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |octets| String::from_utf8(octets).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Program {
    /// Starts it; both outputs go to files in `folder`, where nothing can block it.
    pub(super) fn start(mut command: Command, folder: &Path) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let [stdout, stderr] =
            ["stdout", "stderr"].map(|stream| folder.join(format!("program-{number}.{stream}")));
        command.stdin(Stdio::null());
        command
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap());
        Self {
            child: command.spawn().unwrap(),
            stdout,
            stderr,
        }
    }

    /// Its process id: `ip netns exec` becomes the program itself.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed on standard output so far.
    pub(crate) fn stdout(&self) -> String {
        text_of(&self.stdout)
    }

    /// What it has printed on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        text_of(&self.stderr)
    }

    /// True while it runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends it a signal, by name, such as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([
                OsStr::new("-s"),
                name.as_ref(),
                self.pid().to_string().as_ref(),
            ])
            .status();
        assert!(sent.unwrap().success(), "SIG{name} to {}", self.pid());
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        self.ended(status)
    }

    /// Waits for its end, which must come within `seconds`.
    pub(crate) fn wait_within(mut self, seconds: i64) -> Ended {
        let mut status = None;
        wait_for("the program's end", seconds, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        self.ended(status.unwrap())
    }

    fn ended(&self, status: ExitStatus) -> Ended {
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        self.ended(status)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `milliwatt agent`, ready for testers.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Its process.
    pub(crate) program: Program,
    /// The join line that it printed.
    pub(crate) join: String,
}

impl Agent {
    /// Waits for the join line, which is the first that it prints.
    pub(crate) fn announced(mut program: Program) -> Self {
        wait_for("the agent's join line", 10, || {
            assert!(program.runs(), "the agent ended: {}", program.stderr());
            program.stdout().contains('\n')
        });
        let join = program.stdout().lines().next().unwrap().to_owned();
        assert!(
            join.starts_with("milliwatt1:"),
            "the agent's first line is no join line: {join}"
        );
        Self { program, join }
    }
}
