//! Commands of a scenario: each a process group of its own, started at its time and watched beside the run, which never
//! waits for one. What a command says is kept to its end; one that does not end by itself is ended with all that it started, at
//! the latest with the run, however that ends. What a command leaves behind that ended by itself is its own affair.

mod tail;

use crate::scenario::programme::HookCommand;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::facts::HookOutcome;
use milliwatt_wire::time::MonoTime;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tail::Tail;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The environment variable by which `milliwatt mark` finds the run of the command that calls it.
pub const RUN_DIR: &str = "MILLIWATT_RUN_DIR";

/// A command that was asked to end may take so long before it is ended.
const GRACE: Duration = Duration::from_secs(2);
/// One that was ended may take so long to be gone. One that does not go hangs in the system (a disk that does not answer, say), and is
/// left.
const STUCK: Duration = Duration::from_secs(1);
/// What a command wrote last may still be on its way; what it left running may write on for ever.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Longer than all of these together.
const ALL_ENDED: Duration = Duration::from_secs(6);

/// A command that ended, or could not be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HookEnd {
    /// Place of its event in the programme.
    pub(super) event: usize,
    pub(super) started: MonoTime,
    pub(super) at: MonoTime,
    pub(super) outcome: HookOutcome,
    /// The end of what it wrote to standard output and standard error.
    pub(super) output: String,
    /// The run's end ended it.
    pub(super) cut: bool,
}

/// The commands of a run.
pub(super) struct Hooks {
    out: mpsc::UnboundedSender<HookEnd>,
    ends: mpsc::UnboundedReceiver<HookEnd>,
    /// Tells all of them to end.
    stop: watch::Sender<bool>,
    running: usize,
}

impl Default for Hooks {
    fn default() -> Self {
        let (out, ends) = mpsc::unbounded_channel();
        Self {
            out,
            ends,
            stop: watch::Sender::new(false),
            running: 0,
        }
    }
}

impl Hooks {
    /// Starts the command of `event`, in a run that writes to `folder`; its end comes later, also where it cannot be started.
    pub(super) fn start(&mut self, event: usize, hook: &HookCommand, folder: &Path) {
        self.running += 1;
        let (out, stop) = (self.out.clone(), self.stop.subscribe());
        let started = mono_now();
        let end = move |(outcome, output, cut)| HookEnd {
            event,
            started,
            at: mono_now(),
            outcome,
            output,
            cut,
        };
        let spawned = spawn(hook, folder);
        let limit = Duration::from_nanos(u64::try_from(hook.timeout).unwrap_or(0));
        tokio::spawn(async move {
            let ended = match spawned {
                Ok(child) => watch_child(child, limit, stop).await,
                Err(error) => (
                    HookOutcome::NotStarted(error.to_string()),
                    String::new(),
                    false,
                ),
            };
            // The run waits for it, or has given up.
            out.send(end(ended)).unwrap_or_default();
        });
    }

    /// The next command that ends.
    pub(super) async fn next(&mut self) -> Option<HookEnd> {
        let end = self.ends.recv().await;
        self.running -= usize::from(end.is_some());
        end
    }

    /// Ends all that still run and gives their ends.
    pub(super) async fn end_all(&mut self) -> Vec<HookEnd> {
        self.stop.send_replace(true);
        let mut ends = Vec::new();
        let all = async {
            while self.running > 0 {
                ends.extend(self.next().await);
            }
        };
        // Each tells of its end in this time, also one that did not end.
        timeout(ALL_ENDED, all).await.unwrap_or_default();
        ends
    }
}

fn spawn(hook: &HookCommand, folder: &Path) -> std::io::Result<Child> {
    let Some((program, arguments)) = hook.words.split_first() else {
        return Err(std::io::ErrorKind::InvalidInput.into());
    };
    Command::new(program)
        .args(arguments)
        .env(RUN_DIR, std::path::absolute(folder)?)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Until it ends by itself, its time is over, or the run is.
async fn watch_child(
    mut child: Child,
    limit: Duration,
    mut stop: watch::Receiver<bool>,
) -> (HookOutcome, String, bool) {
    let tail = Arc::new(Mutex::new(Tail::default()));
    let mut group = Group::of(&child);
    let readers = [
        child.stdout.take().map(|out| keep(out, &tail)),
        child.stderr.take().map(|out| keep(out, &tail)),
    ];
    let (ended, cut) = tokio::select! {
        status = child.wait() => (Some(status), false),
        () = sleep(limit) => (None, false),
        _ = stop.wait_for(|stopped| *stopped) => (None, true),
    };
    let outcome = match ended {
        Some(status) => {
            group.leave();
            outcome(status)
        }
        None => match group.end(child.wait(), [GRACE, STUCK]).await {
            None => HookOutcome::NotEnded,
            Some(status) if cut => outcome(status),
            Some(_) => HookOutcome::TimedOut,
        },
    };
    for mut reader in readers.into_iter().flatten() {
        if timeout(LAST_WORDS, &mut reader).await.is_err() {
            reader.abort();
        }
    }
    let text = tail.lock().unwrap_or_else(PoisonError::into_inner).text();
    (outcome, text, cut)
}

/// The processes of a command: those that still run end with this value. So they do when the run comes to no end of its own.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Its command ended by itself: its number may be another's soon.
    fn leave(&mut self) {
        self.0 = None;
    }

    /// Asks it to end, then ends it, and waits so long for each. None where its command is not gone even then.
    async fn end(
        &mut self,
        gone: impl Future<Output = std::io::Result<ExitStatus>>,
        [grace, stuck]: [Duration; 2],
    ) -> Option<std::io::Result<ExitStatus>> {
        let mut gone = pin!(gone);
        self.tell(Signal::TERM);
        let asked = timeout(grace, &mut gone).await;
        // What it started may not have ended with it.
        self.tell(Signal::KILL);
        let leader = self.0.take();
        if let Ok(status) = asked {
            return Some(status);
        }
        // A command may have left its group, and is there still: its number is no other's.
        let told = leader.map_or(Ok(()), |leader| kill_process(leader, Signal::KILL));
        told.unwrap_or_default();
        timeout(stuck, gone).await.ok()
    }

    fn tell(&self, signal: Signal) {
        // A group that is gone already has nothing left to end.
        self.0
            .map_or(Ok(()), |group| kill_process_group(group, signal))
            .unwrap_or_default();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.tell(Signal::KILL);
    }
}

fn outcome(status: std::io::Result<ExitStatus>) -> HookOutcome {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => HookOutcome::Exited(code),
            (None, signal) => HookOutcome::Signalled(signal.unwrap_or(0)),
        },
        Err(error) => HookOutcome::NotStarted(format!("its end could not be learned: {error}")),
    }
}

/// Keeps the end of what comes.
fn keep(
    mut from: impl AsyncRead + Unpin + Send + 'static,
    tail: &Arc<Mutex<Tail>>,
) -> JoinHandle<()> {
    let tail = Arc::clone(tail);
    tokio::spawn(async move {
        let mut octets = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut octets).await {
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.push(&octets[..count]);
        }
    })
}

#[cfg(test)]
mod tests;
