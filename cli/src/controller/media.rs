//! The tester's threads: pacing, receiving, and the collector of their facts.

use super::departures::DepartureSample;
use super::pace::Pace;
use super::receiving::Receiving;
use super::sending::Sending;
use crate::exit::Failure;
use milliwatt_agent::collector::Collector;
use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_agent::media::{all_rights, fact_ring};
use milliwatt_agent::meter::TcpMeter;
use milliwatt_agent::telemetry::HostProbe;
use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::clock::{ClockPair, mono_now, sleep_until};
use milliwatt_wire::facts::{Fact, Timers};
use milliwatt_wire::id::End;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::time::RunClock;
use std::net::IpAddr;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc as queue;

const GATHER_NS: i64 = 50_000_000;

/// What is known of the run beside its load, for the first fact.
pub(super) struct Opening {
    pub(super) run: u64,
    pub(super) guest_named: bool,
    pub(super) judgement: String,
    pub(super) burst: bool,
    pub(super) pace: Pace,
}

/// The running media of the tester.
pub(super) struct TesterMedia {
    /// Facts of the controller go in here.
    pub(super) facts: mpsc::Sender<Fact>,
    /// Blocks come out here; the channel closes after the last.
    pub(super) blocks: queue::UnboundedReceiver<std::io::Result<Vec<u8>>>,
    /// Ends the collector once the controller has said its last.
    pub(super) finish: mpsc::Sender<()>,
    /// Pacing and receiving threads, joined by the collector.
    pub(super) media_over: queue::UnboundedReceiver<()>,
}

/// Starts pacing and receiving at run time zero of `clock`.
pub(super) fn start(
    (load, ports, local, same_clock): (LoadSpec, Vec<PortPair>, IpAddr, bool),
    plan: &Arc<CallPlan>,
    opening: Opening,
    status: &Arc<MediaStatus>,
    meter: &Arc<TcpMeter>,
    clock: RunClock,
) -> Result<TesterMedia, Failure> {
    let failed =
        |e: std::io::Error| Failure::could_not_run(format!("cannot start the media threads: {e}"));
    let ports = Arc::new(ports);
    let sent: Arc<[AtomicU32]> = ports.iter().map(|_| AtomicU32::new(0)).collect();
    let room = fact_ring(ports.len());
    let (receiving_facts, receiving_ring) = rtrb::RingBuffer::new(room);
    let (facts, inbox) = mpsc::channel();
    let (granted, rights) = mpsc::channel();
    let (sample, stamps) = DepartureSample::start(&ports);
    let sample = Arc::new(sample);
    let receiving = Receiving::new(
        (&load, plan),
        (&ports, &sent),
        Arc::clone(&sample),
        clock,
        status,
        receiving_facts,
    )
    .map_err(failed)?;
    let kernel_timestamps = ports.iter().all(|p| p.rtp.kernel_timestamps());
    let named = |name: String| thread::Builder::new().name(name);
    let receive = move || receiving.run();
    let mut threads = vec![named("receiving".into()).spawn(receive).map_err(failed)?];
    let mut rings = vec![receiving_ring];
    let Pace { mode, threads: of } = opening.pace;
    for index in 0..of {
        let (sending_facts, ring) = rtrb::RingBuffer::new(room);
        rings.push(ring);
        let sending = Sending {
            load: load.clone(),
            plan: Arc::clone(plan),
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
        };
        let granted = granted.clone();
        let send = move || sending.run(granted);
        threads.push(
            named(format!("pacing-{index}"))
                .spawn(send)
                .map_err(failed)?,
        );
    }
    drop(granted);
    let mut rights = all_rights(&rights);
    rights.push(stamps);
    let pair = ClockPair::read();
    let opened = Fact::Opened {
        end: End::Tester,
        run: opening.run,
        load: Box::new(load),
        same_clock,
        wall_at_zero: pair.wall + (clock.zero - pair.mono),
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
    let probe = HostProbe::new(Some(local));
    let collector = Collector::new(
        rings,
        inbox,
        Arc::clone(status),
        Arc::clone(meter),
        probe,
        clock,
    );
    let (out, blocks) = queue::unbounded_channel();
    let (finish, finished) = mpsc::channel();
    let (over, media_over) = queue::unbounded_channel();
    named("collector".into())
        .spawn(move || collect(collector, threads, &out, &over, &finished))
        .map_err(failed)?;
    Ok(TesterMedia {
        facts,
        blocks,
        finish,
        media_over,
    })
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
