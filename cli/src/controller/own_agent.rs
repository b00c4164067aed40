//! An agent of our own, when no guest was named: a process beside this one, on loopback. It proves
//! the harness, not a virtual machine.

use crate::exit::Failure;
use milliwatt_wire::join::Join;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The agent's process; it is ended with this value.
pub(super) struct OwnAgent {
    child: Child,
    pub(super) join: Join,
}

impl OwnAgent {
    /// Starts it with `folder` to write in.
    pub(super) async fn start(folder: &Path) -> Result<Self, Failure> {
        let failed = |why: String| {
            Failure::could_not_run(format!("cannot start an agent of our own: {why}"))
        };
        let program = std::env::current_exe().map_err(|e| failed(e.to_string()))?;
        let mut child = Command::new(program)
            .args([
                "agent",
                "--with-stdin",
                "--listen",
                "127.0.0.1:0",
                "--max-disk",
                "1000 GB",
                "--max-duration",
                "1000h",
                "--dir",
            ])
            .arg(folder)
            // Ctrl-C at the terminal is for the tester alone, which drains; and when the tester is
            // killed, its end of this pipe closes and the agent ends too.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| failed(e.to_string()))?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| failed("it has no output".into()))?;
        let mut lines = BufReader::new(output).lines();
        let line = timeout(Duration::from_secs(10), lines.next_line()).await;
        let line = line.map_err(|_| failed("it printed no join line in 10 s".into()))?;
        let line = line
            .map_err(|e| failed(e.to_string()))?
            .ok_or_else(|| failed("it ended at once: see its message above".into()))?;
        let join = line
            .parse()
            .map_err(|e| failed(format!("its join line cannot be read: {e}")))?;
        // Whatever it prints later must not block it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, join })
    }

    /// Ends it.
    pub(super) async fn stop(mut self) {
        if let Err(error) = self.child.kill().await {
            crate::output::complain(&format!("the agent's process could not be ended: {error}"));
        }
    }
}
