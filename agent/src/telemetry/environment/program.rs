//! Programs that know more: asked where they are installed, for a bounded time.

use milliwatt_wire::clock::mono_now;
use milliwatt_wire::time::NS_PER_SECOND;
use rustix::io::ioctl_fionbio;
use std::io::{ErrorKind, Read};
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

/// A program that has not answered by then is ended.
const PATIENCE_NS: i64 = NS_PER_SECOND;
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(5);
/// The longest answer that is taken, octets: a pipe holds as much before its writer waits.
const ANSWER_MAX: u64 = 64 * 1024;

/// What a program wrote; none where it is not there, fails, or takes too long.
pub(super) fn output(program: &str, args: &[&str]) -> Option<String> {
    output_within(PATIENCE_NS, program, args)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it waits for a program, off the packet path"
)]
fn output_within(patience_ns: i64, program: &str, args: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let until = mono_now() + patience_ns;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if mono_now() < until => thread::sleep(LOOK),
            _ => {
                // It may have ended by itself meanwhile.
                drop(child.kill());
                drop(child.wait());
                return None;
            }
        }
    };
    let text = written(child.stdout.take()?)?;
    status.success().then_some(text)
}

/// What stands in a pipe. What its writer left running may hold it open: that is not waited for.
fn written(pipe: ChildStdout) -> Option<String> {
    ioctl_fionbio(&pipe, true).ok()?;
    let mut octets = Vec::new();
    match pipe.take(ANSWER_MAX).read_to_end(&mut octets) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => None,
        _ => String::from_utf8(octets).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_told_and_one_that_fails_hangs_or_is_not_there_says_nothing() {
        assert_eq!(output("echo", &["here"]).as_deref(), Some("here\n"));
        assert_eq!(output("false", &[]), None);
        assert_eq!(output("milliwatt-no-such-program", &[]), None);
        assert_eq!(output_within(20_000_000, "sleep", &["60"]), None);
    }

    /// Its child has the pipe for 3 s more, and writes to it then.
    #[test]
    fn what_a_program_leaves_running_is_not_waited_for() {
        let script = "echo here; (sleep 3; echo late) &";
        assert_eq!(output("sh", &["-c", script]).as_deref(), Some("here\n"));
    }
}
