//! What asks this process to end: Ctrl-C, a polite kill, a terminal that is gone.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP's bit of a mask of signals as `/proc` shows it (proc(5)).
const HANGUP_BIT: u64 = 1;

/// A signal that asks this process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By a person or a service manager: SIGINT or SIGTERM.
    ToEnd,
    /// By the system, since the terminal was closed or its connection lost: SIGHUP. It may come twice of one closing, from the
    /// system and from the shell.
    ByHangup,
}

/// Such signals, as they come. From the first listening on none of them ends the process by itself.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where it is ignored, as under `nohup`: then it stays so.
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens from now on. The error is the system's.
    pub(crate) fn listen() -> io::Result<Self> {
        let hangup = (!ignores_hangup()).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup.transpose()?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Asked {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Asked::ToEnd,
            _ = self.terminate.recv() => Asked::ToEnd,
            _ = hangup => Asked::ByHangup,
        }
    }
}

/// Whether whoever started this process wants it to outlive its terminal. Where the system does not tell, not.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status).is_some_and(|mask| mask & HANGUP_BIT != 0)
}

/// The mask of ignored signals in `/proc/PID/status`.
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    u64::from_str_radix(mask?.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux 6.18 writes it, of `nohup sleep` and of a program of Rust, which ignores SIGPIPE.
    #[test]
    fn ignored_signals_are_read_from_what_the_system_says() {
        let status = |mask: &str| {
            format!("Name:\tsleep\nSigBlk:\t0000000000000000\nSigIgn:\t{mask}\nSigCgt:\t0\n")
        };
        assert_eq!(ignored(&status("0000000000000001")), Some(HANGUP_BIT));
        assert_eq!(ignored(&status("0000000000001000")), Some(0x1000));
        assert_eq!(ignored(&status("none")), None);
        assert_eq!(ignored(""), None);
    }
}
