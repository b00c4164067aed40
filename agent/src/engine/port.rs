//! One port pair of a leg: sockets, the streams that arrive on them, and RTCP. Both ends have one
//! for each lane and party.

use milliwatt_generator::calls::{Call, CallPlan, stream_headers};
use milliwatt_generator::grid::Grid;
use milliwatt_generator::pacer::line_offset;
use milliwatt_generator::report::{Reception, ReportTimer, SenderInfo, build_report};
use milliwatt_generator::steps::LaneCalls;
use milliwatt_receiver::line::LineReceiver;
use milliwatt_receiver::stream::StreamPlan;
use milliwatt_scoring::rtcp::{Report, middle_of, read};
use milliwatt_wire::capture::Channel;
use milliwatt_wire::id::{Lane, Leg, Party, StreamId};
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::socket::{MediaSocket, SendOutcome};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::srtp::rtcp::RtcpProtector;
use milliwatt_wire::time::RunTime;
use std::sync::Arc;

/// A port pair's sockets, proven and connected.
#[derive(Debug)]
pub struct PortPair {
    /// The lane it serves.
    pub lane: Lane,
    /// The party it serves.
    pub party: Party,
    /// RTP, even port.
    pub rtp: MediaSocket,
    /// RTCP, odd port.
    pub rtcp: MediaSocket,
}

impl PortPair {
    /// One of the two.
    #[must_use]
    pub fn socket(&self, channel: Channel) -> &MediaSocket {
        match channel {
            Channel::Rtp => &self.rtp,
            Channel::Rtcp => &self.rtcp,
        }
    }
}

/// The streams that arrive at one port over the run.
#[must_use]
pub fn line_receiver(
    (load, grid): (&Arc<LoadSpec>, &Arc<Grid>),
    calls: &LaneCalls,
    party: Party,
    leg: Leg,
) -> LineReceiver {
    let (load, grid, calls) = (Arc::clone(load), Arc::clone(grid), calls.clone());
    let mut place = 0;
    LineReceiver::new(std::iter::from_fn(move || {
        let call = calls.peek(&mut place)?;
        place += 1;
        Some(stream_plan(&load, &grid, &call, party, leg))
    }))
}

/// What is agreed about one stream.
#[must_use]
pub fn stream_plan(
    load: &LoadSpec,
    grid: &Grid,
    call: &Call,
    party: Party,
    leg: Leg,
) -> StreamPlan {
    let stream = StreamId {
        call: call.id,
        party,
        leg,
    };
    let headers = stream_headers(load.seed, stream);
    StreamPlan {
        stream,
        ssrc: headers.ssrc,
        first_seq: headers.first_seq,
        first_timestamp: headers.first_timestamp,
        due: call.start + line_offset(load, grid, call.lane, party, leg),
        slots: call.packets,
        playout_buffer: load.playout_buffer,
    }
}

/// The calls of the lanes that `serves` accepts, by lane and party in port order.
#[must_use]
pub fn port_calls(
    load: &LoadSpec,
    plan: &CallPlan,
    serves: impl Fn(Lane) -> bool,
) -> Vec<(Lane, Party, LaneCalls)> {
    let lanes = (0..)
        .map(Lane)
        .zip(plan.by_lane(load.concurrent))
        .filter(|(lane, _)| serves(*lane));
    lanes
        .flat_map(|(lane, calls)| {
            load.parties()
                .iter()
                .map(move |party| (lane, *party, calls.clone()))
        })
        .collect()
}

/// What is answered of a sender's report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SenderReport {
    ssrc: u32,
    /// The middle of its NTP time.
    middle: u32,
    at: RunTime,
}

/// RTCP of one port: what was heard from the other side, and when to report.
#[derive(Debug)]
pub struct RtcpPort {
    timer: ReportTimer,
    last_report: Option<SenderReport>,
    /// Of encrypted streams.
    keys: Option<Arc<MediaKeys>>,
    /// What protects the reports of the stream that was last reported of.
    protector: Option<(StreamId, RtcpProtector)>,
}

impl RtcpPort {
    /// Nothing heard; the first report is due half an interval after `start`.
    #[must_use]
    pub fn new(seed: u64, start: RunTime) -> Self {
        Self {
            timer: ReportTimer::new(seed, start),
            last_report: None,
            keys: None,
            protector: None,
        }
    }

