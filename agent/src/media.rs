//! The media of a session: engine threads, the recording writer, and the collector of their facts.

use crate::capture::disk::Place;
use crate::capture::half::HalfOf;
use crate::capture::writer::Taps;
use crate::collector::Collector;
use crate::engine::{Engine, EngineSetup, MediaStatus, PortPair};
use crate::limits::disk_needed;
use crate::meter::TcpMeter;
use crate::recording::frames::frame_queue;
use crate::recording::shelf::Shelf;
use crate::recording::writer::RecordingWriter;
use crate::spool::Spool;
use crate::telemetry::HostProbe;
use crate::transfer::TransferLoad;
use crate::transfer::switch::{Switched, start_switch};
use anyhow::{Context, Result};
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::transfer::Course;
use milliwatt_wire::clock::{ClockPair, SleepMode, mono_now, set_timer_slack_1ns, sleep_until};
use milliwatt_wire::facts::{Fact, Right, Timers};
use milliwatt_wire::id::{End, Lane};
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::socket::{lock_memory, request_real_time, return_large_memory, thread_id};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::RunClock;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

/// Facts a ring holds, a stream: it tells one a second, and a few more when it is impaired.
const FACTS_A_STREAM: usize = 6;
/// The same where the load is raised past what the path carries, on purpose: each packet may be told of then, and the packet
/// threads leave the collector little time.
const FACTS_A_STREAM_PAST_LIMITS: usize = 24;
/// Facts a ring holds at least.
const FACTS_MIN: usize = 2048;
/// Audio frames that may wait for a disk that stands still, a stream: 3 s.
const FRAMES_A_STREAM: usize = 150;
/// Priority of the guest's media threads under `SCHED_FIFO`: above ordinary work, below the kernel's own.
const MEDIA_PRIORITY: u8 = 50;
/// Priority of the tester's pacing: where both ends share a machine, the instrument goes before
/// what it measures.
pub const PACING_PRIORITY: u8 = 60;
/// The collector looks this often.
const GATHER_NS: i64 = 50_000_000;
/// Priority of the collector: after every packet thread and before all that is not real-time. Where packet threads leave
/// little of the processors, facts would find their rings full and be lost.
pub const COLLECTOR_PRIORITY: u8 = 5;

/// Room for the facts of a thread that serves so many streams of a load.
#[must_use]
pub fn fact_ring(load: &LoadSpec, streams: usize) -> usize {
    let each = if load.stepped {
        FACTS_A_STREAM_PAST_LIMITS
    } else {
        FACTS_A_STREAM
    };
    (streams * each).max(FACTS_MIN)
}

/// A session made ready: ports proven, nothing sent yet.
pub struct ReadyMedia {
    /// The run.
    pub run: u64,
    /// The load.
    pub load: LoadSpec,
    /// Its calls.
    pub plan: Arc<CallPlan>,
    /// What its media is encrypted with.
    pub keys: Option<Arc<MediaKeys>>,
    /// Proven and connected.
    pub ports: Vec<PortPair>,
    /// Media-engine threads.
    pub engines: u32,
    /// The session's folder.
    pub folder: PathBuf,
    /// Octets that recordings may take.
    pub max_disk: u64,
    /// A guest was named.
    pub guest_named: bool,
    /// One kernel's clock at both ends.
    pub same_clock: bool,
    /// Headers of every packet are captured.
    pub capture: bool,
}

/// What the rest of the session shares with the media.
#[derive(Clone)]
pub struct MediaShared {
    /// Status of the media threads.
    pub status: Arc<MediaStatus>,
    /// Facts on their way.
    pub spool: Arc<Spool>,
    /// Recordings on their way.
    pub shelf: Arc<Shelf>,
    /// Meters of the connections.
    pub meter: Arc<TcpMeter>,
    /// How files flow from here: see [`TransferLoad::set_flow`].
    pub transfers: Arc<TransferLoad>,
}

/// Asks for what a packet thread needs of the system, and has its time on the processor watched. Gives what was
/// granted and what refused. A thread that spins asks for no real-time class: it would keep the processor from the
/// kernel's own threads, and the kernel answers by stopping it for 50 ms a second.
pub fn prepare_packet_thread(status: &MediaStatus, priority: u8, mode: SleepMode) -> Vec<Right> {
    status.watch_thread(thread_id());
    let right = |name: &str, granted| Right {
        name: name.into(),
        granted,
    };
    let slack = set_timer_slack_1ns().map_err(|e| e.to_string());
    let mut rights = vec![right("timer slack of 1 ns", slack)];
    if mode != SleepMode::Spin {
        rights.push(right("SCHED_FIFO", request_real_time(priority)));
    }
    rights
}

/// What a process asks of the system once, before its packet threads start.
#[must_use]
pub fn prepare_process() -> Vec<Right> {
    return_large_memory();
    vec![Right {
        name: "locked memory".into(),
        granted: lock_memory(),
    }]
}

