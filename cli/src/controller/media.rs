//! The tester's threads: pacing, receiving, and the collector of their facts.

use super::departures::DepartureSample;
use super::pace::Pace;
use super::receiving::Receiving;
use super::sending::Sending;
use crate::exit::Failure;
use crate::output;
use milliwatt_agent::capture::disk::Place;
use milliwatt_agent::capture::half::HalfOf;
use milliwatt_agent::capture::writer::Taps;
use milliwatt_agent::collector::Collector;
use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_agent::media::{CAPTURE_INCOMPLETE, COLLECTOR_PRIORITY, all_rights, fact_ring};
use milliwatt_agent::meter::TcpMeter;
use milliwatt_agent::telemetry::HostProbe;
use milliwatt_agent::transfer::TransferLoad;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::voice::Voices;
use milliwatt_wire::clock::{ClockPair, mono_now, sleep_until};
use milliwatt_wire::facts::{Fact, Right, Timers};
use milliwatt_wire::id::End;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::socket::request_real_time;
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::RunClock;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc as queue;

const GATHER_NS: i64 = 50_000_000;

/// Facts that the receiving thread's ring holds at least: of 128 streams from a guest that is given a twentieth of a processor, more
/// than 9000 were told between two gatherings.
const RECEIVING_FACTS: usize = 16_384;
/// Priority of the receiving thread where the tester gives way to other programs: below all that sends by the clock.
const RECEIVING_PRIORITY: u8 = 10;
/// What is known of the run beside its load, for the first fact.
pub struct Opening {
    /// The run.
    pub run: u64,
    /// The guest was named, and is no agent of this run's own.
    pub guest_named: bool,
    /// Thresholds and what makes a run valid, as JSON.
    pub judgement: String,
    /// What the parties say.
    pub voices: Arc<Voices>,
    /// What is late is sent all the same, at once.
    pub burst: bool,
    /// What is not media gives way to other programs.
    pub background: bool,
    /// How pacing threads wait, and how many there are.
    pub pace: Pace,
    /// Where the tester's half of the capture is written, when one was asked for.
    pub capture: Option<PathBuf>,
}

/// The running media of the tester.
pub struct TesterMedia {
    /// Facts of the controller go in here.
    pub facts: mpsc::Sender<Fact>,
    /// Blocks come out here; the channel closes after the last.
    pub blocks: queue::UnboundedReceiver<std::io::Result<Vec<u8>>>,
    /// Ends the collector once the controller has said its last.
    pub finish: mpsc::Sender<()>,
    /// Pacing and receiving threads, joined by the collector.
    pub media_over: queue::UnboundedReceiver<()>,
    /// The tester's half of the capture; ends when media is over.
    pub capture: Option<JoinHandle<()>>,
}

/// Starts pacing and receiving at run time zero of `clock`, on proven ports. Fails where the system gives no thread or no
/// poll set.
pub fn start(
    (load, keys): (LoadSpec, Option<Arc<MediaKeys>>),
    (ports, local, same_clock): (Vec<PortPair>, IpAddr, bool),
    plan: &Arc<CallPlan>,
    opening: Opening,
    status: &Arc<MediaStatus>,
    (meter, transfers): (&Arc<TcpMeter>, &Arc<TransferLoad>),
    clock: RunClock,
) -> Result<TesterMedia, Failure> {
    let failed =
        |e: std::io::Error| Failure::could_not_run(format!("cannot start the media threads: {e}"));
    let ports = Arc::new(ports);
    let sent: Arc<[AtomicU32]> = ports.iter().map(|_| AtomicU32::new(0)).collect();
    let room = fact_ring(&load, ports.len());
    // All streams of a step end together, what came of them is read 100 ms at a time, and each packet of a leg that broke may
    // be told of.
    let (receiving_facts, receiving_ring) = rtrb::RingBuffer::new((4 * room).max(RECEIVING_FACTS));
    let (facts, inbox) = mpsc::channel();
    let (sample, stamps) = DepartureSample::start(&ports);
    let sample = Arc::new(sample);
    let mut taps = opening.capture.as_ref().map(|_| Taps::of_media(load.srtp));
    let mut tap = || {
        taps.as_mut()
            .map(|taps| taps.open(&*ports))
            .unwrap_or_default()
    };
    let receiving_tap = tap();
    let receiving = Receiving::new(
        (&load, plan, keys.as_ref()),
        (&ports, &sent),
        Arc::clone(&sample),
        clock,
        status,
        (receiving_facts, receiving_tap),
    )
    .map_err(failed)?;
    let kernel_timestamps = ports.iter().all(|p| p.rtp.kernel_timestamps());
    let background = opening.background;
    let receive = move || receive(receiving, background);
    let mut threads = vec![named("receiving").spawn(receive).map_err(failed)?];
    let mut rings = vec![receiving_ring];
    let Pace { mode, threads: of } = opening.pace;
    let sending = |index| {
        let (sending_facts, ring) = rtrb::RingBuffer::new(room);
        rings.push(ring);
        Sending {
            load: load.clone(),
            plan: Arc::clone(plan),
            keys: keys.clone(),
            voices: Arc::clone(&opening.voices),
            ports: Arc::clone(&ports),
            clock,
            status: Arc::clone(status),
            facts: sending_facts,
            mode,
            burst: opening.burst,
            index,
            of,
            sent: Arc::clone(&sent),
            sample: Arc::clone(&sample),
            tap: tap(),
        }
    };
    let (pacing, mut rights) = start_pacing((0..of).map(sending)).map_err(failed)?;
    threads.extend(pacing);
    rights.push(stamps);
    let half = half_of(opening.run, load.dscp, clock);
    let opened = Fact::Opened {
        end: End::Tester,
        run: opening.run,
        load: Box::new(load),
        same_clock,
        wall_at_zero: half.wall_at_zero,
        timers: Timers {
            mode,
            threads: of,
            rights,
        },
        kernel_timestamps,
        guest_named: opening.guest_named,
        judgement: opening.judgement,
    };
    drop(facts.send(opened));
    let capture = taps
        .zip(opening.capture)
        .and_then(|(taps, path)| start_capture(taps, (half, clock), path, &facts));
    let probe = HostProbe::new(Some(local));
    let collector = Collector::new(
        rings,
        inbox,
        Arc::clone(status),
        (Arc::clone(meter), Arc::clone(transfers)),
        probe,
        clock,
    );
    let (out, blocks) = queue::unbounded_channel();
    let (finish, finished) = mpsc::channel();
    let (over, media_over) = queue::unbounded_channel();
    named("collector")
        .spawn(move || {
            // Where it is refused, the packet threads were refused theirs too.
            request_real_time(COLLECTOR_PRIORITY).unwrap_or_default();
            collect(collector, threads, &out, &over, &finished);
        })
        .map_err(failed)?;
    Ok(TesterMedia {
        facts,
        blocks,
        finish,
        media_over,
        capture,
    })
}

