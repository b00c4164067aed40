//! A machine short of processor time: a control group in which all processes together have so much of one processor.

use super::{Agent, Lab, MILLIWATT, Side};
use std::path::{Path, PathBuf};

/// Time in which the group's share is given out, us.
const PERIOD_US: u32 = 100_000;

/// A control group, removed with this value.
#[derive(Debug)]
pub(crate) struct Starved {
    folder: PathBuf,
}

impl Starved {
    /// A group with `percent` of one processor. Real-time classes, which no such limit holds for, are not to be had in it.
    pub(crate) fn to(percent: u32) -> Self {
        let name = format!("mw-{}", std::process::id());
        let quota = PERIOD_US / 100 * percent;
        let old = Path::new("/sys/fs/cgroup/cpu");
        let (folder, limits) = if old.join("tasks").exists() {
            let files = [
                ("cpu.cfs_period_us", PERIOD_US.to_string()),
                ("cpu.cfs_quota_us", quota.to_string()),
            ];
            (old.join(name), files.to_vec())
        } else {
            // The unified hierarchy gives out what its parent was told to.
            let root = Path::new("/sys/fs/cgroup");
            std::fs::write(root.join("cgroup.subtree_control"), "+cpu").unwrap();
            (
                root.join(name),
                vec![("cpu.max", format!("{quota} {PERIOD_US}"))],
            )
        };
        std::fs::create_dir_all(&folder).unwrap();
        for (file, value) in limits {
            std::fs::write(folder.join(file), value).unwrap();
        }
        Self { folder }
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
    /// Starts `milliwatt agent` on the guest, within `starved` and without the right to a real-time class.
    pub(crate) fn start_agent_in(&self, starved: &Starved) -> Agent {
        let enter =
            "echo $$ > \"$0\"; exec setpriv --bounding-set=-sys_nice --inh-caps=-sys_nice \"$@\"";
        let listen = format!("{}:7700", Side::Guest.address());
        let (dir, processes) = (self.path("agent"), starved.processes());
        let agent = [
            MILLIWATT,
            "agent",
            "--listen",
            &listen,
            "--dir",
            dir.to_str().unwrap(),
        ];
        let args = [&["-c", enter, &processes][..], &agent].concat();
        Agent::announced(self.start(Side::Guest, "sh", &args))
    }
}
