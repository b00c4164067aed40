//! The course of a stepped load: what each load is made of, and how long it is held.

use super::file::{self, Mode, Quantity, Scenario};
use super::measure;
use crate::dry_run::{PACKETS_PER_SECOND, packet_octets, rtcp_octets_per_second};
use milliwatt_wire::load::TransferWhen;
use milliwatt_wire::step::Flow;
use milliwatt_wire::time::NS_PER_SECOND;

/// What TLS, TCP, IP and Ethernet add to the octets of a file: 66 to each 1448, and 22 to each 16 KiB.
const TRANSFER_HEADERS: f64 = 1.0 + 66.0 / 1448.0 + 22.0 / 16384.0;
/// Calls a processor that a guest is rated for (the document, Expectations).
const CALLS_A_PROCESSOR: u32 = 32;
/// Time on a step where nothing is said, s.
const HOLD_S: i64 = 6;
/// The shortest and the longest that --for makes it, s.
const HOLDS_S: (i64, i64) = (4, 8);
/// Between two steps: the last facts come, the next step is told, s.
const BETWEEN_S: f64 = 4.0;
/// Most steps that a search makes, with those that the tester spoils.
pub const SEARCH_STEPS: u32 = 40;
/// What a step may take beyond its hold, s.
const BETWEEN_MOST_S: i64 = 12;

/// A stepped load with nothing left to choose. Loads are Mbit/s of the sent leg as a network interface counts.
#[derive(Clone, Debug, PartialEq)]
pub struct CoursePlan {
    /// The least load.
    pub from_mbps: f64,
    /// The largest.
    pub to_mbps: f64,
    /// From one step to the next; none is a search.
    pub step_mbps: Option<f64>,
    /// Good and bad are to be this close, a share of the bad load.
    pub precision: f64,
    /// Times that an edge is tried.
    pub repeats: u32,
    /// The last good load once more, with transfers as TCP goes.
    pub bursts: bool,
    /// Time for which the last good load is held at last, ns.
    pub confirm: Option<i64>,
    /// Time on a step, ns.
    pub hold: i64,
    /// What is made of a load.
    pub mix: Mix,
}

/// What is made of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// RTP and RTCP of a call, Mbit/s.
    pub call_mbps: f64,
    /// Transfer.
    pub transfer: TransferShare,
    /// Most calls: the lanes there are.
    pub lanes: u32,
}

/// What transfer has of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TransferShare {
    /// None.
    None,
    /// So much a call, Mbit/s.
    ACall(f64),
    /// So much, whatever the calls, Mbit/s.
    Fixed(f64),
    /// As TCP goes, beside the load.
    Unpaced,
    /// What calls leave of it: so many calls, or the guest's rating.
    Rest(Option<u32>),
}

impl Mix {
    /// Calls and transfer that make up `mbps`, on a guest of so many processors.
    #[must_use]
    pub fn of(self, mbps: f64, processors: u32) -> (u32, Flow) {
        let calls = |each: f64, rest: f64| whole(rest / each).clamp(1, self.lanes);
        match self.transfer {
            TransferShare::None => (calls(self.call_mbps, mbps), Flow::None),
            TransferShare::Unpaced => (calls(self.call_mbps, mbps), Flow::Unpaced),
            TransferShare::Fixed(fixed) => (calls(self.call_mbps, mbps - fixed), paced(fixed)),
            TransferShare::ACall(each) => {
                let calls = calls(self.call_mbps + each, mbps);
                (calls, paced(each * f64::from(calls)))
            }
            TransferShare::Rest(asked) => {
                let rated = processors.saturating_mul(CALLS_A_PROCESSOR);
                let calls = asked.unwrap_or(rated).clamp(1, self.lanes);
                (calls, paced(mbps - f64::from(calls) * self.call_mbps))
            }
        }
    }
}

fn paced(mbps: f64) -> Flow {
    match measure::whole(mbps * 1e6).and_then(|bits| u64::try_from(bits).ok()) {
        None | Some(0) => Flow::None,
        Some(bits) => Flow::Paced(bits),
    }
}

fn whole(value: f64) -> u32 {
    measure::whole(value).map_or(u32::MAX, |whole| {
        u32::try_from(whole.max(0)).unwrap_or(u32::MAX)
    })
}

impl CoursePlan {
    /// Steps of a ramp, or about how many a search makes on a machine that spoils none.
    #[must_use]
    pub fn steps(&self) -> u32 {
        if let Some(step) = self.step_mbps {
            return whole(((self.to_mbps - self.from_mbps) / step + 1e-9).floor())
                .saturating_add(1);
        }
        search_steps(self.from_mbps, self.to_mbps, self.precision, self.repeats)
            + u32::from(self.bursts)
    }

