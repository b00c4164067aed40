//! A machine that stands still: SIGSTOP stops every thread of a process at once, the kernel goes on.

use super::{Program, pass_time, text_of};
use milliwatt_wire::clock::mono_now;
use std::path::PathBuf;

/// A frozen program; it goes on with the end of this value.
#[derive(Debug)]
pub(crate) struct Frozen<'a> {
    program: &'a Program,
}

impl<'a> Frozen<'a> {
    /// Freezes it, and returns when each of its threads stands still.
    pub(crate) fn now(program: &'a Program) -> Self {
        program.signal("STOP");
        let frozen = Self { program };
        super::wait_for("the freeze of every thread", 5, || {
            frozen.threads().iter().all(|state| *state == 'T')
        });
        frozen
    }

    /// Freezes it for `ms`; gives the time it really stood, ms.
    pub(crate) fn for_ms(program: &'a Program, ms: i64) -> f64 {
        let from = mono_now();
        let frozen = Self::now(program);
        pass_time(ms);
        drop(frozen);
        #[expect(clippy::cast_precision_loss, reason = "some seconds in ns")]
        let stood = (mono_now() - from) as f64 / 1e6;
        stood
    }

    /// The state letter of each thread (proc(5), `stat`, field 3).
    fn threads(&self) -> Vec<char> {
        let folder = PathBuf::from(format!("/proc/{}/task", self.program.pid()));
        let stats = std::fs::read_dir(folder)
            .unwrap()
            .map(|task| text_of(&task.unwrap().path().join("stat")));
        // The name before it may hold anything, so the last `)` counts.
        stats
            .filter_map(|stat| stat.rsplit(')').next()?.trim_start().chars().next())
            .collect()
    }
}

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.program.signal("CONT");
    }
}
