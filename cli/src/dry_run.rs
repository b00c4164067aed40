//! What a plan will do, said before it is done: bandwidth, ports, firewall rules, time, disk.

use crate::output;
use crate::scenario::Plan;
use crate::scenario::course::CoursePlan;
use crate::scenario::value::PortRange;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::transfer::course::full_flow;
use milliwatt_wire::load::{LoadSpec, TransferDirection};
use milliwatt_wire::step::Flow;
use serde::Serialize;

/// Octets of a G.711 packet of 20 ms on IPv4 as a network interface counts them: 160 of audio, 12 RTP,
/// 8 UDP, 20 IP, 14 Ethernet.
pub const PACKET_OCTETS: u32 = 214;
/// Packets a second of one stream.
pub const PACKETS_PER_SECOND: u32 = 50;
/// Octets a second of a stream's RTCP: 122 each 4.104 s, the mean interval of RFC 3550 6.3.1.
pub const RTCP_OCTETS_PER_SECOND: f64 = 122.0 / 4.104;
/// What TCP, IP and Ethernet headers add to a transfer.
pub const TRANSFER_OVERHEAD: f64 = 1.037;
/// Octets of acknowledgement that go back for each octet of transfer.
const ACKNOWLEDGEMENT_SHARE: f64 = 0.0206;
/// The agent's TCP port unless its join line says otherwise.
const CONTROL_PORT: u16 = 7700;
/// Octets of facts a stream, leg and second: generous, they are compressed.
const FACTS_OCTETS: f64 = 40.0;
/// Receivers wait so long for packets after the sender's last, s.
const RECEIVERS_WAIT: f64 = 1.0;
/// Octets that a capture has of an RTP packet on IPv4: 40 of headers in a block of 32.
const CAPTURED_RTP_OCTETS: f64 = 72.0;
/// The same of a report of 80 octets, whole.
const CAPTURED_RTCP_OCTETS: f64 = 140.0;
/// Seconds between a stream's reports, the mean of RFC 3550 6.3.1.
const REPORT_SECONDS: f64 = 4.104;
/// Recordings kept as samples beside those with a silence.
const SAMPLES_KEPT: f64 = 20.0;

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
    /// Until all calls are up, s.
    pub ramp_seconds: f64,
    /// Full load, s.
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

