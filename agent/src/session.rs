//! One run at the agent, from the first connection to the last: it outlives broken connections.

use crate::engine::{MediaStatus, PortPair};
use crate::limits::{Limits, Machine, Refusal, check_keys};
use crate::media::{MediaShared, ReadyMedia, start_media};
use crate::meter::TcpMeter;
use crate::neighbour::Neighbour;
use crate::output::complain;
use crate::ports::{Proof, answer_probes, bind_ports, connect_ports, port_numbers};
use crate::recording::shelf::Shelf;
use crate::spool::Spool;
use crate::transfer::TransferLoad;
use crate::transfer::sender::TransferTerms;
use anyhow::{Context, Result, anyhow};
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::steps::StepBook;
use milliwatt_generator::transfer::course::{full_flow, makes_up};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{CallId, End};
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::neighbour::NeighbourLoad;
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::step::Step;
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock, RunTime};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Kind of the event by which the guest says that it heard of a step after its begin.
pub const STEP_LATE: &str = "step-late";
/// Media stops when nothing valid has come from the tester for so long.
const SILENT_NS: i64 = 15 * NS_PER_SECOND;

enum Stage {
    Joined,
    Proving(Proving),
    Ready(Box<ReadyMedia>),
    Running {
        clock: RunClock,
        facts: mpsc::Sender<Fact>,
        collector: JoinHandle<()>,
    },
    /// Load beside the calls of another guest.
    Neighbour(Arc<Neighbour>),
    Over,
}

/// The address proof under way.
struct Proving {
    ready: Box<ReadyMedia>,
    done: Arc<AtomicBool>,
    thread: JoinHandle<(Vec<PortPair>, std::io::Result<Proof>)>,
}

impl Proving {
    /// Ends the proof: the load, its ports, and how far the proof came.
    fn end(self) -> Result<(Box<ReadyMedia>, Vec<PortPair>, Proof)> {
        self.done.store(true, Ordering::Relaxed);
        let (ports, proof) = self
            .thread
            .join()
            .map_err(|_| anyhow!("the address proof failed"))?;
        Ok((self.ready, ports, proof.context("the address proof")?))
    }
}

/// A run.
pub struct Session {
    /// Its identity.
    pub run: u64,
    peer: IpAddr,
    local: IpAddr,
    engines: u32,
    limits: Limits,
    folder: PathBuf,
    /// What the media threads share.
    pub shared: MediaShared,
    stage: Mutex<Stage>,
    plan: Mutex<Option<Arc<CallPlan>>>,
    terms: Mutex<Option<TransferTerms>>,
    /// Connections over which made-up files may still come.
    receptions: Arc<Semaphore>,
    /// True once the session is over.
    over: watch::Sender<bool>,
    /// The tester's last message, by our monotonic clock, ns.
    heard: AtomicI64,
}

impl Session {
    /// A session of a tester at `peer`, reached at our address `local`.
    pub fn create(
        run: u64,
        (peer, local): (IpAddr, IpAddr),
        engines: u32,
        limits: Limits,
        dir: &Path,
    ) -> Result<Self> {
        let folder = dir.join(format!("run-{run:016x}"));
        std::fs::create_dir_all(folder.join("recordings")).with_context(|| {
            format!(
                "cannot make the folder {}: is --dir writable?",
                folder.display()
            )
        })?;
        let spool = Spool::create(&folder.join("guest.facts"))
            .context("cannot create the facts spool in --dir")?;
        let shared = MediaShared {
            status: Arc::new(MediaStatus::default()),
            spool: Arc::new(spool),
            shelf: Arc::new(Shelf::new()),
            meter: Arc::new(TcpMeter::default()),
            transfers: Arc::new(TransferLoad::default()),
        };
        Ok(Self {
            run,
            peer,
            local,
            engines,
            limits,
            folder,
            shared,
            stage: Mutex::new(Stage::Joined),
            plan: Mutex::new(None),
            terms: Mutex::new(None),
            receptions: Arc::new(Semaphore::new(0)),
            over: watch::Sender::new(false),
            heard: AtomicI64::new(mono_now().0),
        })
    }

