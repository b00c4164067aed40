//! What a plan will do, said before it is done: bandwidth, ports, firewall rules, time, disk.

mod bandwidth;
mod extent;
mod programme;

use crate::output;
use crate::scenario::Plan;
use crate::scenario::course::CoursePlan;
use crate::scenario::neighbours::NeighbourPlan;
use crate::scenario::value::PortRange;
use bandwidth::TransferForecast;
use extent::{Disk, Time, octets, size, span};
use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::load::TransferDirection;
use serde::Serialize;

pub use bandwidth::{
    Bandwidth, PACKET_OCTETS, PACKETS_PER_SECOND, RTCP_OCTETS_PER_SECOND, TRANSFER_OVERHEAD,
    packet_octets, rtcp_octets_per_second,
};

/// What is said of media that is encrypted.
const ENCRYPTED: &str = "  media      encrypted: SRTP and SRTCP, AES_CM_128_HMAC_SHA1_80, keys drawn for this run alone\n";
/// The agent's TCP port unless its join line says otherwise.
const CONTROL_PORT: u16 = 7700;
/// Octets that a capture has of an RTP packet on IPv4: 40 of headers in a block of 32.
const CAPTURED_RTP_OCTETS: f64 = 72.0;
/// The same of a report of 80 octets, whole; of an encrypted one its 8 clear octets are kept.
const CAPTURED_RTCP_OCTETS: f64 = 140.0;
/// Seconds between a stream's reports, the mean of RFC 3550 6.3.1.
const REPORT_SECONDS: f64 = 4.104;
/// The forecast of a plan. Mbit/s are 1e6 bit/s as a network interface counts: IP packet plus 14 octets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The scenario.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// What it needs that this version does not have.
    pub later: Vec<&'static str>,
    /// Streams each way.
    pub streams: u32,
    /// RTP packets a second each way, all calls up.
    pub packets_per_second: u32,
    /// Media is encrypted: SRTP and SRTCP.
    pub srtp: bool,
    /// Octets of an RTP packet as a network interface counts them.
    pub packet_octets: u32,
    /// Tester to guest.
    pub receive: Bandwidth,
    /// Guest to tester.
    pub sent: Bandwidth,
    /// The way on which made-up files take what TCP finds beside all that; none when none do.
    pub transfer_as_tcp_goes: Option<TransferDirection>,
    /// UDP ports used on each side.
    pub ports: u32,
    /// The tester's range for them.
    pub media_ports: String,
    /// Rules to ask for, a sentence each.
    pub firewall: Vec<String>,
    /// DSCP of media.
    pub dscp: u8,
    /// DSCP of recording transfer.
    pub transfer_dscp: u8,
    /// The course of a load that comes in steps; the figures above are those of its largest.
    pub course: Option<String>,
    /// The named parts of full load, a phrase each.
    pub phases: Vec<String>,
    /// What happens, and which commands are run when, a phrase each.
    pub events: Vec<String>,
    /// Who tells of what happens, a phrase each.
    pub sources: Vec<String>,
    /// Load beside the calls, a phrase each.
    pub neighbours: Vec<String>,
    /// How the agent is to be started, where its defaults do not allow as much.
    pub agent: Option<String>,
    /// Until all calls are up, s.
    pub ramp_seconds: f64,
    /// Full load, s; at most, where a phase of it waits for a word.
    pub full_seconds: f64,
    /// Until the last call has ended and its packets are in, s; transfers that are still under way come on top.
    pub drain_seconds: f64,
    /// All of it, s.
    pub wall_seconds: f64,
    /// Calls in all; 0 where steps say how many.
    pub calls: usize,
    /// Disk used on the guest while it runs, octets, about.
    pub guest_disk_octets: u64,
    /// Disk used on the tester afterwards, octets, about: facts and sample recordings.
    pub tester_disk_octets: u64,
    /// The same when every recording is kept (`--keep-recordings all`).
    pub tester_disk_all_recordings_octets: u64,
    /// What a capture takes beside all that; none when none is asked for (`--capture`).
    pub capture: Option<CaptureForecast>,
}

/// What a capture of every packet's headers takes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CaptureForecast {
    /// Written at each end with all calls up, octets a second.
    pub octets_per_second: u64,
    /// On the guest until it is transferred, octets.
    pub guest_octets: u64,
    /// Here at the end, octets; while both halves are put together, as much again.
    pub tester_octets: u64,
}

impl Forecast {
    /// Works it out. A recording weighs what was asked, and `recorded_bits_per_second` at least.
    #[must_use]
    pub fn of(
        plan: &Plan,
        recorded_bits_per_second: u32,
        media_ports: PortRange,
        capture: bool,
    ) -> Self {
        let load = &plan.load;
        let weight = load
            .recording
            .rate_bits_per_second
            .max(recorded_bits_per_second);
        let streams = load.concurrent * u32::from(load.legs);
        let flows = TransferForecast::of(load, weight);
        let calls = CallPlan::expand(load);
        let time = Time::of_plan(plan, &calls);
        let disk = Disk::of(load, &calls, streams, time.wall());
        Self {
            scenario: plan.name.clone(),
            title: plan.title.clone(),
            later: plan.later.clone(),
            streams,
            packets_per_second: streams * PACKETS_PER_SECOND,
            srtp: load.srtp,
            packet_octets: packet_octets(load.srtp),
            receive: Bandwidth::of((streams, load.srtp), flows.receive),
            sent: Bandwidth::of((streams, load.srtp), flows.sent),
            transfer_as_tcp_goes: flows.as_tcp_goes,
            ports: streams * 2,
            media_ports: media_ports.to_string(),
            firewall: firewall(media_ports),
            dscp: load.dscp,
            transfer_dscp: load.transfer_dscp,
            course: plan.course.as_ref().map(CoursePlan::text),
            phases: programme::phases(&plan.programme),
            events: programme::events(&plan.programme),
            sources: programme::sources(&plan.programme),
            neighbours: plan.neighbours.iter().map(NeighbourPlan::text).collect(),
            agent: programme::agent(time.wall(), plan.background),
            ramp_seconds: time.ramp,
            full_seconds: time.full,
            drain_seconds: time.drain,
            wall_seconds: time.wall(),
            calls: calls.calls.len(),
            guest_disk_octets: octets(disk.guest),
            tester_disk_octets: octets(disk.tester),
            tester_disk_all_recordings_octets: octets(disk.tester_all_recordings),
            capture: capture.then(|| CaptureForecast::of(streams, time.wall())),
        }
    }