/// What goes one way with all calls up, Mbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bandwidth {
    /// RTP.
    pub rtp_mbps: f64,
    /// RTCP.
    pub rtcp_mbps: f64,
    /// Recording transfer (sent) or its acknowledgements (receive), mean of a steady state, and made-up files that have a
    /// rate.
    pub transfer_mbps: f64,
    /// All of it.
    pub total_mbps: f64,
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
            receive: Bandwidth::of(streams, flows.receive),
            sent: Bandwidth::of(streams, flows.sent),
            transfer_as_tcp_goes: flows.as_tcp_goes,
            ports: streams * 2,
            media_ports: media_ports.to_string(),
            firewall: firewall(media_ports),
            dscp: load.dscp,
            transfer_dscp: load.transfer_dscp,
            course: plan.course.as_ref().map(CoursePlan::text),
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

    /// For people, a line a subject.
    #[must_use]
    pub fn text(&self) -> String {
        let later = output::lines("  not in this version: ", &self.later);
        let capture = self.capture.map_or_else(String::new, CaptureForecast::text);
        let course = self
            .course
            .as_ref()
            .map_or_else(String::new, |text| format!("  steps      {text}\n"));
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
        format!(
            "{name}: {title}\n{later}{course}\
             \x20 streams    {streams} each way, {pps} packets/s each way; {in_all}\n\
             \x20 receive    {receive} (tester -> guest)\n\
             \x20 sent       {sent} (guest -> tester)\n\
             \x20 ports      {ports} UDP ports on each side, here of {range}\n\
             {rules}\
             \x20 DSCP       media {dscp}, recording transfer {transfer_dscp}\n\
             \x20 time       {wall}: ramp {ramp}, full load {full}, drain {drain} and the last transfers\n\
             \x20 disk       guest about {guest}, here about {tester} ({all} with --keep-recordings all)\n\
             {capture}",
            name = self.scenario,
            title = self.title,
            streams = self.streams,
            pps = self.packets_per_second,
            receive = self.receive.text(receive) + self.beside(TransferDirection::ToGuest),
            sent = self.sent.text(sent) + self.beside(TransferDirection::ToTester),
            ports = self.ports,
            range = self.media_ports,
            rules = output::lines("  firewall   ", &self.firewall),
            dscp = self.dscp,
            transfer_dscp = self.transfer_dscp,
            wall = span(self.wall_seconds),
            ramp = span(self.ramp_seconds),
            full = span(self.full_seconds),
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

impl Bandwidth {
    fn of(streams: u32, transfer_mbps: f64) -> Self {
        let media = mbps(f64::from(streams) * f64::from(PACKETS_PER_SECOND * PACKET_OCTETS));
        let reports = mbps(f64::from(streams) * RTCP_OCTETS_PER_SECOND);
        Self {
            rtp_mbps: media,
            rtcp_mbps: reports,
            transfer_mbps,
            total_mbps: media + reports + transfer_mbps,
        }
    }

    fn text(&self, transfer: &str) -> String {
        format!(
            "{:.2} Mbit/s: RTP {:.2} ({PACKET_OCTETS} octets a packet), RTCP {:.2}, {transfer} {:.2}",
            self.total_mbps, self.rtp_mbps, self.rtcp_mbps, self.transfer_mbps
        )
    }
}

fn mbps(octets_per_second: f64) -> f64 {
    octets_per_second * 8.0 / 1e6
}

/// What files take, Mbit/s each way.
struct TransferForecast {
    receive: f64,
    sent: f64,
    /// The way on which made-up files take what they can get.
    as_tcp_goes: Option<TransferDirection>,
}

impl TransferForecast {
    /// Mean recording transfer of a steady state, and its acknowledgements the other way; the same of made-up files. A
    /// rate holds for recordings and made-up files of the guest together.
    fn of(load: &LoadSpec, bits_per_second: u32) -> Self {
        let weight =
            f64::from(load.concurrent) * load.recording.share * f64::from(bits_per_second) / 8.0;
        let mut forecast = Self {
            receive: mbps(weight * ACKNOWLEDGEMENT_SHARE),
            sent: mbps(weight * TRANSFER_OVERHEAD),
            as_tcp_goes: None,
        };
        let direction = load.transfer.direction;
        match full_flow(load) {
            None | Some(Flow::None) => {}
            Some(Flow::Unpaced) => forecast.as_tcp_goes = Some(direction),
            Some(Flow::Paced(rate)) => forecast.add(load, rate),
        }
        forecast
    }

    #[expect(clippy::cast_precision_loss, reason = "a forecast")]
    fn add(&mut self, load: &LoadSpec, rate: u64) {
        let made_up = rate as f64 / 1e6;
        let back = made_up / TRANSFER_OVERHEAD * ACKNOWLEDGEMENT_SHARE;
        match load.transfer.direction {
            TransferDirection::ToGuest => {
                self.receive += made_up;
                self.sent += back;
            }
            TransferDirection::ToTester if load.transfer.rate_bits_per_second.is_some() => {
                (self.receive, self.sent) = (back, made_up);
            }
            TransferDirection::ToTester => {
                self.receive += back;
                self.sent += made_up;
            }
        }
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

/// Seconds of each part of a run, by the calls that both ends will expand the load to.
struct Time {
    ramp: f64,
    full: f64,
    drain: f64,
}

impl Time {
    fn of_plan(plan: &Plan, calls: &CallPlan) -> Self {
        plan.course.as_ref().map_or_else(
            || Self::of(calls),
            |course| Self {
                ramp: 0.0,
                full: course.seconds(),
                drain: RECEIVERS_WAIT,
            },
        )
    }

    fn of(calls: &CallPlan) -> Self {
        let full_until = calls.full_until.as_seconds();
        Self {
            ramp: calls.full_from.as_seconds(),
            full: full_until - calls.full_from.as_seconds(),
            drain: (calls.end().as_seconds() - full_until).max(0.0) + RECEIVERS_WAIT,
        }
    }

    fn wall(&self) -> f64 {
        self.ramp + self.full + self.drain
    }
}

/// Sizes on disk, octets.
struct Disk {
    guest: f64,
    tester: f64,
    tester_all_recordings: f64,
}

impl Disk {
    fn of(load: &LoadSpec, calls: &CallPlan, streams: u32, wall: f64) -> Self {
        let channels = if load.recording.stereo { 2.0 } else { 1.0 };
        let (_, sample) = load.codec.recorded_as();
        let octets_a_second = f64::from(load.codec.sample_rate()) * f64::from(sample) * channels;
        let audio = octets_a_second / f64::from(PACKETS_PER_SECOND);
        let recorded: Vec<f64> = calls
            .calls
            .iter()
            .filter(|call| call.recorded)
            .map(|call| f64::from(call.packets) * audio)
            .collect();
        let all: f64 = recorded.iter().sum();
        let longest = recorded.iter().copied().fold(0.0, f64::max);
        let facts = f64::from(streams) * wall * FACTS_OCTETS;
        Self {
            guest: f64::from(load.concurrent) * longest + facts,
            tester: 2.0 * facts + all.min(SAMPLES_KEPT * longest),
            tester_all_recordings: 2.0 * facts + all,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates; a forecast"
)]
fn octets(value: f64) -> u64 {
    value.round() as u64
}

/// A length of time for people: `5.0 s`, `2 min 30 s`, `1 h 11 min`.
fn span(seconds: f64) -> String {
    let whole = octets(seconds);
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A size for people.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(octets: u64) -> String {
    let octets = octets as f64;
    match octets {
        ..1e6 => format!("{:.0} kB", octets / 1e3),
        1e6..1e9 => format!("{:.0} MB", octets / 1e6),
        _ => format!("{:.1} GB", octets / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Request, resolve};

    fn forecast(scenario: &str, set: &[&str]) -> Forecast {
        let set: Vec<String> = set.iter().map(|change| (*change).to_owned()).collect();
        let request = Request {
            scenario,
            set: &set,
            full_for: None,
            media_ports: PortRange::MEDIA,
        };
        Forecast::of(&resolve(&request).unwrap(), 0, PortRange::MEDIA, true)
    }

    /// 20 streams, each way 50 x 72 + 140 / 4.104 = 3634 octets/s at each end; 12 s.
    #[test]
    fn a_capture_takes_both_ways_at_both_ends() {
        let capture = forecast("smoke", &[]).capture.unwrap();
        assert_eq!(capture.octets_per_second, 145_365);
        assert_eq!(
            (capture.guest_octets, capture.tester_octets),
            (1_744_374, 3_488_749)
        );
    }

    /// 500 streams x 50 x 214 = 5.350 MB/s; RTCP 500 x 122 / 4.104 s = 14.9 kB/s; recordings
    /// 250 x 1066.6 x 1.037 = 276.5 kB/s: 5.641 MB/s sent, 5.370 MB/s received.
    #[test]
    fn the_250_call_test_sends_and_receives_what_was_published() {
        let forecast = forecast("250-calls", &[]);
        assert_eq!(
            (
                forecast.streams,
                forecast.packets_per_second,
                forecast.ports
            ),
            (500, 25_000, 1000)
        );
        assert!((forecast.sent.rtp_mbps - 42.8).abs() < 1e-9);
        assert!(
            (forecast.sent.total_mbps / 8.0 - 5.6414).abs() < 1e-3,
            "{:?}",
            forecast.sent
        );
        assert!(
            (forecast.receive.total_mbps / 8.0 - 5.3703).abs() < 1e-3,
            "{:?}",
            forecast.receive
        );
    }

    /// The ramp of 249 x 20 ms is rounded up to 5 s. 4750 replacements, one each 210 s / 250 = 0.84 s in
    /// the mean, take about 3990 s; then the last calls hold for less than 300 s, and 1 s to drain.
    #[test]
    fn a_run_that_ends_with_its_calls_lasts_until_the_last_has_ended() {
        let forecast = forecast("250-calls", &[]);
        assert!((forecast.ramp_seconds - 5.0).abs() < 1e-9);
        assert!(
            (forecast.full_seconds - 3990.0).abs() < 120.0,
            "{} s",
            forecast.full_seconds
        );
        assert!(
            (200.0..=301.0).contains(&forecast.drain_seconds),
            "{} s",
            forecast.drain_seconds
        );
        assert_eq!(forecast.calls, 5000);
    }

    /// Ramp 0.45 s, rounded up to 1 s; 10 s; calls are cut then, and 1 s to drain.
    #[test]
    fn a_run_that_ends_by_time_cuts_its_calls() {
        let forecast = forecast("smoke", &[]);
        let parts = [
            forecast.ramp_seconds,
            forecast.full_seconds,
            forecast.drain_seconds,
            forecast.wall_seconds,
        ];
        for (part, expected) in parts.iter().zip([1.0, 10.0, 1.0, 12.0]) {
            assert!((part - expected).abs() < 1e-9, "{parts:?}");
        }
        assert_eq!(forecast.calls, 10);
    }

    /// 10 x 8533 bit/s = 85,330 bit/s, with headers 88,487, and 1758 of acknowledgements; 20 Mbit/s are acknowledged with
    /// 20 / 1.037 x 0.0206 = 0.3973.
    #[test]
    fn made_up_files_come_to_what_they_are_given() {
        let transfer = |set: &[&str]| {
            let forecast = forecast("smoke", set);
            let rounded = |mbps: f64| format!("{mbps:.4}");
            let (receive, sent) = (forecast.receive.transfer_mbps, forecast.sent.transfer_mbps);
            let beside = forecast.transfer_as_tcp_goes;
            (rounded(receive), rounded(sent), beside)
        };
        let is = |receive: &str, sent: &str, beside| (receive.to_owned(), sent.to_owned(), beside);
        let (backlog, rate) = ("transfer.when=backlog", "transfer.rate=20 Mbit/s");
        let to_guest = "transfer.direction=to-guest";
        assert_eq!(transfer(&[backlog, rate]), is("0.3973", "20.0000", None));
        assert_eq!(
            transfer(&[backlog, rate, to_guest]),
            is("20.0018", "0.4858", None)
        );
        assert_eq!(
            transfer(&[backlog]),
            is("0.0018", "0.0885", Some(TransferDirection::ToTester))
        );
        assert_eq!(
            transfer(&[backlog, to_guest]).2,
            Some(TransferDirection::ToGuest)
        );
        assert_eq!(
            transfer(&["transfer.when=continuous"]),
            is("0.0035", "0.1738", None)
        );
        assert_eq!(transfer(&["transfer.when=every 5s"]), transfer(&[]));
    }

    #[test]
    fn calls_that_are_not_recorded_transfer_nothing_and_keep_nothing() {
        let forecast = forecast("smoke", &["recording.share=0"]);
        assert!(forecast.sent.transfer_mbps.abs() < 1e-12);
        assert_eq!(
            forecast.tester_disk_octets,
            forecast.tester_disk_all_recordings_octets
        );
    }
}