    /// How long the tester has said nothing, ns.
    #[must_use]
    pub fn silence(&self, now: MonoTime) -> i64 {
        now.0 - self.heard.load(Ordering::Relaxed)
    }

    /// No media runs, and the tester has said nothing for longer than `lost_after`, ns.
    #[must_use]
    pub fn is_abandoned(&self, now: MonoTime, lost_after: i64) -> bool {
        let media = match &*self.stage() {
            Stage::Running { collector, .. } => !collector.is_finished(),
            _ => false,
        };
        !media && self.silence(now) > lost_after
    }

    /// Media or load has been started: the session outlives its connection.
    #[must_use]
    pub fn has_started(&self) -> bool {
        match &*self.stage() {
            Stage::Running { .. } => true,
            Stage::Neighbour(neighbour) => neighbour.has_started(),
            _ => false,
        }
    }

    /// What makes load, where it is that.
    #[must_use]
    pub fn neighbour(&self) -> Option<Arc<Neighbour>> {
        match &*self.stage() {
            Stage::Neighbour(neighbour) => Some(Arc::clone(neighbour)),
            _ => None,
        }
    }

    /// Ends media when the tester has fallen silent.
    pub fn watch(&self, now: MonoTime) {
        let Stage::Running {
            clock,
            facts,
            collector,
        } = &*self.stage()
        else {
            return;
        };
        let silent = now.0 - self.shared.status.last_valid.load(Ordering::Relaxed);
        let running = clock.run(now).0 > SILENT_NS && !collector.is_finished();
        if running && silent > SILENT_NS && !self.shared.status.halt.swap(true, Ordering::Relaxed) {
            let refused = self.shared.status.unauthentic.load(Ordering::Relaxed);
            let refused = (refused > 0)
                .then(|| format!(" ({refused} came that did not authenticate: keys differ)"));
            let text = format!(
                "no valid packet from the tester for 15 s{}: media stopped",
                refused.unwrap_or_default()
            );
            drop(facts.send(Fact::Event {
                at: clock.run(now),
                kind: "tester-silent".into(),
                text,
            }));
        }
    }

    /// The address that media binds to.
    #[must_use]
    pub fn local(&self) -> IpAddr {
        self.local
    }

    /// How recordings are sent, once a load was prepared.
    #[must_use]
    pub fn transfer_terms(&self) -> Option<TransferTerms> {
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to receive made-up files over one more connection; none when the load has no such files, or as many
    /// connections are there as it may have.
    #[must_use]
    pub fn reception(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.receptions).try_acquire_owned().ok()
    }

    /// Waits until the session is over.
    pub async fn over(&self) {
        let mut over = self.over.subscribe();
        // An error says that the session is gone altogether.
        drop(over.wait_for(|over| *over).await);
    }

    /// Seconds that the recording of a call weighs, for its padding.
    #[must_use]
    pub fn weighed_seconds(&self, call: CallId) -> f64 {
        let cut = RunTime(self.shared.status.cut.load(Ordering::Relaxed));
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let call = plan.as_ref().and_then(|plan| plan.call(call));
        call.map_or(0.0, |call| call.weighed_seconds(cut))
    }

