//! A run under way: watched, stopped, finished.

mod programme;
mod start;
mod steps;

use super::calendar::Calendar;
use super::capture;
use super::clocks::{Exchange, SkewEstimate};
use super::course::Course;
use super::directory::{FactsLog, absorb};
use super::hooks::Hooks;
use super::link::{Link, LinkEvent};
use super::live::{AbortWatch, Progress};
use super::media::TesterMedia;
use super::neighbours::Neighbours;
use super::programme::Programme;
use super::recordings::RecordingSink;
use super::remote::{Command, Remote};
use super::sources::Sources;
use super::uploads::Downloads;
use crate::exit::Failure;
use crate::output;
use crate::run::RunRequest;
use crate::scenario::course::CoursePlan;
use crate::signals::{Asked, Signals};
use milliwatt_agent::engine::MediaStatus;
use milliwatt_agent::media::CAPTURE_INCOMPLETE;
use milliwatt_generator::calls::CallPlan;
use milliwatt_scoring::scorer::LiveView;
use milliwatt_wire::capture::note::Note;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::facts::{Fact, MarkSource};
use milliwatt_wire::id::End;
use milliwatt_wire::time::{MonoTime, NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// From the start message to run time zero: long enough for it to arrive.
const LEAD_NS: i64 = 700 * NS_PER_MS;
/// After the last media, the guest may still send facts and recordings for so long without any progress.
const PATIENCE_NS: i64 = 60 * NS_PER_SECOND;
/// The same once all media was ended at once: a guest that answers has blocks each second.
const HASTE_NS: i64 = 2 * NS_PER_SECOND;
/// The link's task writes the last message meanwhile.
const FAREWELL: Duration = Duration::from_millis(100);

/// A run under way.
pub(super) struct Run<'a> {
    request: &'a RunRequest,
    folder: PathBuf,
    /// The run's random identity.
    identity: u64,
    /// RTP ports of each line, here and at the guest.
    ports: Vec<[u16; 2]>,
    remote: Option<Remote>,
    plan: Arc<CallPlan>,
    clock: RunClock,
    offset: i64,
    same_clock: bool,
    link: Link,
    media: TesterMedia,
    status: Arc<MediaStatus>,
    view: LiveView,
    logs: [FactsLog; 2],
    calendar: Calendar,
    /// Of a stepped load.
    course: Option<Course>,
    programme: Programme,
    hooks: Hooks,
    neighbours: Neighbours,
    sources: Sources,
    skew: SkewEstimate,
    transfers: JoinSet<()>,
    downloads: Downloads,
    recorded: std_mpsc::Receiver<Fact>,
    sink: Arc<RecordingSink>,
    /// Parts of the guest's capture that had come when it was last looked.
    parts: usize,
    cut: RunTime,
    media_over: bool,
    guest: GuestState,
    last_progress: MonoTime,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum GuestState {
    /// Facts are still to come.
    Speaking,
    /// It has sent everything.
    Done,
    /// It is gone for good.
    Lost,
}

impl Run<'_> {
    pub(super) async fn watch(mut self, lost_after: Duration) -> Result<(), Failure> {
        let watched = self.watch_to_its_end(lost_after).await;
        if watched.is_ok() {
            return self.finish().await;
        }
        // The agent need not wait for a tester that does not come back.
        self.link.send(ToAgent::Finish);
        sleep(FAREWELL).await;
        watched
    }

    async fn watch_to_its_end(&mut self, lost_after: Duration) -> Result<(), Failure> {
        let mut remote = self.remote.take();
        let mut signals = Signals::listen()
            .map_err(|e| Failure::could_not_run(format!("cannot listen for signals: {e}")))?;
        let mut ticks = interval(Duration::from_millis(200));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut exchanges = interval(Duration::from_secs(1));
        let mut progress = Progress::new(self.expected_seconds());
        let mut abort = AbortWatch::new(self.request.plan.abort.clone());
        while !self.is_complete(lost_after) {
            tokio::select! {
                _ = ticks.tick() => self.tick(&mut progress, &mut abort),
                _ = exchanges.tick() => {
                    self.link.send(ToAgent::Clock { t1: mono_now() });
                    self.neighbours.exchange();
                }
                Some(event) = self.link.events.recv() => self.take_event(event)?,
                Some(block) = self.media.blocks.recv() => self.take_own_block(block)?,
                Some(()) = self.media.media_over.recv() => self.end_media(),
                Some(command) = Remote::next(&mut remote) => self.obey(command),
                Some(end) = self.hooks.next() => self.take_hook_end(end),
                Some(word) = self.sources.next() => self.take_word(word),
                Some(event) = self.neighbours.next() => self.take_neighbour(event)?,
                asked = signals.next() => self.interrupt(asked),
            }
        }
        progress.end();
        Ok(())
    }

    fn expected_seconds(&self) -> f64 {
        let course = self.request.plan.course.as_ref();
        course.map_or_else(|| self.plan.end().as_seconds(), CoursePlan::seconds)
    }

    /// Five times a second: what has happened, the next step, progress, the abort rule.
    fn tick(&mut self, progress: &mut Progress, abort: &mut AbortWatch) {
        let now = self.tell_what_happened();
        self.follow_course(now);
        self.follow_programme(now);
        self.follow_neighbours(now);
        let live = self.view.at(now);
        let (phase, calls) = (self.calendar.phase(), self.calendar.calls_up());
        let offered = self.course.as_ref().and_then(Course::offered_mbps);
        let part = self.programme.part();
        progress.show(now.second(), (phase, offered, part), calls, &live);
        if self.cut.0 == i64::MAX
            && let Some(reason) = abort.met(now.second(), &live)
        {
            output::complain(&format!("\n{reason}"));
            self.event("abort", reason);
            self.stop();
        }
    }

    /// What the plan says has happened by now, and the recordings that came, told as facts.
    fn tell_what_happened(&mut self) -> RunTime {
        let now = self.clock.run(mono_now());
        while self.transfers.try_join_next().is_some() {}
        let parts = self.sink.parts();
        if std::mem::replace(&mut self.parts, parts) != parts {
            self.last_progress = mono_now();
        }
        let facts = &self.media.facts;
        self.calendar
            .advance(now, &mut |fact| drop(facts.send(fact)));
        for fact in self.recorded.try_iter() {
            self.last_progress = mono_now();
            drop(facts.send(fact));
        }
        now
    }

    fn take_own_block(&mut self, block: std::io::Result<Vec<u8>>) -> Result<(), Failure> {
        let block = block.map_err(facts_failed)?;
        self.logs[0].append(&block).map_err(facts_failed)?;
        self.absorb(End::Tester, &block);
        Ok(())
    }

    fn take_event(&mut self, event: LinkEvent) -> Result<(), Failure> {
        match event {
            LinkEvent::Message(FromAgent::Block { sequence, octets }, _) => {
                self.take_guest_block(sequence, &octets)?;
            }
            LinkEvent::Message(FromAgent::Clock { t1, t2, t3 }, t4) => {
                self.take_exchange(Exchange { t1, t2, t3, t4 });
            }
            LinkEvent::Message(FromAgent::Done, _) => self.guest = GuestState::Done,
            LinkEvent::Message(FromAgent::Refuse { reason, .. }, _) => {
                self.event(
                    "guest-lost",
                    format!("the agent refuses to go on: {reason}"),
                );
                self.lose_guest();
            }
            LinkEvent::Message(..) => {}
            LinkEvent::Lost(why) => self.event(
                "control-lost",
                format!("control connection lost, dialling again: {why}"),
            ),
            LinkEvent::Resumed => {
                self.event("control-resumed", "control connection is back".into());
            }
            LinkEvent::GaveUp(why) => {
                self.event("guest-lost", format!("the guest is lost: {why}"));
                self.lose_guest();
            }
        }
        Ok(())
    }

    /// Neighbours are told what to do until the run is stopped.
    fn follow_neighbours(&mut self, now: RunTime) {
        if self.cut.0 == i64::MAX {
            self.neighbours.follow(now, self.plan.full_from());
        }
    }

    fn take_neighbour(&mut self, event: (usize, LinkEvent)) -> Result<(), Failure> {
        let now = self.clock.run(mono_now());
        if let Some(fact) = self.neighbours.take(event, now).map_err(facts_failed)? {
            drop(self.media.facts.send(fact));
        }
        Ok(())
    }

    async fn end_neighbours(&mut self) -> Result<(), Failure> {
        let now = self.clock.run(mono_now());
        let ended = self.neighbours.finish(now).await;
        ended.map_err(facts_failed)
    }

    /// The calls have ended: made-up files do not go on without them.
    fn end_media(&mut self) {
        self.media_over = true;
        self.downloads.transfers.end();
        self.downloads.shelf.close();
    }

    fn lose_guest(&mut self) {
        self.guest = GuestState::Lost;
        self.stop_now();
    }

    fn take_guest_block(&mut self, sequence: u64, octets: &[u8]) -> Result<(), Failure> {
        if sequence < self.link.next_block.load(Ordering::Relaxed) {
            return Ok(()); // sent again after a redial, and already safe here
        }
        self.logs[1].append(octets).map_err(facts_failed)?;
        self.link.next_block.store(sequence + 1, Ordering::Relaxed);
        self.link.send(ToAgent::Received { block: sequence });
        self.absorb(End::Guest, octets);
        self.last_progress = mono_now();
        Ok(())
    }

    fn absorb(&mut self, end: End, block: &[u8]) {
        let (view, course) = (&mut self.view, &mut self.course);
        absorb(block, |fact| {
            view.absorb(end, fact);
            if let Some(course) = course {
                course.absorb(end, fact);
            }
        });
    }

    fn take_exchange(&mut self, exchange: Exchange) {
        let tester = |at: MonoTime| self.clock.run(at);
        let guest = |at: MonoTime| self.clock.run(at + -self.offset);
        let fact = Fact::Clock {
            t1: tester(exchange.t1),
            t2: guest(exchange.t2),
            t3: guest(exchange.t3),
            t4: tester(exchange.t4),
        };
        drop(self.media.facts.send(fact));
        if !self.same_clock
            && let Some(ppb) = self.skew.take(exchange)
        {
            self.status.skew_ppb.store(ppb, Ordering::Relaxed);
            self.link.send(ToAgent::Skew {
                parts_per_billion: ppb,
            });
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Stop => self.stop(),
            Command::StopNow => self.stop_now(),
            Command::Mark(label) => self.take_mark(label, MarkSource::Told),
        }
    }

    /// Once: calls end and are drained. Twice: all media ends; a terminal that is gone asks for nothing twice.
    fn interrupt(&mut self, asked: Asked) {
        if asked == Asked::ByHangup {
            self.end_calls("the terminal is gone: all calls end");
        } else if self.cut.0 == i64::MAX {
            output::complain(
                "\nstopping: calls end, recordings are transferred; once more ends at once",
            );
            self.stop();
        } else {
            self.stop_now();
        }
    }

    fn stop(&mut self) {
        self.end_calls("all calls end");
    }

    /// Once.
    fn end_calls(&mut self, why: &str) {
        if self.cut.0 == i64::MAX {
            let at = self.clock.run(mono_now()) + 200 * NS_PER_MS;
            self.event("stop", why.into());
            self.cut_at(at);
            self.link.send(ToAgent::Stop { at });
        }
    }

    fn stop_now(&mut self) {
        self.event("stop", "all media ends at once".into());
        self.cut_at(self.clock.run(mono_now()));
        self.link.send(ToAgent::StopNow);
        self.status.halt.store(true, Ordering::Relaxed);
    }

    fn cut_at(&mut self, at: RunTime) {
        self.cut = self.cut.min(at);
        self.calendar.cut(at);
        self.status.cut.fetch_min(at.0, Ordering::Relaxed);
        self.neighbours.stop(self.cut);
    }

    fn event(&self, kind: &str, text: String) {
        let at = self.clock.run(mono_now());
        drop(self.media.facts.send(Fact::Event {
            at,
            kind: kind.into(),
            text,
        }));
    }

    /// Media is over, and the guest has said and sent everything, or is lost, or stuck.
    fn is_complete(&self, lost_after: Duration) -> bool {
        if !self.media_over {
            return false;
        }
        let transferred = self.transfers.is_empty();
        let patience = if self.status.halt.load(Ordering::Relaxed) {
            HASTE_NS
        } else {
            PATIENCE_NS.max(i64::try_from(lost_after.as_nanos()).unwrap_or(PATIENCE_NS))
        };
        match self.guest {
            GuestState::Done => transferred || mono_now() - self.last_progress > patience,
            GuestState::Lost => true,
            GuestState::Speaking => mono_now() - self.last_progress > patience,
        }
    }

    async fn finish(mut self) -> Result<(), Failure> {
        self.tell_what_happened();
        self.end_programme().await;
        self.end_neighbours().await?;
        let came = self.guest == GuestState::Done && self.transfers.is_empty();
        self.transfers.abort_all();
        self.downloads.end();
        self.end_capture(came).await;
        self.link.send(ToAgent::Finish);
        // A collector that is gone already has closed its log.
        self.media.finish.send(()).unwrap_or_default();
        while let Some(block) = self.media.blocks.recv().await {
            self.take_own_block(block)?;
        }
        sleep(FAREWELL).await;
        if self.request.capture {
            let run = Note::Run {
                run: self.identity,
                scenario: self.request.plan.name.clone(),
                wall_at_zero: 0,
                ports: self.ports,
            };
            capture::put_together(self.folder, run).await;
        }
        Ok(())
    }

    /// Waits for the last of the tester's half, and tells when the guest's did not come.
    async fn end_capture(&mut self, guest_came: bool) {
        let Some(writer) = self.media.capture.take() else {
            return;
        };
        let joined = tokio::task::spawn_blocking(move || writer.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            self.event(CAPTURE_INCOMPLETE, "the capture's thread failed".into());
        }
        if !guest_came {
            let text = "the guest's half of the capture did not come, or not whole";
            output::complain(&format!("capture: {text}"));
            self.event(CAPTURE_INCOMPLETE, text.into());
        }
    }
}

/// The run ends: what it would measure from here on could not be kept.
#[expect(clippy::needless_pass_by_value, reason = "it is made for map_err")]
fn facts_failed(error: std::io::Error) -> Failure {
    Failure::could_not_run(format!(
        "the run's facts cannot be written in its folder: {error}"
    ))
    .hint("free some space; what was recorded so far can be judged with `milliwatt report`")
}