    /// What is said of a way on which files go as TCP does.
    fn beside(&self, way: TransferDirection) -> &'static str {
        if self.transfer_as_tcp_goes == Some(way) {
            "; made-up files beside it, as TCP goes"
        } else {
            ""
        }
    }

    /// How long full load lasts, or may last.
    fn full_load(&self) -> String {
        let most = if self
            .phases
            .iter()
            .any(|phase| phase.contains(programme::AT_MOST))
        {
            programme::AT_MOST
        } else {
            ""
        };
        format!("{most}{}", span(self.full_seconds))
    }

    /// For people, a line a subject.
    #[must_use]
    pub fn text(&self) -> String {
        let later = output::lines("  not in this version: ", &self.later);
        let capture = self.capture.map_or_else(String::new, CaptureForecast::text);
        let course = self
            .course
            .as_ref()
            .map_or_else(String::new, |text| format!("  steps      {text}\n"));
        let phases = output::lines("  phase      ", &self.phases);
        let events = output::lines("  event      ", &self.events);
        let sources = output::lines("  marks      ", &self.sources);
        let neighbours = output::lines("  neighbour  ", &self.neighbours);
        let agent = output::lines("  agent      ", self.agent.as_slice());
        let in_all = match self.calls {
            0 => "as many calls as its steps make".to_owned(),
            calls => format!("{calls} calls in all"),
        };
        // Files that go to the guest weigh more than acknowledgements of recordings do.
        let receive = if self.receive.transfer_mbps > self.sent.transfer_mbps {
            "files"
        } else {
            "acknowledgements"
        };
        let sent = if receive == "files" {
            "recordings and acknowledgements"
        } else {
            "recordings"
        };
        let media = if self.srtp { ENCRYPTED } else { "" };
        format!(
            "{name}: {title}\n{later}{course}\
             {phases}{events}{sources}{neighbours}\
             \x20 streams    {streams} each way, {pps} packets/s each way; {in_all}\n{media}\
             \x20 receive    {receive} (tester -> guest)\n\
             \x20 sent       {sent} (guest -> tester)\n\
             \x20 ports      {ports} UDP ports on each side, here of {range}\n\
             {rules}{agent}\
             \x20 DSCP       media {dscp}, recording transfer {transfer_dscp}\n\
             \x20 time       {wall}: ramp {ramp}, full load {full}, drain {drain} and the last transfers\n\
             \x20 disk       guest about {guest}, here about {tester} ({all} with --keep-recordings all)\n\
             {capture}",
            name = self.scenario,
            title = self.title,
            streams = self.streams,
            pps = self.packets_per_second,
            receive = self.receive.text(self.packet_octets, receive)
                + self.beside(TransferDirection::ToGuest),
            sent =
                self.sent.text(self.packet_octets, sent) + self.beside(TransferDirection::ToTester),
            ports = self.ports,
            range = self.media_ports,
            rules = output::lines("  firewall   ", &self.firewall),
            dscp = self.dscp,
            transfer_dscp = self.transfer_dscp,
            wall = span(self.wall_seconds),
            ramp = span(self.ramp_seconds),
            full = self.full_load(),
            drain = span(self.drain_seconds),
            guest = size(self.guest_disk_octets),
            tester = size(self.tester_disk_octets),
            all = size(self.tester_disk_all_recordings_octets),
        )
    }
}

impl CaptureForecast {
    /// Each stream's packets both ways, at each end.
    fn of(streams: u32, wall: f64) -> Self {
        let a_stream = f64::from(PACKETS_PER_SECOND) * CAPTURED_RTP_OCTETS
            + CAPTURED_RTCP_OCTETS / REPORT_SECONDS;
        let a_second = 2.0 * f64::from(streams) * a_stream;
        Self {
            octets_per_second: octets(a_second),
            guest_octets: octets(a_second * wall),
            tester_octets: octets(2.0 * a_second * wall),
        }
    }

    fn text(self) -> String {
        format!(
            "  capture    {}/s at each end: guest up to {}, here {} (and as much again while it is put together)\n",
            size(self.octets_per_second),
            size(self.guest_octets),
            size(self.tester_octets),
        )
    }
}

/// Sessions are dialled from here and media ports are opened from here: no rule the other way.
fn firewall(media_ports: PortRange) -> Vec<String> {
    vec![
        format!("allow tester -> guest TCP {CONTROL_PORT} (the port of the join line)"),
        format!(
            "allow tester -> guest UDP {media_ports} to the guest's --media-ports ({}); answers use the same ports",
            PortRange::MEDIA
        ),
        "nothing guest -> tester: the tester dials, a stateful firewall lets the answers back"
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests;
