//! Load beside the calls of another guest: on command, for a bounded time, and measured.
//!
//! [`Orders`] says when load is on, [`DutyCycle`] and [`Rate`] how much of it: none of them reads a clock. Threads of
//! ordinary priority carry it out, one a processor, one for memory, one for the disk, and one that tells each second what
//! was made; octets for the network go over a connection that the tester opened.

mod account;
mod disk;
mod duty;
mod memory;
mod network;
mod orders;
mod processor;
mod rate;
mod teller;

pub use account::Account;
pub use duty::{Doing, DutyCycle, PERIOD_NS};
pub use orders::{Orders, State};
pub use rate::Rate;

use crate::output::complain;
use crate::spool::Spool;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::facts::NeighbourFact;
use milliwatt_wire::neighbour::NeighbourLoad;
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Nobody waits longer without a look at the state, ns.
const LOOK_NS: i64 = NS_PER_SECOND;

/// What a neighbour is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Its number, from 1.
    pub neighbour: u32,
    /// The load while it is on.
    pub load: NeighbourLoad,
    /// Octets of its file at most.
    pub file_octets: u64,
    /// No stretch of load is longer, ns.
    pub longest: i64,
}

/// A neighbour's load, under way or about to be.
pub struct Neighbour {
    work: Arc<Work>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What its threads share.
struct Work {
    asked: Asked,
    orders: Mutex<Orders>,
    changed: Condvar,
    /// Rises with each change of the orders.
    version: AtomicU64,
    over: AtomicBool,
    made: Made,
    /// What could not be made, not yet told.
    failed: Mutex<Vec<String>>,
}

/// What is known of the state, on or off.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// It lasts until then, unless there are new orders.
    until: MonoTime,
    /// Of the orders that say so.
    version: u64,
}

/// What was made so far.
#[derive(Default)]
struct Made {
    /// CPU time of each thread that uses a processor, ns.
    cpu: Vec<AtomicU64>,
    /// Memory held now, octets.
    memory: AtomicU64,
    /// Octets given to the disk.
    disk: AtomicU64,
    /// Octets handed to the connection.
    network: AtomicU64,
}

impl Neighbour {
    /// Starts the threads of a load that its limits admit; all wait. It writes in `folder`, and tells `spool`.
    pub fn start(asked: Asked, folder: &Path, spool: &Arc<Spool>) -> io::Result<Self> {
        let cores = asked.load.cores;
        let work = Arc::new(Work {
            asked,
            orders: Mutex::new(Orders::new(asked.longest)),
            changed: Condvar::new(),
            version: AtomicU64::new(0),
            over: AtomicBool::new(false),
            made: Made {
                cpu: (0..cores).map(|_| AtomicU64::new(0)).collect(),
                ..Made::default()
            },
            failed: Mutex::new(Vec::new()),
        });
        let neighbour = Self {
            work: Arc::clone(&work),
            threads: Mutex::new(Vec::new()),
        };
        for index in 0..cores {
            neighbour.spawn(format!("load-{index}"), move |work| {
                processor::use_processor(work, index);
            })?;
        }
        if asked.load.memory_octets > 0 {
            neighbour.spawn("load-memory".into(), memory::hold_memory)?;
        }
        if asked.load.disk_octets_per_second > 0 {
            let file = folder.join("neighbour.load");
            neighbour.spawn("load-disk".into(), move |work| {
                disk::write_disk(work, &file);
            })?;
        }
        let spool = Arc::clone(spool);
        neighbour.spawn("load-teller".into(), move |work| teller::tell(work, &spool))?;
        Ok(neighbour)
    }

