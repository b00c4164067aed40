//! What calibration found, and where it is kept.

use crate::exit::Failure;
use milliwatt_agent::telemetry::environment;
use milliwatt_reports::context::NoiseFloor;
use milliwatt_scoring::measured::{Lateness, PdvPercentiles};
use milliwatt_wire::clock::SleepMode;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Version of the file's form.
pub const SCHEMA_VERSION: u32 = 1;

/// What this machine adds by itself and can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// Version of milliwatt that measured.
    pub milliwatt: String,
    /// On which machine.
    pub machine: Machine,
    /// What was in the path.
    pub path: String,
    /// The way to wait that is worth its processor time here.
    pub mode: SleepMode,
    /// Each load, ascending.
    pub floors: Vec<Floor>,
    /// The largest load, streams each way, that was carried in time; 0 when none was.
    pub largest_streams: u32,
    /// What the next larger one failed by; null when the largest asked for was carried.
    pub limited_by: Option<String>,
}

/// What a calibration holds for: another kernel or processor may do better or worse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Processor model.
    pub cpu_model: Option<String>,
    /// Processors.
    pub cpu_count: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
}

/// One load with nothing in the path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Streams each way.
    pub streams: u32,
    /// Lateness p99.9 stayed below 5 ms, and every packet was sent and read.
    pub carried: bool,
    /// The tester's lateness, us.
    pub lateness_us: Lateness,
    /// PDV measured on the receive leg, ms.
    pub pdv_ms: PdvPercentiles,
    /// The same on the sent leg: what the guest program's own clock adds, too.
    pub sent_pdv_ms: PdvPercentiles,
    /// Largest share of a second that a packet thread ran, percent.
    pub running_percent: Option<f64>,
    /// Largest share of a second that a packet thread was ready and did not run, percent.
    pub runnable_percent: Option<f64>,
    /// What it failed by.
    pub limited_by: Option<String>,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let facts = environment(None);
        let value = |name: &str| {
            let found = facts.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        Self {
            cpu_model: value("cpu_model"),
            cpu_count: value("cpu_count"),
            kernel: value("kernel"),
        }
    }
}

impl Floor {
    /// A load that could not be set up.
    #[must_use]
    pub fn not_set_up(streams: u32, why: &str) -> Self {
        Self {
            streams,
            limited_by: Some(why.to_owned()),
            ..Self::default()
        }
    }

    /// 99.9th percentile of lateness, us; endless where there was none.
    #[must_use]
    pub fn lateness_p999(&self) -> f64 {
        self.lateness_us.p999.unwrap_or(f64::INFINITY)
    }
}

impl Calibration {
    /// The floor for a run of so many streams: that of the load next above, or of the largest carried.
    #[must_use]
    pub fn floor_at(&self, streams: u32) -> Option<NoiseFloor> {
        let carried = || self.floors.iter().filter(|floor| floor.carried);
        let floor = carried()
            .find(|floor| floor.streams >= streams)
            .or_else(|| carried().next_back())?;
        Some(NoiseFloor {
            at: self.at.clone(),
            path: self.path.clone(),
            streams: floor.streams,
            lateness_p999_us: floor.lateness_us.p999,
            pdv_p999_ms: floor.pdv_ms.p999,
            largest_streams: self.largest_streams,
        })
    }

    /// A warning when a run asks for more than was carried.
    #[must_use]
    pub fn warning(&self, streams: u32) -> Option<String> {
        (streams > self.largest_streams).then(|| {
            let limit = self.limited_by.as_deref().unwrap_or("nothing larger was tried");
            format!(
                "this scenario asks for {streams} streams each way; calibrated on {}, this machine carried {} in time \
                 ({limit}): the run may end invalid",
                self.at, self.largest_streams
            )
        })
    }

