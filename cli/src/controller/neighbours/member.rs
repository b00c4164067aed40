//! One neighbour.

use super::drain::drain;
use super::rota::{Order, Rota};
use crate::controller::dial::{Dial, DialError, Unreached};
use crate::controller::directory::{FactsLog, absorb};
use crate::controller::link::{Link, LinkEvent};
use crate::controller::setup::relate_clocks;
use crate::exit::Failure;
use crate::scenario::neighbours::{NeighbourPlan, load_text};
use milliwatt_wire::clock::{boot_id, mono_now};
use milliwatt_wire::control::{Accept, FromAgent, ToAgent};
use milliwatt_wire::facts::{Fact, NeighbourFact, NeighbourPlace};
use milliwatt_wire::neighbour::NeighbourLoad;
use milliwatt_wire::time::{NS_PER_MS, RunClock, RunTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A neighbour before it was spoken to.
pub(super) struct Invited<'a> {
    pub(super) number: u32,
    pub(super) plan: &'a NeighbourPlan,
    pub(super) dial: Dial,
    /// Boot identity of the guest's kernel.
    pub(super) guest_boot: Option<&'a str>,
}

/// A neighbour that is ready to make load.
pub(super) struct Member {
    pub(super) number: u32,
    load: NeighbourLoad,
    rota: Rota,
    to_agent: mpsc::UnboundedSender<ToAgent>,
    next_block: Arc<AtomicU64>,
    log: Option<FactsLog>,
    /// Its monotonic clock minus ours, ns.
    offset: i64,
    address: String,
    program: String,
    place: NeighbourPlace,
    drain: Option<JoinHandle<()>>,
    speaks: bool,
    told: Vec<NeighbourFact>,
}

impl Invited<'_> {
    /// Connects, relates the clocks, and has the load made ready; gives what the link says from then on.
    pub(super) async fn set_up(
        self,
        lost_after: Duration,
    ) -> Result<(Member, mpsc::Receiver<LinkEvent>), Failure> {
        let Self {
            number,
            plan,
            dial,
            guest_boot,
        } = self;
        let of = |failure: Failure| Failure {
            message: format!("neighbour {number}: {}", failure.message),
            ..failure
        };
        let (connected, accept) = dial
            .control(0)
            .await
            .map_err(|unreached| of(unreachable(&unreached)))?;
        let address = connected.peer.to_string();
        let mut link = Link::keep(dial.clone(), connected, lost_after);
        let (measured, round_trip) = relate_clocks(&mut link).await.map_err(of)?;
        let same_boot = boot_id().is_some_and(|ours| Some(ours) == accept.boot_id);
        let same_clock = same_boot && measured.abs() <= round_trip / 2 + NS_PER_MS;
        link.send(ToAgent::PrepareNeighbour {
            neighbour: number,
            load: plan.load,
        });
        link.expect("making its load ready", |message, _| {
            matches!(message, FromAgent::NeighbourReady).then_some(())
        })
        .await
        .map_err(of)?;
        let network = plan.load.network_bits_per_second > 0;
        let member = Member {
            number,
            load: plan.load,
            rota: Rota::new(plan),
            to_agent: link.to_agent,
            next_block: link.next_block,
            log: None,
            offset: if same_clock { 0 } else { measured },
            address,
            program: accept.program.clone(),
            place: place(same_boot, guest_boot, &accept),
            drain: network.then(|| tokio::spawn(drain(dial))),
            speaks: true,
            told: Vec::new(),
        };
        Ok((member, link.events))
    }
}

/// Whose processors it takes, as far as boot identities tell.
fn place(tester: bool, guest_boot: Option<&str>, accept: &Accept) -> NeighbourPlace {
    let guest = guest_boot.is_some() && guest_boot == accept.boot_id.as_deref();
    match (tester, guest) {
        (true, true) => NeighbourPlace::All,
        (true, false) => NeighbourPlace::Tester,
        (false, true) => NeighbourPlace::Guest,
        (false, false) => NeighbourPlace::OwnMachine,
    }
}

fn unreachable(unreached: &Unreached) -> Failure {
    if let Some(DialError::Refused { reason, hint }) = unreached.telling() {
        return Failure::could_not_run(format!("its agent refuses: {reason}")).hint(hint.clone());
    }
    Failure::could_not_run("its agent could not be reached")
        .detail(unreached.to_string())
        .hint("is `milliwatt agent --allow-neighbour`, of this version, running there, is this the line that it printed, and may this machine reach its TCP port?")
}