    /// Takes one message of the tester, which came at `received`; gives the answers.
    pub fn handle(&self, message: ToAgent, received: MonoTime) -> Result<Vec<FromAgent>> {
        self.heard.store(received.0, Ordering::Relaxed);
        let mut stage = self.stage();
        if let Stage::Neighbour(neighbour) = &*stage
            && !matches!(message, ToAgent::Prepare { .. } | ToAgent::Join { .. })
        {
            neighbour.handle(&message, received);
        }
        match message {
            ToAgent::Join { .. } => Err(anyhow!("a second Join on one connection")),
            ToAgent::Clock { t1 } => Ok(vec![FromAgent::Clock {
                t1,
                t2: received,
                t3: mono_now(),
            }]),
            ToAgent::Prepare { .. } if matches!(*stage, Stage::Neighbour(_)) => {
                Err(anyhow!("calls for an agent that is a neighbour"))
            }
            ToAgent::Prepare {
                load,
                keys,
                guest_named,
                same_clock,
                capture,
            } => match self.prepare((*load, keys), (guest_named, same_clock), capture) {
                Ok((next, answer)) => {
                    *stage = next;
                    Ok(vec![answer])
                }
                Err(Refusal { reason, hint }) => Ok(vec![FromAgent::Refuse { reason, hint }]),
            },
            ToAgent::PrepareNeighbour { .. } if !matches!(*stage, Stage::Joined) => {
                Err(anyhow!("a neighbour's load for an agent that has calls"))
            }
            ToAgent::PrepareNeighbour { neighbour, load } => {
                match self.prepare_neighbour((neighbour, load)) {
                    Ok(neighbour) => {
                        *stage = Stage::Neighbour(Arc::new(neighbour));
                        Ok(vec![FromAgent::NeighbourReady])
                    }
                    Err(Refusal { reason, hint }) => Ok(vec![FromAgent::Refuse { reason, hint }]),
                }
            }
            ToAgent::ProbesDone => {
                let (next, answer) = conclude_proof(std::mem::replace(&mut *stage, Stage::Over))?;
                *stage = next;
                Ok(vec![answer])
            }
            ToAgent::Step { step } => {
                self.steps()?.add(step)?;
                if let Stage::Running { clock, facts, .. } = &*stage
                    && clock.run(received) > step.from
                {
                    tell_late(facts, clock.run(received), step);
                }
                Ok(Vec::new())
            }
            ToAgent::EndStep { index, at } => {
                self.steps()?.end_early(index, at);
                Ok(Vec::new())
            }
            // Said again on each new connection.
            ToAgent::Start { .. }
                if matches!(*stage, Stage::Running { .. } | Stage::Neighbour(_)) =>
            {
                Ok(Vec::new())
            }
            ToAgent::Start { zero } => {
                self.start(&mut stage, zero)?;
                Ok(Vec::new())
            }
            ToAgent::Skew { parts_per_billion } => {
                self.shared
                    .status
                    .skew_ppb
                    .store(parts_per_billion, Ordering::Relaxed);
                Ok(Vec::new())
            }
            ToAgent::Stop { at } => {
                self.shared.status.cut.fetch_min(at.0, Ordering::Relaxed);
                Ok(Vec::new())
            }
            ToAgent::StopNow => {
                if let Stage::Running { clock, .. } = &*stage {
                    self.shared
                        .status
                        .cut
                        .fetch_min(clock.run(mono_now()).0, Ordering::Relaxed);
                }
                self.shared.status.halt.store(true, Ordering::Relaxed);
                Ok(Vec::new())
            }
            ToAgent::Received { block } => {
                self.shared.spool.acknowledge(block);
                Ok(Vec::new())
            }
            // What a neighbour does was done above.
            ToAgent::LoadOn { .. } | ToAgent::LoadOff { .. } | ToAgent::Finish => Ok(Vec::new()),
        }
    }

    fn start(&self, stage: &mut Stage, zero: MonoTime) -> Result<()> {
        let Stage::Ready(ready) = std::mem::replace(stage, Stage::Over) else {
            return Err(anyhow!("Start before the ports were proven"));
        };
        let clock = RunClock { zero };
        let (facts, collector) = start_media(*ready, &self.shared, clock)?;
        *stage = Stage::Running {
            clock,
            facts,
            collector,
        };
        Ok(())
    }