/// Starts the media at run time zero of `clock`. Gives a sender for facts of the session, and the
/// collector's thread, which ends when all media is over.
pub fn start_media(
    ready: ReadyMedia,
    shared: &MediaShared,
    clock: RunClock,
) -> Result<(mpsc::Sender<Fact>, JoinHandle<()>)> {
    bound_steps(&ready.load, &shared.status);
    let (sender, inbox) = mpsc::channel();
    let local = ready.ports.first().map(|p| p.rtp.local_addr().ip());
    let kernel_timestamps = ready.ports.iter().all(|p| p.rtp.kernel_timestamps());
    let pair = ClockPair::read();
    let wall_at_zero = pair.wall + (clock.zero - pair.mono);
    let opened = opened_fact(&ready, kernel_timestamps, wall_at_zero);
    let course = Course::of(&ready.load, &ready.plan, End::Guest);
    let mut taps = ready.capture.then(|| Taps::of_media(ready.load.srtp));
    let half = half_of(&ready, wall_at_zero);
    let ReadyMedia {
        load,
        plan,
        keys,
        ports,
        engines,
        folder,
        max_disk,
        ..
    } = ready;
    let mut by_engine: Vec<Vec<PortPair>> = (0..engines).map(|_| Vec::new()).collect();
    for port in ports {
        let Lane(lane) = port.lane;
        by_engine[(lane % engines) as usize].push(port);
    }
    let (granted, real_time) = mpsc::channel();
    let mut threads = Vec::new();
    let (mut rings, mut audio) = (Vec::new(), Vec::new());
    for (index, ports) in (0..).zip(by_engine) {
        let (facts, ring) = rtrb::RingBuffer::new(fact_ring(&load, ports.len()));
        let (recorder, frames) = frame_queue(ports.len() * FRAMES_A_STREAM);
        rings.push(ring);
        audio.push(frames);
        let tap = taps
            .as_mut()
            .map(|taps| taps.open(&ports))
            .unwrap_or_default();
        let (load, plan, status) = (load.clone(), Arc::clone(&plan), Arc::clone(&shared.status));
        let setup = EngineSetup {
            load,
            plan,
            keys: keys.clone(),
            index,
            engines,
            ports,
            clock,
            status,
            facts,
            recorder,
            tap,
        };
        threads.push(start_engine(setup, granted.clone())?);
    }
    drop(granted);
    switch_transfers(course, shared, clock)?;
    let writer = RecordingWriter::start(
        folder.join("recordings"),
        &load,
        audio,
        Arc::clone(&shared.shelf),
        max_disk,
    )
    .context("cannot write recordings in --dir")?;
    sender
        .send(opened(timers(engines, &real_time)))
        .context("the collector's inbox")?;
    let status = Arc::clone(&shared.status);
    let metered = (Arc::clone(&shared.meter), Arc::clone(&shared.transfers));
    let collector = Collector::new(rings, inbox, status, metered, HostProbe::new(local), clock);
    let transfers = Arc::clone(&shared.transfers);
    let (spool, shelf) = (Arc::clone(&shared.spool), Arc::clone(&shared.shelf));
    let events = sender.clone();
    let capture = taps.and_then(|taps| {
        let most = max_disk.saturating_sub(disk_needed(&load));
        let place = Place::Parts {
            folder,
            shelf: Arc::clone(&shelf),
            most,
            limit: max_disk,
        };
        start_capture(taps, (half, clock), place, &events)
    });
    let body = move || {
        let writers = (writer, capture);
        collect(
            collector,
            threads,
            writers,
            (&spool, &shelf, &transfers),
            &events,
            clock,
        );
    };
    let thread = thread::Builder::new()
        .name("collector".into())
        .spawn(body)
        .context("the collector's thread")?;
    Ok((sender, thread))
}

/// Made-up files and batches of recordings go by the course of the run from now on.
fn switch_transfers(course: Course, shared: &MediaShared, clock: RunClock) -> Result<()> {
    let switched = Switched {
        status: Arc::clone(&shared.status),
        transfers: Arc::clone(&shared.transfers),
        shelf: Arc::clone(&shared.shelf),
    };
    // It ends by itself when made-up files have.
    drop(start_switch(course, clock, switched).context("the thread of transfers")?);
    Ok(())
}

fn timers(engines: u32, granted: &mpsc::Receiver<Vec<Right>>) -> Timers {
    Timers {
        mode: SleepMode::Sleep,
        threads: engines,
        rights: all_rights(granted),
    }
}

/// A load that comes in steps ends when the tester says so, and by its bound at the latest.
fn bound_steps(load: &LoadSpec, status: &MediaStatus) {
    if let Some(bound) = load.full_for.filter(|_| load.stepped) {
        status.cut.fetch_min(bound, Ordering::Relaxed);
    }
}

/// Of what is free on the guest's disk, this much is left to what else is written there, percent.
const KEEP_PERCENT: u64 = 50;

