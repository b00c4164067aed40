//! Neighbours of a run: agents on other virtual machines of the guest's host, told when to make load, and heard of what
//! they made.

mod drain;
mod member;
mod rota;

use super::dial::Dial;
use super::directory::FactsLog;
use super::link::LinkEvent;
use super::live::tell;
use super::setup::Ready;
use crate::exit::Failure;
use crate::run::RunRequest;
use member::{Invited, Member};
use milliwatt_agent::meter::TcpMeter;
use milliwatt_wire::facts::{Fact, NeighbourFact};
use milliwatt_wire::join::Join;
use milliwatt_wire::time::{RunClock, RunTime};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// At the end of a run its last facts come within this time, or not at all.
const LAST_FACTS: Duration = Duration::from_secs(3);

/// All neighbours of a run; none is one without any.
pub(super) struct Neighbours {
    members: Vec<Member>,
    events: mpsc::Receiver<(usize, LinkEvent)>,
}

impl Neighbours {
    /// Connects to each and makes its load ready; refused where one is the guest's own agent, or does not make it.
    pub(super) async fn set_up(
        request: &RunRequest,
        run: u64,
        (guest, ready): (&Join, &Ready),
        lost_after: Duration,
    ) -> Result<Self, Failure> {
        let (sender, events) = mpsc::channel(64);
        // What they send is no part of the legs.
        let meter = Arc::new(TcpMeter::default());
        let mut known = vec![(guest.fingerprint, "the guest".to_owned())];
        let mut members = Vec::new();
        for (index, (join, plan)) in request.neighbours.iter().enumerate() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let join = read_join(join, number)?;
            let already = known.iter().find(|(other, _)| *other == join.fingerprint);
            if let Some((_, who)) = already {
                return Err(same_agent(number, who));
            }
            known.push((join.fingerprint, format!("neighbour {number}")));
            let dial = Dial {
                join,
                run,
                bind: request.bind,
                meter: Arc::clone(&meter),
                neighbour: Some(number),
            };
            let invited = Invited {
                number,
                plan,
                dial,
                guest_boot: ready.accept.boot_id.as_deref(),
            };
            let (member, mut link) = invited.set_up(lost_after).await?;
            members.push(member);
            let sender = sender.clone();
            tokio::spawn(async move {
                while let Some(event) = link.recv().await {
                    if sender.send((index, event)).await.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { members, events })
    }

    /// What they are, a sentence each.
    pub(super) fn scope(&self) -> Vec<String> {
        self.members.iter().map(Member::scope).collect()
    }

    /// Run time begins: what was asked of each, as facts.
    pub(super) fn start(&mut self, folder: &Path, clock: RunClock) -> std::io::Result<Vec<Fact>> {
        let mut facts = Vec::new();
        for member in &mut self.members {
            let log = FactsLog::create_for_neighbour(folder, member.number)?;
            facts.push(member.start(log, clock));
        }
        Ok(facts)
    }

    /// Tells each what is about to begin.
    pub(super) fn follow(&mut self, now: RunTime, full_from: RunTime) {
        for member in &mut self.members {
            member.follow(now, full_from);
        }
    }

    /// A part of the run begins.
    pub(super) fn part(&mut self, name: &str, at: RunTime) {
        for member in &mut self.members {
            member.part(name, at);
        }
    }

    /// A word each second, without which they stop.
    pub(super) fn exchange(&self) {
        self.members.iter().for_each(Member::exchange);
    }

    /// All load ends, for good.
    pub(super) fn stop(&self, at: RunTime) {
        for member in &self.members {
            member.stop(at);
        }
    }

    /// What a link says next; without neighbours, nothing ever.
    pub(super) async fn next(&mut self) -> Option<(usize, LinkEvent)> {
        if self.members.is_empty() {
            return std::future::pending().await;
        }
        self.events.recv().await
    }

    /// Takes it: facts that the tester adds.
    pub(super) fn take(
        &mut self,
        (index, event): (usize, LinkEvent),
        now: RunTime,
    ) -> std::io::Result<Option<Fact>> {
        let Some(member) = self.members.get_mut(index) else {
            return Ok(None);
        };
        let lost = member.take(event, now)?;
        for told in member.take_told() {
            tell_fact(member.number, &told);
        }
        Ok(lost)
    }

    /// Ends all load, and waits for what is still to be told.
    pub(super) async fn finish(&mut self, now: RunTime) -> std::io::Result<()> {
        self.stop(now);
        let last = timeout(LAST_FACTS, async {
            while self.members.iter().any(Member::speaks) {
                let Some(event) = self.events.recv().await else {
                    return Ok(());
                };
                drop(self.take(event, now)?);
            }
            Ok(())
        });
        let last = last.await.unwrap_or(Ok(()));
        self.members.iter_mut().for_each(Member::finish);
        if !self.members.is_empty() {
            // The links' tasks write the last message meanwhile.
            sleep(Duration::from_millis(100)).await;
        }
        last
    }
}

fn read_join(join: &str, number: u32) -> Result<Join, Failure> {
    Join::read(join).map_err(|e| {
        Failure::usage(format!("neighbour {number}: {e}")).hint(
            "--neighbour takes the line that `milliwatt agent --allow-neighbour` printed, or a file that holds it",
        )
    })
}

fn same_agent(number: u32, who: &str) -> Failure {
    Failure::usage(format!(
        "neighbour {number} is the agent of {who}: load on the machine under test is no contention"
    ))
    .hint("start `milliwatt agent --allow-neighbour` in ANOTHER guest of the same host, and give the line that it prints")
}

fn tell_fact(number: u32, told: &NeighbourFact) {
    match told {
        NeighbourFact::Switched { on, at } => {
            let what = if *on { "on" } else { "off" };
            tell(&format!(
                "{:>4} s  neighbour {number}: load {what}",
                at.second()
            ));
        }
        NeighbourFact::Failed { at, text } => {
            tell(&format!("{:>4} s  neighbour {number}: {text}", at.second()));
        }
        _ => {}
    }
}
