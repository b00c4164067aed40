//! The programme of a run: its parts begin, its commands are started, marks are written down.

use super::Run;
use crate::controller::hooks::HookEnd;
use crate::controller::live::tell;
use crate::controller::programme::Order;
use crate::controller::sources::{Heard, Word};
use crate::scenario::programme::PlannedEvent;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::facts::{Fact, HookOutcome, MarkSource};
use milliwatt_wire::time::RunTime;

impl Run<'_> {
    /// Does what the programme asks for, until the run is stopped.
    pub(super) fn follow_programme(&mut self, now: RunTime) {
        while self.cut.0 == i64::MAX
            && let Some(order) = self.programme.advance(now, self.plan.full_from())
        {
            self.happen(order, now);
        }
    }

    fn happen(&mut self, order: Order, now: RunTime) {
        match order {
            Order::Part { name, at } => {
                tell(&format!("{:>4} s  phase: {name}", at.second()));
                self.neighbours.part(&name, at);
                drop(self.media.facts.send(Fact::PartStarted { name, at }));
            }
            Order::InVain { part, word } => {
                let text = format!("phase `{part}` ended with its maximum: no `{word}` came");
                tell(&text);
                self.event("phase-maximum", text);
            }
            Order::Mark { label } => self.mark(label, MarkSource::Scenario, now),
            Order::Run { event } => self.start_hook(event, now),
            Order::Over => self.end_calls("the last phase is over: all calls end"),
        }
    }

    /// A mark that was told by a person, a script or a hypervisor: it may be what a part waits for.
    pub(super) fn take_mark(&mut self, label: String, source: MarkSource) {
        let at = self.clock.run(mono_now());
        self.programme.mark(at, &label);
        self.mark(label, source, at);
    }

    /// A source has something to say.
    pub(super) fn take_word(&mut self, (kind, heard): Word) {
        let (event, text) = match heard {
            Heard::Mark(label) => {
                return self.take_mark(label, MarkSource::Hypervisor(kind.to_owned()));
            }
            Heard::Lost(why) => (
                "source-lost",
                format!("source {kind} cannot be read: {why}"),
            ),
            Heard::Back => ("source-back", format!("source {kind} can be read")),
            Heard::Full => (
                "source-full",
                format!("source {kind} says too much: the rest is left out"),
            ),
        };
        tell(&text);
        self.event(event, text);
    }

    fn mark(&mut self, label: String, source: MarkSource, at: RunTime) {
        let who = match &source {
            MarkSource::Hypervisor(kind) => format!("{kind}: "),
            _ => "mark: ".to_owned(),
        };
        tell(&format!("{:>4} s  {who}{label}", at.second()));
        drop(self.media.facts.send(Fact::Mark { at, label, source }));
    }

    fn start_hook(&mut self, index: usize, at: RunTime) {
        let Some(event) = self.programme.event(index) else {
            return;
        };
        let (label, source) = (event.label.clone(), MarkSource::HookStarted);
        if let Some(command) = &event.command {
            let words = command.text();
            tell(&format!("{:>4} s  {label}: {words}", at.second()));
            self.hooks.start(index, command, &self.folder);
        }
        drop(self.media.facts.send(Fact::Mark { at, label, source }));
    }

    /// A command ended: the run goes on, however it did.
    pub(super) fn take_hook_end(&mut self, end: HookEnd) {
        let at = self.clock.run(end.at);
        self.programme.ended(end.event, at);
        let Some(event) = self.programme.event(end.event) else {
            return;
        };
        let label = event.label.clone();
        tell(&format!(
            "{:>4} s  {}",
            at.second(),
            ended_text(event, &end)
        ));
        if end.cut {
            let ended = match end.outcome {
                HookOutcome::NotEnded => "could not be ended",
                _ => "was ended",
            };
            let text = format!("{label}: its command still ran at the end of the run, and {ended}");
            self.event("hook-cut", text);
        }
        let fact = Fact::HookEnded {
            label: label.clone(),
            started: self.clock.run(end.started),
            at,
            outcome: end.outcome,
            output: end.output,
        };
        drop(self.media.facts.send(fact));
        let source = MarkSource::HookEnded;
        drop(self.media.facts.send(Fact::Mark { at, label, source }));
    }

    /// The run is over: commands that still run are ended, and what did not happen is told.
    pub(super) async fn end_programme(&mut self) {
        for end in self.hooks.end_all().await {
            self.take_hook_end(end);
        }
        let at = self.clock.run(mono_now());
        for event in self.programme.missed() {
            let why = "the run ended before it was to run";
            tell(&format!("{}: {why}", event.label));
            let fact = Fact::HookEnded {
                label: event.label.clone(),
                started: at,
                at,
                outcome: HookOutcome::NotStarted(why.to_owned()),
                output: String::new(),
            };
            drop(self.media.facts.send(fact));
        }
        if let Some((part, word)) = self.programme.waiting() {
            let text = format!("the run ended in phase `{part}`: no `{word}` came");
            self.event("phase-open", text);
        }
    }
}

fn ended_text(event: &PlannedEvent, end: &HookEnd) -> String {
    let how = match &end.outcome {
        HookOutcome::Exited(code) => format!("ended with exit code {code}"),
        HookOutcome::Signalled(signal) => format!("was ended by signal {signal}"),
        HookOutcome::TimedOut => "did not end in its time, and was ended".to_owned(),
        HookOutcome::NotStarted(why) => {
            return format!("{}: its command did not start: {why}", event.label);
        }
        HookOutcome::NotEnded => "was killed, did not end, and is left".to_owned(),
    };
    let seconds = RunTime(end.at - end.started).as_seconds();
    format!("{}: its command {how} after {seconds:.1} s", event.label)
}