fn half_of(ready: &ReadyMedia, wall_at_zero: i64) -> HalfOf {
    HalfOf {
        run: ready.run,
        end: End::Guest,
        wall_at_zero,
        dscp: ready.load.dscp,
    }
}

/// A capture that cannot be begun is told and left out.
fn start_capture(
    taps: Taps,
    (half, clock): (HalfOf, RunClock),
    place: Place,
    events: &mpsc::Sender<Fact>,
) -> Option<JoinHandle<()>> {
    let teller = events.clone();
    let tell_incomplete = move |text| tell(&teller, clock, CAPTURE_INCOMPLETE, text);
    let started = taps.write(
        (half, clock),
        (place, KEEP_PERCENT),
        Box::new(tell_incomplete.clone()),
    );
    started
        .inspect_err(|error| {
            tell_incomplete(format!("the guest cannot capture in --dir: {error}"));
        })
        .ok()
}

/// Kind of the event that tells of packets missing in a capture.
pub const CAPTURE_INCOMPLETE: &str = "capture-incomplete";

fn opened_fact(
    ready: &ReadyMedia,
    kernel_timestamps: bool,
    wall_at_zero: i64,
) -> impl FnOnce(Timers) -> Fact + use<> {
    let (run, guest_named, same_clock) = (ready.run, ready.guest_named, ready.same_clock);
    let load = Box::new(ready.load.clone());
    move |timers| Fact::Opened {
        end: End::Guest,
        run,
        load,
        same_clock,
        wall_at_zero,
        timers,
        kernel_timestamps,
        guest_named,
        judgement: String::new(),
    }
}

fn start_engine(setup: EngineSetup, granted: mpsc::Sender<Vec<Right>>) -> Result<JoinHandle<()>> {
    let name = format!("media-{}", setup.index);
    let status = Arc::clone(&setup.status);
    let engine = Engine::new(setup).context("the media engine's poller")?;
    let body = move || {
        let rights = prepare_packet_thread(&status, MEDIA_PRIORITY, SleepMode::Sleep);
        if granted.send(rights).is_ok() {
            drop(granted);
            engine.run();
        }
    };
    thread::Builder::new()
        .name(name)
        .spawn(body)
        .context("a media-engine thread")
}

/// What the process and each of its packet threads asked for, each right once: refused where any thread was.
#[must_use]
pub fn all_rights(threads: &mpsc::Receiver<Vec<Right>>) -> Vec<Right> {
    let mut all = prepare_process();
    for right in threads.iter().flatten() {
        match all.iter_mut().find(|known| known.name == right.name) {
            Some(known) if known.granted.is_ok() => *known = right,
            Some(_) => {}
            None => all.push(right),
        }
    }
    all
}

fn collect(
    mut collector: Collector,
    threads: Vec<JoinHandle<()>>,
    (writer, capture): (RecordingWriter, Option<JoinHandle<()>>),
    (spool, shelf, transfers): (&Spool, &Shelf, &TransferLoad),
    events: &mpsc::Sender<Fact>,
    clock: RunClock,
) {
    // Where it is refused, the packet threads were refused theirs too.
    request_real_time(COLLECTOR_PRIORITY).unwrap_or_default();
    let mut spool_error = None;
    let mut keep = |block: std::io::Result<Option<Vec<u8>>>| {
        let appended =
            block.and_then(|octets| octets.map_or(Ok(()), |octets| spool.append(&octets)));
        if let (Err(error), None) = (appended, &spool_error) {
            tell(
                events,
                clock,
                "disk-full",
                format!(
                    "the guest's facts cannot be written in --dir ({error}): they are held in memory until the tester has them"
                ),
            );
            spool_error = Some(error);
        }
    };
    while !threads.iter().all(JoinHandle::is_finished) {
        sleep_until(mono_now() + GATHER_NS);
        tell_troubles(shelf, events, clock);
        keep(collector.gather());
    }
    for thread in threads {
        if thread.join().is_err() {
            tell(
                events,
                clock,
                "engine-failed",
                "a media-engine thread of the guest program failed".into(),
            );
        }
    }
    // Made-up files end with the calls; recordings drain.
    transfers.end();
    // Before the shelf is closed: its parts travel like recordings.
    if capture.is_some_and(|capture| capture.join().is_err()) {
        let text = "the capture's thread in the guest program failed".into();
        tell(events, clock, CAPTURE_INCOMPLETE, text);
    }
    writer.finish();
    tell_troubles(shelf, events, clock);
    keep(collector.finish());
    spool.complete();
}

fn tell_troubles(shelf: &Shelf, events: &mpsc::Sender<Fact>, clock: RunClock) {
    for trouble in shelf.take_troubles() {
        tell(events, clock, trouble.kind, trouble.text);
    }
}

fn tell(events: &mpsc::Sender<Fact>, clock: RunClock, kind: &str, text: String) {
    let event = Fact::Event {
        at: clock.run(mono_now()),
        kind: kind.into(),
        text,
    };
    // The collector holds the other end for as long as this runs.
    drop(events.send(event));
}