fn receive(receiving: Receiving, background: bool) {
    if background {
        // Media goes before what gives way; that it is granted was asked before anything was lowered.
        request_real_time(RECEIVING_PRIORITY).unwrap_or_default();
    }
    receiving.run();
}

/// What the tester's half of a capture says of itself.
fn half_of(run: u64, dscp: u8, clock: RunClock) -> HalfOf {
    let pair = ClockPair::read();
    HalfOf {
        run,
        end: End::Tester,
        wall_at_zero: pair.wall + (clock.zero - pair.mono),
        dscp,
    }
}

fn named(name: &str) -> thread::Builder {
    thread::Builder::new().name(name.into())
}

/// Starts the pacing threads; gives what the system granted and refused them.
fn start_pacing(
    each: impl Iterator<Item = Sending>,
) -> std::io::Result<(Vec<JoinHandle<()>>, Vec<Right>)> {
    let (granted, rights) = mpsc::channel();
    let mut threads = Vec::new();
    for (index, sending) in each.enumerate() {
        let granted = granted.clone();
        let send = move || sending.run(granted);
        threads.push(named(&format!("pacing-{index}")).spawn(send)?);
    }
    drop(granted);
    Ok((threads, all_rights(&rights)))
}

/// Of what is free on this disk, this much is left to what else is written there, percent: the guest's half
/// comes to the same disk, and both once more when they are put together.
const KEEP_PERCENT: u64 = 80;

/// A capture that cannot be begun is told and left out.
fn start_capture(
    taps: Taps,
    (half, clock): (HalfOf, RunClock),
    path: PathBuf,
    facts: &mpsc::Sender<Fact>,
) -> Option<JoinHandle<()>> {
    let facts = facts.clone();
    let tell = move |text: String| {
        output::complain(&format!("\ncapture: {text}"));
        let event = Fact::Event {
            at: clock.run(mono_now()),
            kind: CAPTURE_INCOMPLETE.into(),
            text: format!("the tester's half: {text}"),
        };
        // The collector is there for as long as the run is.
        drop(facts.send(event));
    };
    let (place, told) = (Place::File(path), Box::new(tell.clone()));
    taps.write((half, clock), (place, KEEP_PERCENT), told)
        .inspect_err(|error| tell(format!("it cannot be written: {error}")))
        .ok()
}

fn collect(
    mut collector: Collector,
    threads: Vec<JoinHandle<()>>,
    out: &queue::UnboundedSender<std::io::Result<Vec<u8>>>,
    over: &queue::UnboundedSender<()>,
    finished: &mpsc::Receiver<()>,
) {
    let mut said_over = false;
    while !matches!(
        finished.try_recv(),
        Ok(()) | Err(mpsc::TryRecvError::Disconnected)
    ) {
        sleep_until(mono_now() + GATHER_NS);
        if let Some(block) = collector.gather().transpose() {
            drop(out.send(block));
        }
        if !said_over && threads.iter().all(JoinHandle::is_finished) {
            said_over = true;
            // Nobody listens any more once the run was given up.
            over.send(()).unwrap_or_default();
        }
    }
    for thread in threads {
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
    if let Some(block) = collector.finish().transpose() {
        drop(out.send(block));
    }
}