    /// For the terminal.
    #[must_use]
    pub fn text(&self, file: &Path) -> String {
        let mut text = String::new();
        let mut line = |words: &str| text.extend([words, "\n"]);
        line(&format!(
            "{:>8} {:>40} {:>32}  carried",
            "streams", "lateness p50 / p99 / p99.9 / max, us", "PDV p50 / p99 / p99.9 / max, ms"
        ));
        for floor in &self.floors {
            let (late, pdv) = (&floor.lateness_us, &floor.pdv_ms);
            let us = [late.p50, late.p99, late.p999, late.max]
                .map(|us| number(us, 0))
                .join(" / ");
            let ms = [pdv.p50, pdv.p99, pdv.p999, pdv.max]
                .map(|ms| number(ms, 2))
                .join(" / ");
            let carried = if floor.carried { "yes" } else { "no" };
            line(&format!(
                "{:>8} {us:>40} {ms:>32}  {carried}",
                floor.streams
            ));
        }
        line(&format!(
            "largest honest load: {} streams each way ({} packets/s); pacing: {}",
            self.largest_streams,
            u64::from(self.largest_streams) * 50,
            self.mode.name()
        ));
        match &self.limited_by {
            Some(limit) => line(&format!("limited by: {limit}")),
            None => line("not limited: the largest load asked for was carried"),
        }
        line(&format!("path: {}", self.path));
        line(&format!(
            "kept in {}{}",
            file.display(),
            if default_file().is_none_or(|own| own == file) {
                ": `milliwatt run` prints it beside its results"
            } else {
                "; `milliwatt run` knows only what is kept in its own place (without --out)"
            }
        ));
        text
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

/// Where it is kept unless a file is named: the user's state folder.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/state")))?;
    Some(state.join("milliwatt/calibration.json"))
}

/// Keeps it.
pub fn store(file: &Path, calibration: &Calibration) -> Result<(), Failure> {
    let failed = |why: String| {
        Failure::could_not_run(format!(
            "cannot keep the calibration in {}: {why}",
            file.display()
        ))
        .hint("name another file with --out")
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(e.to_string()))?;
    }
    let text = serde_json::to_string_pretty(calibration).map_err(|e| failed(e.to_string()))?;
    std::fs::write(file, text + "\n").map_err(|e| failed(e.to_string()))
}

/// What is kept for this machine, and what is wrong with it when it cannot be used.
#[must_use]
pub fn load() -> (Option<Calibration>, Option<String>) {
    match default_file().map(|file| (std::fs::read_to_string(&file), file)) {
        Some((Ok(text), file)) => read(&text, &file, &Machine::this()),
        _ => (None, None),
    }
}

fn read(text: &str, file: &Path, machine: &Machine) -> (Option<Calibration>, Option<String>) {
    let again = "run `milliwatt calibrate` again";
    let calibration: Calibration = match serde_json::from_str(text) {
        Ok(calibration) => calibration,
        Err(why) => {
            let problem = format!(
                "the calibration in {} cannot be read ({why}): {again}",
                file.display()
            );
            return (None, Some(problem));
        }
    };
    if calibration.machine == *machine {
        (Some(calibration), None)
    } else {
        let problem = format!(
            "the calibration in {} is of another processor or kernel: {again}",
            file.display()
        );
        (None, Some(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let floor = |streams: u32, carried, us| Floor {
            streams,
            carried,
            lateness_us: Lateness {
                p999: Some(us),
                ..Lateness::default()
            },
            ..Floor::default()
        };
        Calibration {
            schema_version: SCHEMA_VERSION,
            at: "2026-11-28T01:00:00Z".into(),
            milliwatt: "0.1.0".into(),
            machine: Machine::this(),
            path: "an agent on this machine, over loopback".into(),
            mode: SleepMode::Sleep,
            floors: vec![
                floor(50, true, 80.0),
                floor(500, true, 200.0),
                floor(1000, false, 9000.0),
            ],
            largest_streams: 500,
            limited_by: Some("a packet thread waited for its processor".into()),
        }
    }

    #[test]
    fn a_run_has_the_floor_of_the_load_next_above_that_was_carried() {
        let floor = |streams| calibration().floor_at(streams).map(|floor| floor.streams);
        assert_eq!(
            [floor(20), floor(50), floor(51)],
            [Some(50), Some(50), Some(500)]
        );
        assert_eq!(floor(2000), Some(500), "the largest there is");
        assert_eq!(
            Calibration {
                floors: Vec::new(),
                ..calibration()
            }
            .floor_at(1),
            None
        );
    }

    #[test]
    fn asking_for_more_than_was_carried_is_warned_of_with_the_limit() {
        assert_eq!(calibration().warning(500), None);
        let warning = calibration().warning(502).unwrap();
        assert!(
            warning.contains("502") && warning.contains("carried 500 in time"),
            "{warning}"
        );
        assert!(warning.contains("waited for its processor"), "{warning}");
    }

    #[test]
    fn what_was_stored_is_read_for_this_machine_and_refused_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/calibration.json");
        store(&file, &calibration()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(
            read(&text, &file, &Machine::this()),
            (Some(calibration()), None)
        );
        let (none, why) = read(&text, &file, &Machine::default());
        assert!(none.is_none() && why.unwrap().contains("another processor or kernel"));
        let (none, why) = read(&text[..40], &file, &Machine::this());
        assert!(none.is_none() && why.unwrap().contains("cannot be read"));
    }
}
