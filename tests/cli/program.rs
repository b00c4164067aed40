//! Runs the built binary.

use std::path::Path;
use std::process::Command;

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

impl Outcome {
    /// Both outputs and the code, for snapshots.
    pub(crate) fn text(&self) -> String {
        format!(
            "exit code {:?}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// Runs `milliwatt` with these arguments in `folder`, as in a pipe: no terminal, no colours.
pub(crate) fn milliwatt_in(folder: &Path, args: &[&str]) -> Outcome {
    run(command(folder, args))
}

/// The same on a machine on which no other program is installed.
pub(crate) fn milliwatt_without_programs(folder: &Path, args: &[&str]) -> Outcome {
    let mut command = command(folder, args);
    command.env("PATH", "/nonexistent");
    run(command)
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_milliwatt"));
    command
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("COLUMNS");
    command
}

fn run(mut command: Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// The same where the folder does not matter.
pub(crate) fn milliwatt(args: &[&str]) -> Outcome {
    milliwatt_in(Path::new(env!("CARGO_MANIFEST_DIR")), args)
}
