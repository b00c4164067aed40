//! One measurement: a run with nothing in its path, judged by the tester's own time keeping alone.

use super::record::Floor;
use crate::args::{CalibrateArgs, KeepRecordings, OnLate};
use crate::controller::{self, pace::Pace};
use crate::exit::Failure;
use crate::run::RunRequest;
use crate::scenario::value::{Duration, PortRange};
use crate::scenario::{self, Plan};
use milliwatt_scoring::measured::Measured;
use milliwatt_wire::clock::SleepMode;
use milliwatt_wire::socket::allowed_processors;

/// Lateness that a load may have and count as carried, us: what a second may have and be evidence.
const LATENESS_US: f64 = 5000.0;
/// A thread that ran for so much of a second had no time left, percent.
const RUNNING_PERCENT: f64 = 90.0;
/// One that was ready and did not run for so much of a second was kept from it, percent.
const RUNNABLE_PERCENT: f64 = 10.0;

/// How loads are tried.
pub(super) struct Trial {
    guest: Option<String>,
    seconds: Duration,
    ports: PortRange,
    folder: tempfile::TempDir,
}

impl Trial {
    pub(super) fn new(args: &CalibrateArgs) -> Result<Self, Failure> {
        let folder = tempfile::tempdir().map_err(|e| {
            Failure::could_not_run(format!("cannot make a temporary folder: {e}"))
                .hint("set TMPDIR")
        })?;
        Ok(Self {
            guest: args.guest.clone(),
            seconds: args.full_for,
            ports: args.media_ports,
            folder,
        })
    }

    /// What is in the path, in words.
    pub(super) fn path(&self) -> String {
        match &self.guest {
            Some(_) => {
                "an agent on another machine or in another namespace: its path is in the PDV".into()
            }
            None => {
                "an agent on this machine, over loopback: both ends share its processors".into()
            }
        }
    }

    /// Runs so many streams each way.
    pub(super) fn run(&self, streams: u32, mode: SleepMode) -> Result<Floor, Failure> {
        let folder = self
            .folder
            .path()
            .join(format!("{streams}-{}", mode.name()));
        let plan = self.plan(streams)?;
        let asked = (Some(mode), None);
        let request = RunRequest {
            plan,
            guests: self.guest.iter().cloned().collect(),
            neighbours: Vec::new(),
            out: Some(folder.clone()),
            json: false,
            capture: false,
            media_ports: self.ports,
            bind: None,
            keep_recordings: KeepRecordings::None,
            on_late: OnLate::NotSent,
            pace: Pace::choose(asked, None, streams, allowed_processors().len()),
            floor: None,
            guest_lost_after: Duration::from_ms(60_000),
        };
        let measured = controller::measure(&request);
        // Nobody needs it any more; what stays goes with the temporary folder.
        drop(std::fs::remove_dir_all(&folder));
        Ok(judge(streams, mode, &measured?))
    }

    /// Calls without recordings, all up within a second, that last longer than they are measured.
    fn plan(&self, streams: u32) -> Result<Plan, Failure> {
        let text = format!(
            "name = \"calibrate\"\ntitle = \"The tester's own noise\"\ndefault_thresholds = false\nfor = \"{}\"\n\
             [calls]\nconcurrent = {}\narrivals = \"1000/s\"\nhold = \"1h\"\n\
             [recording]\nshare = 0.0\n[abort]\nwhen = \"never\"\n",
            self.seconds,
            streams / 2
        );
        scenario::resolve_text("calibrate", &text, self.ports)
    }
}

fn judge(streams: u32, mode: SleepMode, measured: &Measured) -> Floor {
    let (validity, timers) = (&measured.validity, &measured.timers.tester);
    let legs = &measured.legs;
    let mut floor = Floor {
        streams,
        carried: false,
        lateness_us: validity.lateness_us,
        pdv_ms: legs.receive.pdv_ms,
        sent_pdv_ms: legs.sent.pdv_ms,
        running_percent: timers.running_percent,
        runnable_percent: timers.runnable_percent,
        limited_by: None,
    };
    let in_time = floor.lateness_p999() < LATENESS_US && validity.departures_not_sent == 0;
    let dropped = validity.socket_drops + measured.guest.socket_drops.unwrap_or(0);
    let lost = legs.receive.packets_lost + legs.sent.packets_lost;
    floor.carried = in_time && dropped == 0 && lost == 0;
    floor.limited_by = (!floor.carried).then(|| limit(&floor, mode, in_time, dropped, lost));
    floor
}

/// What a load failed by, the nearest cause first. A thread that spins runs all the time, and that is no fault of it.
fn limit(floor: &Floor, mode: SleepMode, in_time: bool, dropped: u64, lost: u64) -> String {
    let over = |percent: Option<f64>, bound| percent.filter(|percent| *percent >= bound);
    if dropped > 0 {
        return format!(
            "{dropped} packets overflowed our own sockets: they are read too slowly for this load"
        );
    }
    if in_time {
        return format!(
            "{lost} packets were lost with nothing in the path: a queue of this machine overflows"
        );
    }
    if let Some(percent) = over(floor.runnable_percent, RUNNABLE_PERCENT) {
        return format!(
            "a packet thread was ready and did not run for {percent:.0} % of a second: other work had its processor"
        );
    }
    let running = floor.running_percent.filter(|_| mode != SleepMode::Spin);
    if let Some(percent) = over(running, RUNNING_PERCENT) {
        return format!(
            "a packet thread ran for {percent:.0} % of a second: one processor is full; `milliwatt run` has more with --pacing-threads"
        );
    }
    "wake-ups come late though processors have time: this machine's host, or its kernel, stops it"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By percent of a second that a packet thread ran, and that it was ready and did not.
    fn late(mode: SleepMode, running: f64, runnable: f64) -> String {
        let floor = Floor {
            running_percent: Some(running),
            runnable_percent: Some(runnable),
            ..Floor::default()
        };
        limit(&floor, mode, false, 0, 0)
    }

    #[test]
    fn what_limits_is_the_processor_only_when_it_is_full() {
        use SleepMode::{Sleep, Spin};
        assert!(late(Sleep, 95.0, 2.0).contains("one processor is full"));
        assert!(late(Sleep, 95.0, 12.0).contains("other work"));
        assert!(late(Spin, 99.0, 12.0).contains("other work"));
        assert!(late(Spin, 99.0, 2.0).starts_with("wake-ups come late"));
        assert!(late(Sleep, 40.0, 2.0).starts_with("wake-ups come late"));
        let dropped = limit(&Floor::default(), Sleep, false, 7, 0);
        assert!(dropped.starts_with("7 packets overflowed our own sockets"));
        let lost = limit(&Floor::default(), Sleep, true, 0, 3);
        assert!(lost.starts_with("3 packets were lost"));
    }
}
