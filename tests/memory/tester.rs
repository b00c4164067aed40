//! The whole tester end, and what answers each of its packets.

use super::{ALONE, Cost, LOOPBACK, LOST_ONE_IN, held, load, ports};
use milliwatt::controller::media::{Opening, TesterMedia, start};
use milliwatt::controller::pace::Pace;
use milliwatt_agent::engine::{PortPair, port_calls};
use milliwatt_generator::calls::{CallPlan, StreamHeaders, stream_headers};
use milliwatt_generator::voice::Voices;
use milliwatt_receiver::driver::{Listener, Moment, SocketReader, Until};
use milliwatt_receiver::packet::RtpView;
use milliwatt_wire::block::BlockReader;
use milliwatt_wire::capture::Channel;
use milliwatt_wire::clock::{SleepMode, mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Leg, StreamId};
use milliwatt_wire::load::{Codec, LoadSpec, Role, TICKS_PER_PACKET};
use milliwatt_wire::socket::{Datagram, MediaSocket, SendOutcome};
use milliwatt_wire::time::{NS_PER_MS, RunClock, RunTime};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};

/// Sends a packet of the sent leg for each of the receive leg's that comes, with the same audio.
struct Mirror {
    ports: Vec<PortPair>,
    /// By port: headers of the stream that comes, and of the one that goes back.
    streams: Vec<[StreamHeaders; 2]>,
    packets: u64,
    sent: u64,
}

impl Mirror {
    fn new(load: &LoadSpec, plan: &CallPlan, ports: Vec<PortPair>) -> Self {
        let lines = port_calls(load, plan, |_| true).into_iter();
        let streams = lines.map(|(_, party, calls)| {
            let call = calls.peek(&mut 0).unwrap().id;
            let stream = |leg| StreamId { call, party, leg };
            [Leg::Receive, Leg::Sent].map(|leg| stream_headers(load.seed, stream(leg)))
        });
        Self {
            streams: streams.collect(),
            ports,
            packets: 0,
            sent: 0,
        }
    }
}

impl Listener for Mirror {
    fn socket(&self, port: usize, channel: Channel) -> &MediaSocket {
        self.ports[port].socket(channel)
    }

    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, _moment: Moment) {
        let mut packet = [0; 172];
        let (Channel::Rtp, true) = (channel, datagram.octets.len() == packet.len()) else {
            return;
        };
        packet.copy_from_slice(datagram.octets);
        let view = RtpView::parse(datagram.octets).unwrap();
        let [comes, goes] = &self.streams[port];
        let slot = view.timestamp().wrapping_sub(comes.first_timestamp) / TICKS_PER_PACKET;
        let seq = view.seq().wrapping_sub(comes.first_seq);
        let timestamp = goes.first_timestamp.wrapping_add(slot * TICKS_PER_PACKET);
        packet[2..4].copy_from_slice(&goes.first_seq.wrapping_add(seq).to_be_bytes());
        packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&goes.ssrc.to_be_bytes());
        self.packets += 1;
        if !self.packets.is_multiple_of(LOST_ONE_IN) {
            let outcome = self.ports[port].rtp.send(&packet);
            self.sent += u64::from(outcome == SendOutcome::Sent);
        }
    }
}

/// Answers until it is told to end; gives how many packets it sent.
fn start_mirror(mut mirror: Mirror, clock: RunClock, ends: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let ends = Arc::clone(ends);
    let sockets = mirror.ports.iter().map(|port| (&port.rtp, &port.rtcp));
    let mut reader = SocketReader::new(sockets, 1, Until::Begun, clock).unwrap();
    spawn(move || {
        while !ends.load(Ordering::Relaxed) {
            let next = mono_now() + NS_PER_MS;
            reader.read(&mut mirror, next);
            sleep_until(next);
        }
        mirror.sent
    })
}

/// Takes what the collector writes, and keeps none of it until all is measured. Ends with the media; gives how many packets of
/// all streams it told of.
fn drain(mut media: TesterMedia, measured: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let measured = Arc::clone(measured);
    let finish = media.finish;
    spawn(move || {
        media.media_over.blocking_recv();
        finish.send(()).unwrap();
    });
    spawn(move || {
        let mut kept = Vec::new();
        while let Some(block) = media.blocks.blocking_recv() {
            let block = block.unwrap();
            if measured.load(Ordering::Relaxed) {
                kept.push(block);
            }
        }
        received(&kept)
    })
}

/// Packets of the streams that these blocks tell the end of.
fn received(blocks: &[Vec<u8>]) -> u64 {
    let octets = blocks.concat();
    let facts = BlockReader::new(octets.as_slice()).flat_map(|block| block.unwrap().facts);
    let ends = facts.filter_map(|fact| match fact {
        Fact::StreamEnd(end) => Some(u64::from(end.received)),
        _ => None,
    });
    ends.sum()
}

/// Both directions of 500 streams run for six seconds. In two of them 50,000 packets leave the tester, and 50,000 come to it
/// (one in 499 is not there) and go into every live metric.
#[test]
fn a_stream_costs_the_tester_at_most_8_kib_and_a_packet_no_allocation() {
    let _alone = ALONE.lock();
    let load = load(Role::Echo, false);
    let (tester, guest) = ports(&load);
    let plan = Arc::new(CallPlan::expand(&load));
    let clock = RunClock {
        zero: mono_now() + 800 * NS_PER_MS,
    };
    let ends = Arc::new(AtomicBool::new(false));
    let mirror = start_mirror(Mirror::new(&load, &plan, guest), clock, &ends);
    let (voices, status) = (Arc::new(Voices::tones(Codec::Pcmu)), Arc::default());
    sleep_until(clock.mono(RunTime(-500 * NS_PER_MS)));
    let before = held();
    let opening = Opening {
        run: 1,
        guest_named: true,
        judgement: String::new(),
        voices,
        burst: false,
        background: false,
        pace: Pace {
            mode: SleepMode::Sleep,
            threads: 1,
        },
        capture: None,
    };
    let media = start(
        (load, None),
        (tester, LOOPBACK, true),
        &plan,
        opening,
        &status,
        (&Arc::default(), &Arc::default()),
        clock,
    )
    .unwrap();
    let measured = Arc::new(AtomicBool::new(false));
    let told = drain(media, &measured);
    let cost = Cost::measure(clock, before);
    measured.store(true, Ordering::Relaxed);
    let told = told.join().unwrap();
    ends.store(true, Ordering::Relaxed);
    let sent = mirror.join().unwrap();
    assert!(sent > 100_000, "the load was there: {sent} packets");
    assert_eq!(told, sent, "each packet went into the live metrics");
    cost.assert_bounded("tester", false);
}
