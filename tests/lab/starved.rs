//! A machine short of processor time: a control group in which all processes together have so much of one processor.

use super::{Agent, Lab, MILLIWATT, Program, Side};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Time in which the group's share is given out, us: the kernel's default.
const PERIOD_US: u32 = 100_000;

/// A control group, removed with this value.
#[derive(Debug)]
pub(crate) struct Starved {
    folder: PathBuf,
    /// The file that takes the limit, and the limit.
    limit: (PathBuf, String),
}

impl Starved {
    /// A group with `percent` of one processor, once [`Self::begin`] is called. Real-time classes, which no such limit
    /// holds for, are not to be had in it.
    pub(crate) fn to(percent: u32) -> Self {
        let name = format!("mw-{}", std::process::id());
        let quota = PERIOD_US / 100 * percent;
        let old = Path::new("/sys/fs/cgroup/cpu");
        let (folder, file, limit) = if old.join("tasks").exists() {
            (old.join(name), "cpu.cfs_quota_us", quota.to_string())
        } else {
            // The unified hierarchy gives out what its parent was told to.
            let root = Path::new("/sys/fs/cgroup");
            std::fs::write(root.join("cgroup.subtree_control"), "+cpu").unwrap();
            (root.join(name), "cpu.max", format!("{quota} {PERIOD_US}"))
        };
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            limit: (folder.join(file), limit),
            folder,
        }
    }

    /// From here on its processes have no more than that.
    fn begin(&self) {
        let (file, limit) = &self.limit;
        std::fs::write(file, limit).unwrap();
    }

    fn processes(&self) -> String {
        self.folder.join("cgroup.procs").display().to_string()
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        // Its processes are killed by now, and gone a moment later.
        for _ in 0..100 {
            if std::fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            super::pass_time(10);
        }
    }
}

impl Lab {
    /// Starts `milliwatt agent` on the guest, within `starved` and without the right to a real-time class. The limit holds
    /// from its join line on: the kernel has a program that is loaded pay for it later, and on some hosts that takes seconds.
    pub(crate) fn start_agent_in(&self, starved: &Starved) -> Agent {
        // Before it enters the guest's namespace, in which control groups are not to be seen.
        let enter = "echo $$ > \"$0\" && exec \"$@\"";
        let listen = format!("{}:7700", Side::Guest.address());
        let dir = self.path("agent");
        let guest = self.command(Side::Guest, "setpriv");
        let mut command = Command::new("sh");
        command.args(["-c", enter, &starved.processes()]);
        command.arg(guest.get_program()).args(guest.get_args());
        command.args([
            "--bounding-set=-sys_nice",
            "--inh-caps=-sys_nice",
            MILLIWATT,
            "agent",
        ]);
        command.args(["--listen", &listen, "--dir", dir.to_str().unwrap()]);
        command.current_dir(self.folder.path());
        let agent = Agent::announced(Program::start(command, self.folder.path()));
        starved.begin();
        agent
    }
}