impl Member {
    /// What it is.
    pub(super) fn scope(&self) -> String {
        let place = match self.place {
            NeighbourPlace::OwnMachine => {
                "a machine of its own; whether it shares a host with the guest is not known to milliwatt"
            }
            NeighbourPlace::Guest => {
                "it runs on the guest's own kernel: its load takes the guest's processors, not those of its host"
            }
            NeighbourPlace::Tester => {
                "it runs on the tester's kernel: its load takes the processors that measure"
            }
            NeighbourPlace::All => {
                "tester, guest program and neighbour run on one kernel: its load takes the processors of all"
            }
        };
        format!(
            "Neighbour {}: milliwatt {} at {}, asked for {}; {place}.",
            self.number,
            self.program,
            self.address,
            load_text(&self.load)
        )
    }

    /// Run time begins.
    pub(super) fn start(&mut self, log: FactsLog, clock: RunClock) -> Fact {
        self.log = Some(log);
        self.send(ToAgent::Start {
            zero: clock.zero + self.offset,
        });
        self.fact(NeighbourFact::Asked {
            load: self.load,
            address: self.address.clone(),
            place: self.place,
        })
    }

    pub(super) fn follow(&mut self, now: RunTime, full_from: RunTime) {
        while let Some(order) = self.rota.advance(now, full_from) {
            self.order(order);
        }
    }

    pub(super) fn part(&mut self, name: &str, at: RunTime) {
        if let Some(order) = self.rota.part(name, at) {
            self.order(order);
        }
    }

    fn order(&self, order: Order) {
        self.send(match order {
            Order::On { from, until } => ToAgent::LoadOn { from, until },
            Order::Off { at } => ToAgent::LoadOff { at },
        });
    }

    pub(super) fn exchange(&self) {
        self.send(ToAgent::Clock { t1: mono_now() });
    }

    pub(super) fn stop(&self, at: RunTime) {
        self.send(ToAgent::Stop { at });
    }

    /// It may still have something to tell.
    pub(super) fn speaks(&self) -> bool {
        self.speaks
    }

    pub(super) fn finish(&mut self) {
        self.send(ToAgent::Finish);
        if let Some(drain) = self.drain.take() {
            drain.abort();
        }
    }

    /// What it told since this was last asked.
    pub(super) fn take_told(&mut self) -> Vec<NeighbourFact> {
        std::mem::take(&mut self.told)
    }

    /// Takes what its link says: a fact that the tester adds.
    pub(super) fn take(&mut self, event: LinkEvent, now: RunTime) -> std::io::Result<Option<Fact>> {
        match event {
            LinkEvent::Message(FromAgent::Block { sequence, octets }, _) => {
                self.take_block(sequence, &octets)?;
            }
            LinkEvent::Message(FromAgent::Done, _) => self.speaks = false,
            LinkEvent::Message(FromAgent::Refuse { reason, .. }, _) => {
                return Ok(Some(self.lose(now, reason)));
            }
            LinkEvent::GaveUp(why) => return Ok(Some(self.lose(now, why))),
            LinkEvent::Resumed => {
                if let Some(order) = self.rota.again(now) {
                    self.order(order);
                }
            }
            LinkEvent::Message(..) | LinkEvent::Lost(_) => {}
        }
        Ok(None)
    }

    fn take_block(&mut self, sequence: u64, octets: &[u8]) -> std::io::Result<()> {
        if sequence < self.next_block.load(Ordering::Relaxed) {
            return Ok(()); // sent again after a redial, and already safe here
        }
        if let Some(log) = &mut self.log {
            log.append(octets)?;
        }
        self.next_block.store(sequence + 1, Ordering::Relaxed);
        self.send(ToAgent::Received { block: sequence });
        let told = &mut self.told;
        absorb(octets, |fact| {
            if let Fact::Neighbour { told: fact, .. } = fact {
                told.push(fact.clone());
            }
        });
        Ok(())
    }

    fn lose(&mut self, at: RunTime, text: String) -> Fact {
        self.speaks = false;
        self.fact(NeighbourFact::Lost { at, text })
    }

    fn fact(&self, told: NeighbourFact) -> Fact {
        let neighbour = self.number;
        Fact::Neighbour { neighbour, told }
    }

    fn send(&self, message: ToAgent) {
        // A link that has given up says so by its event.
        drop(self.to_agent.send(message));
    }
}