    /// The same with reports that are encrypted, when there are keys.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<Arc<MediaKeys>>) -> Self {
        self.keys = keys;
        self
    }

    /// A report is due.
    pub fn expired(&mut self, now: RunTime) -> bool {
        self.timer.expired(now)
    }

    /// Takes an RTCP datagram: remembers the last sender report. False when it holds no report.
    pub fn take(&mut self, octets: &[u8], at: RunTime) -> bool {
        let mut holds_report = false;
        read(octets, &mut |report| {
            holds_report = true;
            if let Report::Sender(sender) = report {
                self.last_report = Some(SenderReport {
                    ssrc: sender.ssrc,
                    middle: middle_of(sender.ntp),
                    at,
                });
            }
        });
        holds_report
    }

    /// Sends the report of the sender of `stream` on `socket`; gives its octets as they left, none when the system
    /// refused it.
    pub fn send(
        &mut self,
        socket: &MediaSocket,
        (stream, sender): (StreamId, SenderInfo),
        heard: Option<Heard>,
        now: RunTime,
    ) -> Option<Vec<u8>> {
        let reception = heard.map(|h| self.reception(h, now));
        let mut octets = build_report(sender, reception, "milliwatt");
        if let Some(protector) = self.protector_of(stream) {
            protector.protect(&mut octets);
        }
        (socket.send(&octets) == SendOutcome::Sent).then_some(octets)
    }

    /// What protects the reports of an encrypted stream: from its first to its last, since it counts them.
    fn protector_of(&mut self, stream: StreamId) -> Option<&mut RtcpProtector> {
        let keys = self.keys.as_deref()?;
        if self.protector.as_ref().is_none_or(|(of, _)| *of != stream) {
            self.protector = Some((stream, RtcpProtector::new(keys.stream(stream))));
        }
        self.protector.as_mut().map(|(_, protector)| protector)
    }

    fn reception(&self, heard: Heard, now: RunTime) -> Reception {
        // Of another stream's there is nothing to answer (RFC 3550 6.4.1): a call before this one had this port too.
        let (last_sender_report, since) = self
            .last_report
            .filter(|report| report.ssrc == heard.ssrc)
            .map_or((0, 0), |report| (report.middle, now - report.at));
        Reception {
            ssrc: heard.ssrc,
            fraction_lost: heard.fraction_lost,
            cumulative_lost: heard.cumulative_lost,
            extended_highest_seq: heard.extended_highest_seq,
            interarrival_jitter_ticks: heard.interarrival_jitter_ticks,
            last_sender_report,
            delay_since_last: u32::try_from(since.max(0) * 65_536 / 1_000_000_000)
                .unwrap_or(u32::MAX),
        }
    }
}

/// What a stream's RFC 3550 state says, for a report.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// Its SSRC.
    pub ssrc: u32,
    /// Since the last report, of 256.
    pub fraction_lost: u8,
    /// Since the start.
    pub cumulative_lost: i32,
    /// With cycles.
    pub extended_highest_seq: u32,
    /// In RTP ticks, of this stream alone.
    pub interarrival_jitter_ticks: u32,
}

/// An RTP tick of every codec here: 8000 a second.
const TICK_NS: u32 = 125_000;

/// Reads the state of the stream of `call` at a line.
pub fn heard(line: &mut LineReceiver, call: &Call) -> Option<Heard> {
    let stream = line.stream_of(call.id)?;
    let ssrc = stream.plan().ssrc;
    let interarrival_jitter_ticks = stream.interarrival_jitter().report_ticks(TICK_NS);
    let source = stream.source();
    if source.received() == 0 {
        return None;
    }
    Some(Heard {
        ssrc,
        fraction_lost: source.fraction_lost(),
        cumulative_lost: source.cumulative_lost(),
        extended_highest_seq: u32::try_from(source.extended_max() & 0xffff_ffff).unwrap_or(0),
        interarrival_jitter_ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Vec<u8> {
        let sender = SenderInfo {
            ssrc: 1,
            // One second and a quarter after 1970: 2208988801 s (0x83aa7e81) and 2^30 in NTP's format.
            wall_ns: 1_250_000_000,
            timestamp: 160,
            packets: 1,
        };
        build_report(sender, None, "milliwatt")
    }

    #[test]
    fn a_sender_report_is_remembered_for_the_next_report() {
        let mut port = RtcpPort::new(1, RunTime::ZERO);
        assert!(port.take(&sent(), RunTime(7)));
        let answered = |ssrc| {
            let answer = port.reception(heard_of(ssrc), RunTime(500_000_007));
            (answer.last_sender_report, answer.delay_since_last)
        };
        assert_eq!(answered(1), (0x7e81_4000, 32_768), "half a second later");
        assert_eq!(answered(2), (0, 0), "of this stream none came");
    }

    fn heard_of(ssrc: u32) -> Heard {
        Heard {
            ssrc,
            fraction_lost: 0,
            cumulative_lost: 0,
            extended_highest_seq: 0,
            interarrival_jitter_ticks: 0,
        }
    }

    /// A negative acknowledgement without its list, and the same cut anywhere: it had made the `rtcp` crate panic.
    #[test]
    fn what_is_no_report_is_passed_over() {
        let mut port = RtcpPort::new(1, RunTime::ZERO);
        let acknowledgement = [0x81, 205, 0, 1, 0, 0, 0, 1];
        for length in 0..=acknowledgement.len() {
            assert!(
                !port.take(&acknowledgement[..length], RunTime(7)),
                "{length}"
            );
        }
        assert_eq!(port.last_report, None);
        assert!(port.take(&[&acknowledgement, sent().as_slice()].concat(), RunTime(9)));
    }
}