    fn prepare(
        &self,
        (load, keys): (LoadSpec, Option<MediaKeys>),
        (guest_named, same_clock): (bool, bool),
        capture: bool,
    ) -> Result<(Stage, FromAgent), Refusal> {
        check_keys(&load, keys.as_ref())?;
        let plan = Arc::new(self.limits.plan(&load)?);
        let ports =
            bind_ports(&load, self.local, &self.limits.media_ports).map_err(|error| Refusal {
                reason: error.to_string(),
                hint: "give the agent another --media-ports range or --bind address".into(),
            })?;
        let numbers = port_numbers(&ports);
        let secret: [u8; 16] = rand::random();
        let done = Arc::new(AtomicBool::new(false));
        let (flag, peer) = (Arc::clone(&done), self.peer);
        let thread = std::thread::spawn(move || {
            let proof = answer_probes(&ports, peer, secret, &flag);
            (ports, proof)
        });
        *self.terms.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(TransferTerms::new(&load));
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&plan));
        self.shared.transfers.prepare(&load, End::Guest);
        self.allow_receptions(&load);
        let ready = Box::new(ReadyMedia {
            run: self.run,
            load,
            plan,
            keys: keys.map(Arc::new),
            ports: Vec::new(),
            engines: self.engines,
            folder: self.folder.clone(),
            max_disk: self.limits.max_disk,
            guest_named,
            same_clock,
            capture,
        });
        Ok((
            Stage::Proving(Proving {
                ready,
                done,
                thread,
            }),
            FromAgent::Ports {
                ports: numbers,
                secret,
            },
        ))
    }

    fn prepare_neighbour(&self, asked: (u32, NeighbourLoad)) -> Result<Neighbour, Refusal> {
        let asked = self.limits.neighbour(asked, Machine::this(self.engines))?;
        Neighbour::start(asked, &self.folder, &self.shared.spool).map_err(|error| Refusal {
            reason: format!("the load's threads cannot be started: {error}"),
            hint: "ask for fewer processors (neighbour.N.cores)".into(),
        })
    }

    fn steps(&self) -> Result<Arc<StepBook>> {
        let plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = plan.as_ref().and_then(|plan| plan.steps.clone());
        steps.ok_or_else(|| anyhow!("a step of a load that has none"))
    }

    /// Twice as many as the load has at once: one that broke may be known here later than there.
    fn allow_receptions(&self, load: &LoadSpec) {
        let sends = makes_up(load, End::Tester) && (load.stepped || full_flow(load).is_some());
        let wanted = if sends { 2 * load.transfer.parallel } else { 0 };
        let wanted = usize::try_from(wanted).unwrap_or(0);
        let more = wanted.saturating_sub(self.receptions.available_permits());
        self.receptions.add_permits(more);
    }

    /// The session is over: media ends, its folder goes.
    pub fn end(&self) {
        self.over.send_replace(true);
        self.shared.status.halt.store(true, Ordering::Relaxed);
        match std::mem::replace(&mut *self.stage(), Stage::Over) {
            Stage::Running { collector, .. } => {
                let joined = collector.join();
                if joined.is_err() {
                    complain("the collector thread failed");
                }
            }
            // Its ports are free for the next tester once this is done.
            Stage::Proving(proving) => drop(proving.end()),
            Stage::Neighbour(neighbour) => neighbour.end(),
            _ => {}
        }
        self.shared.transfers.end();
        self.shared.shelf.close();
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            complain(&format!(
                "{} was left behind: {error}",
                self.folder.display()
            ));
        }
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A step whose begin has passed already is no evidence.
fn tell_late(facts: &mpsc::Sender<Fact>, at: RunTime, step: Step) {
    let late = (at - step.from) / 1_000_000;
    let text = format!(
        "the guest heard of step {} {late} ms after its begin",
        step.index
    );
    // The collector holds the other end for as long as media runs.
    drop(facts.send(Fact::Event {
        at,
        kind: STEP_LATE.into(),
        text,
    }));
}

/// Ends the proof: every port proven makes the session ready, else it says how far it came.
fn conclude_proof(stage: Stage) -> Result<(Stage, FromAgent)> {
    let Stage::Proving(proving) = stage else {
        return Err(anyhow!("ProbesDone before Prepare"));
    };
    let (mut ready, ports, proof) = proving.end()?;
    let answer = FromAgent::Proven {
        heard: proof.heard,
        proven: proof.proven(),
    };
    if proof.peers.iter().any(Option::is_none) {
        return Ok((Stage::Joined, answer));
    }
    connect_ports(&ports, proof.peers.into_iter().flatten())?;
    ready.ports = ports;
    Ok((Stage::Ready(ready), answer))
}