    /// All of it, s, on a machine that spoils no step.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        let steps = f64::from(self.steps()) * (seconds(self.hold) + BETWEEN_S);
        steps + self.confirm.map_or(0.0, |hold| seconds(hold) + BETWEEN_S)
    }

    /// What none of it lasts beyond, ns.
    #[must_use]
    pub fn bound(&self) -> i64 {
        let steps = i64::from(self.steps().max(SEARCH_STEPS));
        steps
            .saturating_mul(self.hold + BETWEEN_MOST_S * NS_PER_SECOND)
            .saturating_add(self.confirm.unwrap_or(0) + 60 * NS_PER_SECOND)
    }

    /// For people: `40 to 140 Mbit/s (222 to 776 calls), bisected to 3 %`.
    #[must_use]
    pub fn text(&self) -> String {
        let (most, flow) = self.mix.of(self.to_mbps, 1);
        let calls = match self.mix.transfer {
            TransferShare::Rest(Some(calls)) => {
                format!("{} calls, transfer rises", calls.min(self.mix.lanes))
            }
            TransferShare::Rest(None) => format!(
                "calls at the guest's rating, at most {}, transfer rises",
                self.mix.lanes
            ),
            _ => format!(
                "{} to {most} calls, {}",
                self.mix.of(self.from_mbps, 1).0,
                flow_text(flow)
            ),
        };
        let how = match self.step_mbps {
            Some(step) => format!("in {} steps of {step} Mbit/s", self.steps()),
            None => format!(
                "bisected to {} %, each edge {} times",
                self.precision * 100.0,
                self.repeats
            ),
        };
        let bursts = if self.bursts {
            ", then with transfers as TCP goes"
        } else {
            ""
        };
        let confirm = self.confirm.map_or_else(String::new, |hold| {
            format!(", then held for {}", file_duration(hold))
        });
        format!(
            "{} to {} Mbit/s of the sent leg ({calls}), {how}, {} s each{bursts}{confirm}",
            self.from_mbps,
            self.to_mbps,
            self.hold / NS_PER_SECOND,
        )
    }
}

fn flow_text(flow: Flow) -> String {
    match flow {
        Flow::None => "no transfer".to_owned(),
        Flow::Unpaced => "transfer as TCP goes".to_owned(),
        #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
        Flow::Paced(bits) => format!("with up to {:.2} Mbit/s of transfer", bits as f64 / 1e6),
    }
}

fn file_duration(ns: i64) -> String {
    super::value::Duration(ns).to_string()
}

#[expect(clippy::cast_precision_loss, reason = "hours in ns fit 53 bits")]
fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// Both ends of the range, the halvings between them, and each edge again.
fn search_steps(from: f64, to: f64, precision: f64, repeats: u32) -> u32 {
    let halvings = ((to - from) / (to * precision)).max(1.0).log2().ceil();
    2 + whole(halvings) + 3 * repeats.saturating_sub(1)
}

/// The course of a scenario that [`super::check`] found right; none where the load has no steps.
#[must_use]
pub fn course(scenario: &Scenario) -> Option<CoursePlan> {
    let ramp = scenario.ramp.as_ref()?;
    let call_mbps = call_mbps(scenario);
    let share = share(scenario, ramp);
    let a_call = call_mbps
        + if let TransferShare::ACall(each) = share {
            each
        } else {
            0.0
        };
    let mbps = |quantity: f64| match ramp.quantity {
        Quantity::Mbps => quantity,
        Quantity::Calls => quantity * a_call,
    };
    let (from_mbps, to_mbps) = (mbps(ramp.from), mbps(ramp.to));
    let search = scenario.search.as_ref();
    let mut plan = CoursePlan {
        from_mbps,
        to_mbps,
        step_mbps: search.is_none().then(|| mbps(ramp.step.unwrap_or(ramp.to))),
        precision: search.map_or(1.0, |search| search.precision / 100.0),
        repeats: search.map_or(1, |search| search.repeats),
        bursts: search.is_some_and(|search| search.bursts),
        confirm: search
            .and_then(|search| search.confirm)
            .map(|confirm| confirm.0),
        hold: 0,
        mix: Mix {
            call_mbps,
            transfer: share,
            lanes: lanes(scenario, ramp, (call_mbps, share), to_mbps),
        },
    };
    let full = scenario.full_for.map(|full| full.0);
    plan.confirm = plan
        .confirm
        .filter(|confirm| full.is_none_or(|full| full >= *confirm));
    plan.hold = ramp.hold.map_or_else(|| fitted(&plan, full), |hold| hold.0);
    Some(plan)
}

/// A hold with which all steps, without the confirmation, take the time given.
fn fitted(plan: &CoursePlan, full: Option<i64>) -> i64 {
    let each = |ns: i64| seconds(ns) / f64::from(plan.steps()) - BETWEEN_S;
    let fits = full.and_then(|ns| measure::whole(each(ns).floor()));
    fits.map_or(HOLD_S, |hold| hold.clamp(HOLDS_S.0, HOLDS_S.1)) * NS_PER_SECOND
}