    fn spawn(&self, name: String, body: impl FnOnce(&Work) + Send + 'static) -> io::Result<()> {
        let work = Arc::clone(&self.work);
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || body(&work));
        // Those that were started already end with this value.
        self.threads().push(thread?);
        Ok(())
    }

    /// Takes a message of the tester, which came at `received`; gives the answers.
    pub fn handle(&self, message: &ToAgent, received: MonoTime) -> Vec<FromAgent> {
        self.work.order(|orders| {
            orders.heard(received);
            match message {
                ToAgent::Start { zero } => orders.start(RunClock { zero: *zero }),
                ToAgent::LoadOn { from, until } => orders.on(received, *from, *until),
                ToAgent::LoadOff { at } => orders.off(*at),
                ToAgent::Stop { at } => orders.stop_at(received, *at),
                ToAgent::StopNow => orders.stop(received),
                _ => {}
            }
        });
        Vec::new()
    }

    /// Run time is known: it is under way.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.work.orders().clock().is_some()
    }

    /// The connection to the tester ended: no load until it is there again.
    pub fn let_go(&self) {
        let now = mono_now();
        self.work.order(|orders| orders.let_go(now));
    }

    /// Ends all load and its threads; its file goes.
    pub fn end(&self) {
        self.work
            .order(|_| self.work.over.store(true, Ordering::Relaxed));
        for thread in std::mem::take(&mut *self.threads()) {
            if thread.join().is_err() {
                complain("a thread of the neighbour's load failed");
            }
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.end();
    }
}

impl Work {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        // Each change is whole before anything can panic.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the orders, and wakes everyone: some once a second.
    fn order(&self, change: impl FnOnce(&mut Orders)) {
        let mut orders = self.orders();
        change(&mut orders);
        self.version.fetch_add(1, Ordering::Relaxed);
        drop(orders);
        self.changed.notify_all();
    }

    /// All is over by `now`.
    fn is_over(&self, now: MonoTime) -> bool {
        self.over.load(Ordering::Relaxed) || now >= self.orders().stopped()
    }

    /// What is waited for at most until `until`.
    fn until(&self, until: MonoTime) -> Stretch {
        let version = self.version();
        Stretch { until, version }
    }

    fn state(&self, now: MonoTime) -> State {
        self.orders().at(now)
    }

    /// Waits until `until` or for a second, or until there are other orders than those of `version`.
    fn wait(&self, Stretch { until, version }: Stretch) {
        let orders = self.orders();
        let left = until.0.saturating_sub(mono_now().0).min(LOOK_NS);
        let Ok(left) = u64::try_from(left) else {
            return;
        };
        if version == self.version() && !self.over.load(Ordering::Relaxed) {
            let waited = self
                .changed
                .wait_timeout(orders, Duration::from_nanos(left));
            drop(waited);
        }
    }

    /// Waits until load is on. None when all is over.
    fn wait_on(&self) -> Option<Stretch> {
        loop {
            let now = mono_now();
            if self.is_over(now) {
                return None;
            }
            let (stretch, on) = self.look(now);
            if on {
                return Some(stretch);
            }
            self.wait(stretch);
        }
    }

    /// Load is still on, as far as is known until when.
    fn goes_on(&self, now: MonoTime, stretch: &mut Stretch) -> bool {
        if now < stretch.until && stretch.version == self.version() {
            return !self.over.load(Ordering::Relaxed);
        }
        let (again, on) = self.look(now);
        *stretch = again;
        on && !self.is_over(now)
    }

    fn look(&self, now: MonoTime) -> (Stretch, bool) {
        let version = self.version();
        let State { on, until } = self.state(now);
        (Stretch { until, version }, on)
    }

    fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// A part of the load cannot be made.
    fn fail(&self, text: String) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.push(text);
    }

    fn take_failed(&self) -> Vec<String> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *failed)
    }
}

impl Stretch {
    /// The same, waited for until `at` at most.
    fn no_later(self, at: MonoTime) -> Self {
        let until = self.until.min(at);
        Self { until, ..self }
    }
}

impl Made {
    fn cpu_ns(&self) -> u64 {
        let used = self.cpu.iter().map(|used| used.load(Ordering::Relaxed));
        used.sum()
    }
}

#[cfg(test)]
mod tests;
