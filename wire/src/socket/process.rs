//! What the process and its media threads ask the system for beforehand.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};
use std::io;
use thread_priority::{
    Error, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Raises the soft limit of open files to the hard one: a call of two legs has four sockets at
/// each end. The soft limit before and now; `u64::MAX` is no limit.
#[must_use]
pub fn raise_file_limit() -> (u64, u64) {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
    let now = if raised.is_ok() { maximum } else { current };
    (current.unwrap_or(u64::MAX), now.unwrap_or(u64::MAX))
}

/// Puts the calling thread under `SCHED_FIFO` at `priority`, 1 to 99. The error says what was
/// refused and how to permit it, for the report.
pub fn request_real_time(priority: u8) -> Result<(), String> {
    let refused = |why: String| {
        format!(
            "priority {priority} (of 1 to 99): {why}; permit it with CAP_SYS_NICE \
             (setcap cap_sys_nice+ep on the program, AmbientCapabilities=CAP_SYS_NICE in a unit) or an rtprio limit"
        )
    };
    let value = priority.try_into().map_err(refused)?;
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Crossplatform(value),
        policy,
    )
    .map_err(|error| {
        refused(match error {
            Error::OS(code) => io::Error::from_raw_os_error(code).to_string(),
            other => other.to_string(),
        })
    })
}

/// Keeps the process's memory, now and later, from being paged out, each page from its first use on. The error says
/// how to permit it.
pub fn lock_memory() -> Result<(), String> {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).map_err(|error| {
        format!("{error}; permit it with CAP_IPC_LOCK or a higher memlock limit (ulimit -l, LimitMEMLOCK)")
    })
}

/// The calling thread, as the system counts threads.
#[must_use]
pub fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// How long a thread of this process has run, and how long it was runnable and did not run, ns since its start
/// (`/proc/self/task/ID/schedstat`). None where the system does not tell, or the thread has ended.
#[must_use]
pub fn scheduled(thread: i32) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?;
    let mut words = text.split_ascii_whitespace().map(|word| word.parse().ok());
    Some((words.next()??, words.next()??))
}

/// The processors that the calling thread may use, by number.
#[must_use]
pub fn allowed_processors() -> Vec<usize> {
    let allowed = rustix::thread::sched_getaffinity(None).unwrap_or_default();
    (0..CpuSet::MAX_CPU)
        .filter(|cpu| allowed.is_set(*cpu))
        .collect()
}

/// Keeps the calling thread on one CPU, counted from 0.
pub fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    if cpu >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    Ok(sched_setaffinity(None, &cpus)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_limit_ends_at_the_hard_limit() {
        let (before, now) = raise_file_limit();
        assert!(before <= now);
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(now, limit.current.unwrap_or(u64::MAX));
    }

    #[test]
    fn real_time_is_granted_or_refused_with_the_remedy() {
        let thread = std::thread::spawn(|| {
            (
                request_real_time(1),
                thread_priority::thread_schedule_policy(),
            )
        });
        let (answer, policy) = thread.join().unwrap();
        let fifo = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
        match answer {
            Ok(()) => assert_eq!(policy, Ok(fifo)),
            Err(why) => {
                assert!(why.contains("CAP_SYS_NICE"), "{why}");
                assert_ne!(policy, Ok(fifo));
            }
        }
    }

    #[test]
    fn a_thread_that_works_has_run() {
        let start = crate::clock::mono_now();
        while crate::clock::mono_now() - start < 20_000_000 {
            std::hint::spin_loop();
        }
        let (ran, _) = scheduled(thread_id()).expect("Linux counts it");
        assert!(ran > 0, "{ran}");
        assert_eq!(scheduled(i32::MAX), None);
    }

    #[test]
    fn memory_is_locked_or_the_remedy_said() {
        if let Err(why) = lock_memory() {
            assert!(why.contains("CAP_IPC_LOCK"), "{why}");
        }
    }

    #[test]
    fn a_priority_outside_1_to_99_is_refused() {
        assert!(request_real_time(0).is_err());
        assert!(request_real_time(100).is_err());
    }

    #[test]
    fn a_thread_pinned_to_a_cpu_may_run_nowhere_else() {
        let thread = std::thread::spawn(|| {
            let allowed = rustix::thread::sched_getaffinity(None).unwrap();
            let cpu = (0..CpuSet::MAX_CPU)
                .rfind(|cpu| allowed.is_set(*cpu))
                .unwrap();
            pin_to_cpu(cpu).unwrap();
            let now = rustix::thread::sched_getaffinity(None).unwrap();
            (now.count(), now.is_set(cpu))
        });
        assert_eq!(thread.join().unwrap(), (1, true));
        assert!(pin_to_cpu(CpuSet::MAX_CPU).is_err());
    }
}
