//! What a hypervisor tells of the guest: QEMU's monitor, a log file, Azure's scheduled events. Each source is read beside the
//! run by a task of its own. One that cannot be reached, or breaks, is told of and tried again; it never ends a run.

mod azure;
mod driver;
mod lines;
mod log;
mod qmp;

use crate::scenario::programme::NAME_MAX;
use crate::scenario::sources::SourcePlan;
use regex_lite::Regex;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Words of one source that are passed on in a run: one that floods the time line says nothing any more.
const WORDS_MAX: u32 = 1000;

/// What a source has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Something happened to the guest: a label for a mark.
    Mark(String),
    /// It cannot be read any more, or cannot be yet: why.
    Lost(String),
    /// It can be read again.
    Back,
    /// It has said too much.
    Full,
}

/// A word of a source of some kind.
pub(super) type Word = (&'static str, Heard);

/// The sources of a run; they are left with this value.
pub(super) struct Sources {
    words: mpsc::UnboundedReceiver<Word>,
    _tasks: JoinSet<()>,
}

impl Sources {
    /// Reads `plans` from now on.
    pub(super) fn start(plans: &[SourcePlan]) -> Self {
        let (out, words) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        for plan in plans {
            let voice = Voice::new(plan.kind(), out.clone());
            match plan.clone() {
                SourcePlan::Qmp { socket } => tasks.spawn(driver::read_qmp(socket, voice)),
                SourcePlan::Log { file, pattern } => match Regex::new(&pattern) {
                    Ok(pattern) => tasks.spawn(driver::read_log(file, pattern, voice)),
                    Err(_) => continue, // a scenario that was checked has none such
                },
                SourcePlan::Azure { host, port } => {
                    tasks.spawn(driver::read_azure(host, port, voice))
                }
            };
        }
        Self {
            words,
            _tasks: tasks,
        }
    }

    /// The next word; none once no source is left.
    pub(super) async fn next(&mut self) -> Option<Word> {
        self.words.recv().await
    }
}

/// A source's way to be heard.
struct Voice {
    kind: &'static str,
    out: mpsc::UnboundedSender<Word>,
    said: u32,
    lost: bool,
}

impl Voice {
    fn new(kind: &'static str, out: mpsc::UnboundedSender<Word>) -> Self {
        Self {
            kind,
            out,
            said: 0,
            lost: false,
        }
    }

    fn mark(&mut self, label: &str) {
        let label = as_label(label);
        if !label.is_empty() {
            self.say(Heard::Mark(label));
        }
    }

    /// Told once, until it is back.
    fn lost(&mut self, why: String) {
        if !std::mem::replace(&mut self.lost, true) {
            self.say(Heard::Lost(why));
        }
    }

    fn works(&mut self) {
        if std::mem::replace(&mut self.lost, false) {
            self.say(Heard::Back);
        }
    }

    fn say(&mut self, heard: Heard) {
        let heard = match self.said {
            ..WORDS_MAX => heard,
            WORDS_MAX => Heard::Full,
            _ => return,
        };
        self.said += 1;
        // The run that listens is over.
        self.out.send((self.kind, heard)).unwrap_or_default();
    }
}

/// What a source says as one line that a mark can have.
fn as_label(text: &str) -> String {
    let plain = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    plain.take(NAME_MAX).collect()
}

#[cfg(test)]
mod tests;
