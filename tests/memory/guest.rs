//! The whole guest end, and the pacing thread that sends to it.

use super::{ALONE, Cost, LOST_ONE_IN, held, load, ports};
use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_agent::media::{MediaShared, ReadyMedia, start_media};
use milliwatt_agent::meter::TcpMeter;
use milliwatt_agent::recording::shelf::Shelf;
use milliwatt_agent::spool::Spool;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::driver::{Departure, Departures, Pacing};
use milliwatt_wire::clock::{SleepMode, mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::load::{LoadSpec, Role};
use milliwatt_wire::socket::SendOutcome;
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{NS_PER_MS, RunClock, RunTime};
use std::sync::Arc;
use std::thread::JoinHandle;

/// The tester, as its pacing thread sees it.
struct Tester<'p> {
    ports: &'p [PortPair],
    /// Packets so far.
    packets: u64,
}

impl Departures for Tester<'_> {
    fn cut(&self) -> RunTime {
        RunTime(i64::MAX)
    }

    fn is_halted(&self) -> bool {
        false
    }

    fn fill(&mut self, _departure: &Departure<'_>, payload: &mut [u8]) {
        payload.fill(0x1e);
    }

    fn send(
        &mut self,
        departure: &Departure<'_>,
        octets: &[u8],
        _at: RunTime,
        _facts: &mut impl FnMut(Fact),
    ) -> SendOutcome {
        self.packets += 1;
        if self.packets.is_multiple_of(LOST_ONE_IN) {
            return SendOutcome::Sent; // and lost on its way
        }
        self.ports[departure.port].rtp.send(octets)
    }

    fn told_sent(&mut self, _port: usize, _packets: u32) {}
}

/// Sends what the tester would; gives how many packets that were.
fn start_pacing(
    load: &LoadSpec,
    (plan, keys): (&Arc<CallPlan>, &Option<Arc<MediaKeys>>),
    ports: Vec<PortPair>,
    clock: RunClock,
) -> JoinHandle<u64> {
    let (load, plan, keys) = (load.clone(), Arc::clone(plan), keys.clone());
    std::thread::spawn(move || {
        let pacing = Pacing {
            load: &load,
            plan: &plan,
            keys: keys.as_ref(),
            clock,
            mode: SleepMode::Sleep,
            burst: false,
            index: 0,
            of: 1,
        };
        let mut sent = 0_u64;
        let mut tester = Tester {
            ports: &ports,
            packets: 0,
        };
        pacing.run(&mut tester, &mut |fact| {
            if let Fact::Pacing(second) = fact {
                sent += u64::from(second.sent);
            }
        });
        sent
    })
}

/// Both directions of 500 streams run for six seconds. In two of them 50,000 packets leave the tester, arrive at
/// the guest, are played (one in 499 is not there, and concealed), recorded and sent on: packet threads handle
/// 150,000. Encrypted media takes no allocation a packet either, and 1 KiB a stream more.
#[test]
fn a_stream_costs_the_guest_at_most_8_kib_and_a_packet_no_allocation() {
    let _alone = ALONE.lock();
    for srtp in [false, true] {
        assert_bounded(srtp);
    }
}

fn assert_bounded(srtp: bool) {
    let folder = tempfile::tempdir().unwrap();
    let load = load(Role::MediaServer, srtp);
    let keys = srtp.then(|| Arc::new(MediaKeys::draw().unwrap()));
    let (tester, guest) = ports(&load);
    let plan = Arc::new(CallPlan::expand(&load));
    let clock = RunClock {
        zero: mono_now() + 800 * NS_PER_MS,
    };
    let sending = start_pacing(&load, (&plan, &keys), tester, clock);
    sleep_until(clock.mono(RunTime(-500 * NS_PER_MS)));
    // What the pacing thread holds, it holds by now: it is the tester's.
    let before = held();
    let shared = MediaShared {
        status: Arc::new(MediaStatus::default()),
        spool: Arc::new(Spool::create(&folder.path().join("spool")).unwrap()),
        shelf: Arc::new(Shelf::default()),
        meter: Arc::new(TcpMeter::default()),
        transfers: Arc::default(),
    };
    let ready = ReadyMedia {
        run: 1,
        load,
        plan,
        keys,
        ports: guest,
        engines: 2,
        folder: folder.path().to_owned(),
        max_disk: u64::MAX,
        guest_named: true,
        same_clock: true,
        capture: false,
    };
    let (facts, collector) = start_media(ready, &shared, clock).unwrap();
    let cost = Cost::measure(clock, before);
    let sent = sending.join().unwrap();
    drop(facts);
    collector.join().unwrap();
    assert!(sent > 75_000, "the load was there: {sent} packets");
    cost.assert_bounded("guest", srtp);
}
