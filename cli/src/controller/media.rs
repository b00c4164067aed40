//! The tester's threads: pacing, receiving, and the collector of their facts.

use super::receiving::Receiving;
use super::sending::Sending;
use crate::exit::Failure;
use milliwatt_agent::collector::Collector;
use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_agent::meter::TcpMeter;
use milliwatt_agent::telemetry::HostProbe;
use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::clock::{ClockPair, mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::time::RunClock;
use std::net::IpAddr;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc as queue;

/// Facts a ring holds: some seconds of 500 streams.
const FACT_RING: usize = 32_768;
const GATHER_NS: i64 = 50_000_000;

/// What is known of the run beside its load, for the first fact.
pub(super) struct Opening {
    pub(super) run: u64,
    pub(super) guest_named: bool,
    pub(super) judgement: String,
    pub(super) burst: bool,
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
    let (sending_facts, sending_ring) = rtrb::RingBuffer::new(FACT_RING);
    let (receiving_facts, receiving_ring) = rtrb::RingBuffer::new(FACT_RING);
    let (facts, inbox) = mpsc::channel();
    let (granted, real_time) = mpsc::channel();
    let receiving = Receiving::new(
        (&load, plan),
        (&ports, &sent),
        clock,
        status,
        receiving_facts,
    )
    .map_err(failed)?;
    let kernel_timestamps = ports.iter().all(|p| p.rtp.kernel_timestamps());
    let sending = Sending {
        load: load.clone(),
        plan: Arc::clone(plan),
        ports,
        clock,
        status: Arc::clone(status),
        facts: sending_facts,
        burst: opening.burst,
        sent,
    };
    let named = |name: &str| thread::Builder::new().name(name.into());
    let threads = vec![
        named("pacing")
            .spawn(move || sending.run(&granted))
            .map_err(failed)?,
        named("receiving")
            .spawn(move || receiving.run())
            .map_err(failed)?,
    ];
    let pair = ClockPair::read();
    let opened = Fact::Opened {
        end: End::Tester,
        run: opening.run,
        load: Box::new(load),
        same_clock,
        wall_at_zero: pair.wall + (clock.zero - pair.mono),
        real_time: real_time
            .recv()
            .unwrap_or_else(|_| Err("the pacing thread did not start".into())),
        kernel_timestamps,
        guest_named: opening.guest_named,
        judgement: opening.judgement,
    };
    drop(facts.send(opened));
    let rings = vec![sending_ring, receiving_ring];
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
    named("collector")
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
