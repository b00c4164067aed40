//! A run under way: watched, stopped, finished.

mod steps;

use super::calendar::Calendar;
use super::capture;
use super::clocks::{Exchange, SkewEstimate};
use super::course::{Course, Judged};
use super::dial::Dial;
use super::directory::{FactsLog, absorb, capture_path, guest_capture_folder};
use super::link::{Link, LinkEvent};
use super::live::{AbortWatch, Progress};
use super::media::{self, Opening, TesterMedia};
use super::record::write_identity;
use super::recordings::{RecordingSink, score};
use super::remote::{Command, Remote};
use super::setup::Ready;
use super::signals::Signals;
use super::uploads::{Downloads, start_downloads, start_uploads};
use crate::exit::Failure;
use crate::output;
use crate::run::RunRequest;
use crate::scenario::course::CoursePlan;
use crate::speakers::Speakers;
use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_agent::media::CAPTURE_INCOMPLETE;
use milliwatt_generator::calls::CallPlan;
use milliwatt_scoring::scorer::LiveView;
use milliwatt_wire::capture::note::Note;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use milliwatt_wire::time::{MonoTime, NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use std::path::{Path, PathBuf};
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

impl<'a> Run<'a> {
    pub(super) fn start(
        request: &'a RunRequest,
        folder: &Path,
        (run, own): (u64, bool),
        speakers: Speakers,
        ready: Ready,
        dial: &Dial,
    ) -> Result<Self, Failure> {
        let clock = RunClock {
            zero: mono_now() + LEAD_NS,
        };
        let (offset, same_clock) = (ready.offset, ready.same_clock);
        write_identity(request, folder, (run, own), &ready, clock)?;
        let remote = Remote::open(run);
        let plan = Arc::new(CallPlan::expand(&ready.load));
        let status = Arc::new(MediaStatus::default());
        let judgement = serde_json::to_string(&request.plan.judgement).map_err(|e| {
            Failure::could_not_run(format!("the thresholds cannot be written: {e}"))
        })?;
        let burst = request.on_late == crate::args::OnLate::Burst;
        let opening = Opening {
            run,
            guest_named: !own,
            judgement,
            voices: Arc::clone(&speakers.voices),
            burst,
            pace: request.pace,
            capture: request.capture.then(|| capture_path(folder)),
        };
        let (recorded_sender, recorded) = std_mpsc::channel();
        let tell = Box::new(move |fact| drop(recorded_sender.send(fact)));
        let mut sink = RecordingSink::new(
            folder.join("recordings"),
            request.keep_recordings,
            clock,
            Box::new(move |call, wav| score(&speakers, call, wav)),
            tell,
        );
        if request.capture {
            sink = sink.with_capture(guest_capture_folder(folder));
        }
        let sink = Arc::new(sink);
        let downloads = start_downloads(dial, (&ready.load, &plan), clock, &status)?;
        let transfers = start_uploads(dial, ready.load.transfer.parallel, &sink);
        let logs_failed = |e: std::io::Error| {
            Failure::could_not_run(format!("cannot write facts in {}: {e}", folder.display()))
        };
        let logs = [
            FactsLog::create(folder, End::Tester).map_err(logs_failed)?,
            FactsLog::create(folder, End::Guest).map_err(logs_failed)?,
        ];
        ready.link.send(ToAgent::Start {
            zero: clock.zero + offset,
        });
        let Ready {
            link,
            load,
            ports,
            local,
            accept,
            ..
        } = ready;
        let numbers = ports.iter().map(port_numbers).collect();
        let judged = Judged::by(&request.plan.judgement);
        let course = request.plan.course.as_ref();
        let course = course.map(|course| Course::new(course, accept.engines, judged));
        let media = media::start(
            (load, ports, local, same_clock),
            &plan,
            opening,
            &status,
            (&dial.meter, &downloads.transfers),
            clock,
        )?;
        Ok(Self {
            request,
            folder: folder.to_owned(),
            identity: run,
            ports: numbers,
            remote,
            calendar: Calendar::new(&plan),
            course,
            plan,
            clock,
            offset,
            same_clock,
            link,
            media,
            status,
            view: LiveView::default(),
            logs,
            skew: SkewEstimate::default(),
            transfers,
            downloads,
            recorded,
            sink,
            parts: 0,
            cut: RunTime(i64::MAX),
            media_over: false,
            guest: GuestState::Speaking,
            last_progress: mono_now(),
        })
    }

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
        let mut signals = Signals::listen()?;
        let mut ticks = interval(Duration::from_millis(200));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut exchanges = interval(Duration::from_secs(1));
        let mut progress = Progress::new(self.expected_seconds());
        let mut abort = AbortWatch::new(self.request.plan.abort.clone());
        while !self.is_complete(lost_after) {
            tokio::select! {
                _ = ticks.tick() => self.tick(&mut progress, &mut abort),
                _ = exchanges.tick() => self.link.send(ToAgent::Clock { t1: mono_now() }),
                Some(event) = self.link.events.recv() => self.take_event(event)?,
                Some(block) = self.media.blocks.recv() => self.take_own_block(block)?,
                Some(()) = self.media.media_over.recv() => self.end_media(),
                Some(command) = Remote::next(&mut remote) => self.obey(command),
                () = signals.next() => self.interrupt(),
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
        let live = self.view.at(now);
        let (phase, calls) = (self.calendar.phase(), self.calendar.calls_up());
        let offered = self.course.as_ref().and_then(Course::offered_mbps);
        progress.show(now.second(), (phase, offered), calls, &live);
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
            Command::Mark(label) => self.event("mark", label),
        }
    }

    /// Once: calls end and are drained. Twice: all media ends.
    fn interrupt(&mut self) {
        if self.cut.0 == i64::MAX {
            output::complain(
                "\nstopping: calls end, recordings are transferred; once more ends at once",
            );
            self.stop();
        } else {
            self.stop_now();
        }
    }

    fn stop(&mut self) {
        if self.cut.0 == i64::MAX {
            let at = self.clock.run(mono_now()) + 200 * NS_PER_MS;
            self.event("stop", "all calls end".into());
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

fn port_numbers(ports: &PortPair) -> [u16; 2] {
    let there = ports.rtp.peer_addr().map_or(0, |peer| peer.port());
    [ports.rtp.local_addr().port(), there]
}

/// The run ends: what it would measure from here on could not be kept.
#[expect(clippy::needless_pass_by_value, reason = "it is made for map_err")]
fn facts_failed(error: std::io::Error) -> Failure {
    Failure::could_not_run(format!(
        "the run's facts cannot be written in its folder: {error}"
    ))
    .hint("free some space; what was recorded so far can be judged with `milliwatt report`")
}