/// RTP and RTCP of a call, Mbit/s.
fn call_mbps(scenario: &Scenario) -> f64 {
    let srtp = scenario.media.srtp;
    let rtp = f64::from(PACKETS_PER_SECOND * packet_octets(srtp));
    let a_leg = rtp + rtcp_octets_per_second(srtp);
    f64::from(scenario.calls.legs) * a_leg * 8.0 / 1e6
}

fn share(scenario: &Scenario, ramp: &file::Ramp) -> TransferShare {
    let rate = scenario.transfer.rate.map(|rate| f64::from(rate.0) / 1e6);
    if ramp.mode == Mode::Backlog {
        return TransferShare::Rest(ramp.calls);
    }
    let a_call = f64::from(scenario.recording.rate.0) * TRANSFER_HEADERS / 1e6;
    match (scenario.transfer.when.0, rate) {
        (TransferWhen::Continuous | TransferWhen::Backlog, Some(rate)) => {
            TransferShare::Fixed(rate)
        }
        (TransferWhen::Continuous, None) => TransferShare::ACall(a_call),
        (TransferWhen::Backlog, None) => TransferShare::Unpaced,
        (TransferWhen::AtCallEnd | TransferWhen::Every(_), _) => TransferShare::None,
    }
}

/// Lanes for the largest load.
fn lanes(
    scenario: &Scenario,
    ramp: &file::Ramp,
    (call, share): (f64, TransferShare),
    to: f64,
) -> u32 {
    match share {
        TransferShare::Rest(asked) => asked.unwrap_or(scenario.calls.concurrent),
        TransferShare::ACall(each) => whole(to / (call + each)).max(1),
        TransferShare::Fixed(fixed) => whole((to - fixed) / call).max(1),
        TransferShare::None | TransferShare::Unpaced if ramp.quantity == Quantity::Calls => {
            whole(ramp.to)
        }
        TransferShare::None | TransferShare::Unpaced => whole(to / call).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::resolve::{self, Request};
    use crate::scenario::value::PortRange;

    fn course_of(set: &[&str], full_for: Option<&str>) -> CoursePlan {
        let set: Vec<String> = set.iter().map(|change| (*change).to_owned()).collect();
        let request = Request {
            scenario: "120-mbps",
            set: &set,
            full_for: full_for.map(|full| full.parse().unwrap()),
            media_ports: PortRange::MEDIA,
        };
        resolve::resolve(&request).unwrap().course.unwrap()
    }

    /// A call: 2 x (50 x 214 + 122 / 4.104) octets/s = 171.68 kbit/s, and 8533 x 1.0469 = 8.933 kbit/s of transfer:
    /// 140 Mbit/s are 775 calls with 6.92 Mbit/s of it.
    #[test]
    fn a_load_of_calls_brings_its_transfer_with_it() {
        let mix = course_of(&[], None).mix;
        assert_eq!(mix.lanes, 775);
        let (calls, flow) = mix.of(140.0, 2);
        let Flow::Paced(bits) = flow else {
            panic!("{flow:?}")
        };
        assert_eq!((calls, bits / 10_000), (775, 692));
        assert_eq!(mix.of(40.0, 2).0, 221);
    }

    /// 64 calls put 10.99 Mbit/s on the leg; the rest of 40 is transfer. A guest of 2 processors is rated for 64 calls.
    #[test]
    fn a_backlog_rises_beside_calls_that_stay() {
        let mix = course_of(&["ramp.mode=backlog"], None).mix;
        let (calls, flow) = mix.of(40.0, 2);
        let Flow::Paced(bits) = flow else {
            panic!("{flow:?}")
        };
        assert_eq!((calls, bits / 10_000), (64, 2901));
        assert_eq!(mix.of(40.0, 100).0, 256, "calls.concurrent");
        assert_eq!(mix.of(5.0, 2), (64, Flow::None));
        let asked = course_of(&["ramp.mode=backlog", "ramp.calls=100"], None).mix;
        assert_eq!(asked.of(40.0, 2).0, 100);
    }

    #[test]
    fn holds_are_fitted_into_the_time_given_and_a_short_one_confirms_nothing() {
        let of = |full| {
            let plan = course_of(&[], full);
            (plan.hold / NS_PER_SECOND, plan.confirm.is_some())
        };
        assert_eq!(of(None), (6, true));
        assert_eq!(of(Some("30s")), (4, false));
        assert_eq!(of(Some("2m")), (6, false));
        assert_eq!(of(Some("20m")), (8, true));
    }

    /// 40, 140, and 100 / 4.2 = 23.8 is halved 5 times; three edges once more; with bursts.
    #[test]
    fn a_search_has_about_so_many_steps_and_a_ramp_exactly() {
        assert_eq!(course_of(&[], None).steps(), 11);
        let find = resolve::find("120-mbps").unwrap();
        let mut scenario = resolve::read(&find).unwrap();
        scenario.search = None;
        if let Some(ramp) = &mut scenario.ramp {
            ramp.step = Some(5.0);
        }
        assert_eq!(course(&scenario).unwrap().steps(), 21);
    }
}
