//! By what a run is judged: thresholds, the published figures beside it, and the bounds within which
//! the tester believes itself. The scenario fills it; it travels with the facts as JSON text.

use milliwatt_wire::id::Leg;
use serde::{Deserialize, Serialize};

/// Everything that judges a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// The limits.
    pub thresholds: Vec<Threshold>,
    /// Figures of the published test, shown beside ours and never judged.
    pub document: Vec<PublishedFigure>,
    /// 99.9th percentile of the tester's lateness above which a second is no evidence, us.
    pub lateness_bound_us: f64,
    /// Share of tainted full-load seconds above which the run is invalid, percent.
    pub tainted_share_percent: f64,
    /// By what a step of a stepped load is good or bad; facts of before there were any lack it.
    #[serde(default)]
    pub steps: StepLimits,
}

/// By what a leg is good or bad in a step: it is bad when it is past any of these, taken over the step's seconds but the
/// first, without those that the tester spoilt. A value at its limit is good.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepLimits {
    /// Most packets lost of sent, percent.
    pub loss_percent: f64,
    /// Most packets late at playout of sent, percent.
    pub discarded_percent: f64,
    /// Most dead-air events in each 1000 minutes of call leg begun: in a short step, the most of all.
    pub dead_air_events: u64,
    /// Largest 99.9th percentile of PDV, ms.
    pub pdv_p999_ms: f64,
    /// Least share that was transferred of what the pace allowed, percent; nothing where no transfer is paced.
    pub transfer_goodput_percent: f64,
    /// A load that is held for long is judged in windows of so many seconds, at least 2: it breaks when two in a row are bad.
    pub confirm_window_s: u32,
}

impl Default for StepLimits {
    /// The limits of [`default_thresholds`] where they have one; 90 % of transfer; windows of 6 s.
    fn default() -> Self {
        Self {
            loss_percent: 0.1,
            discarded_percent: 0.1,
            dead_air_events: 1,
            pdv_p999_ms: 30.0,
            transfer_goodput_percent: 90.0,
            confirm_window_s: 6,
        }
    }
}

impl Default for Judgement {
    fn default() -> Self {
        Self {
            thresholds: default_thresholds(),
            document: Vec::new(),
            lateness_bound_us: 5000.0,
            tainted_share_percent: 1.0,
            steps: StepLimits::default(),
        }
    }
}

/// A limit on one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Path of the scorecard, one of [`crate::metric::known_metrics`].
    pub metric: String,
    /// Which leg; none on a metric of a leg means both, each with a result of its own.
    pub leg: Option<Leg>,
    /// Whether the limit is the largest or the least good value.
    pub bound: Bound,
    /// The limit, in `unit`.
    pub limit: f64,
    /// The limit holds for this many: it is `limit` times the number of these begun, `ceil(n / per)`. Counted in
    /// recordings for `recordings`, in minutes of call leg for `dead_air`, else in calls.
    pub per: Option<u64>,
    /// Over what time.
    pub window: Window,
    /// Unit of the limit.
    pub unit: String,
    /// On what the limit rests.
    pub basis: Basis,
    /// Section or clause.
    pub source: String,
    /// A failure is shown and does not fail the run.
    pub warns_only: bool,
}

/// The side on which a limit lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// Values above the limit fail.
    Max,
    /// Values below the limit fail.
    Min,
}

impl Bound {
    /// As written in a scenario: `max` or `min`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Min => "min",
        }
    }

    /// Whether a value is within the limit; equality is.
    #[must_use]
    pub fn admits(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Max => value <= limit,
            Self::Min => value >= limit,
        }
    }
}

/// Time over which a metric is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// All of full load.
    Run,
    /// Every stretch of so many seconds that lies wholly in full load; the worst counts.
    Seconds(u32),
}

impl Window {
    /// As written: `run` or `15s`.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Run => "run".to_owned(),
            Self::Seconds(seconds) => format!("{seconds}s"),
        }
    }
}

/// On what a limit rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The document whose test is reproduced.
    Document,
    /// A standard, named in the source.
    Standard,
    /// What practitioners use.
    Practice,
    /// Ours: to be adjusted to the reader's agreement.
    Own,
}

impl Basis {
    /// The word in the scorecard.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Standard => "standard",
            Self::Practice => "practice",
            Self::Own => "own",
        }
    }
}

/// A figure of the published test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFigure {
    /// What it is, for people.
    pub figure: String,
    /// What of ours stands beside it.
    pub key: FigureKey,
    /// As published.
    pub published: f64,
    /// Unit of both.
    pub unit: String,
}

/// What of ours stands beside a published figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FigureKey {
    /// Receive leg, mean over full load, 1e6 octets a second.
    ReceiveMegabytesPerSecond,
    /// Sent leg, likewise.
    SentMegabytesPerSecond,
    /// Recordings with at least one silence event.
    SilentRecordings,
    /// CPU of the guest, percent of all cores, mean over full load.
    GuestCpuPercent,
}

/// The figures of the published 250-call test.
#[must_use]
pub fn published_250_calls() -> Vec<PublishedFigure> {
    let figure = |figure: &str, key, published, unit: &str| PublishedFigure {
        figure: figure.to_owned(),
        key,
        published,
        unit: unit.to_owned(),
    };
    vec![
        figure(
            "network receive",
            FigureKey::ReceiveMegabytesPerSecond,
            5.38,
            "MB/s",
        ),
        figure(
            "network send",
            FigureKey::SentMegabytesPerSecond,
            5.64,
            "MB/s",
        ),
        figure(
            "recordings with silence, of 5000",
            FigureKey::SilentRecordings,
            1.0,
            "recordings",
        ),
        figure("server CPU", FigureKey::GuestCpuPercent, 37.0, "percent"),
    ]
}

/// The limits that hold in every scenario unless it says otherwise.
#[must_use]
pub fn default_thresholds() -> Vec<Threshold> {
    const RESULTS: &str = "Testing results of an Interaction Media Server guest in Hyper-V";
    const REQUIREMENTS: &str = "Virtual machine requirements; window: milliwatt default";
    const OWN: &str = "milliwatt default, adjust to your agreement";
    vec![
        limit(
            "recordings.with_silence",
            Window::Run,
            1.0,
            Basis::Document,
            RESULTS,
        )
        .per(5000),
        limit(
            "mbps.max",
            Window::Seconds(10),
            120.0,
            Basis::Document,
            REQUIREMENTS,
        )
        .on(Leg::Sent),
        limit(
            "hypervisor.cpu_percent",
            Window::Seconds(300),
            60.0,
            Basis::Document,
            REQUIREMENTS,
        ),
        limit(
            "loss_percent",
            Window::Seconds(15),
            0.1,
            Basis::Standard,
            "ITU-T Y.1541 class 0, IPLR 1e-3",
        ),
        limit(
            "pdv_ms.p999",
            Window::Seconds(60),
            30.0,
            Basis::Own,
            "milliwatt default: half the playout buffer",
        ),
        limit(
            "interarrival_jitter_ms.mean",
            Window::Seconds(15),
            15.0,
            Basis::Practice,
            "common practice",
        )
        .warning(),
        limit("dead_air.events", Window::Run, 1.0, Basis::Own, OWN).per(1000),
        limit("dead_air.events_200ms", Window::Run, 0.0, Basis::Own, OWN),
        limit(
            "guest.clock_step_ms",
            Window::Run,
            20.0,
            Basis::Own,
            "milliwatt default; the document: silence is inserted",
        ),
    ]
}

fn limit(metric: &str, window: Window, limit: f64, basis: Basis, source: &str) -> Threshold {
    Threshold {
        metric: metric.to_owned(),
        leg: None,
        bound: Bound::Max,
        limit,
        per: None,
        window,
        unit: crate::metric::find_metric(metric)
            .map_or("", |metric| metric.unit)
            .to_owned(),
        basis,
        source: source.to_owned(),
        warns_only: false,
    }
}

impl Threshold {
    fn per(self, per: u64) -> Self {
        Self {
            per: Some(per),
            ..self
        }
    }

    fn on(self, leg: Leg) -> Self {
        Self {
            leg: Some(leg),
            ..self
        }
    }

    fn warning(self) -> Self {
        Self {
            warns_only: true,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{find_metric, known_metrics};

    #[test]
    fn every_default_threshold_names_a_known_metric_in_its_unit_and_a_window_it_has() {
        for threshold in default_thresholds() {
            let metric = find_metric(&threshold.metric).unwrap();
            assert_eq!(metric.unit, threshold.unit);
            assert!(
                metric.windowed || threshold.window == Window::Run,
                "{}",
                threshold.metric
            );
            assert!(
                metric.of_leg || threshold.leg.is_none(),
                "{}",
                threshold.metric
            );
        }
    }

    #[test]
    fn known_paths_are_distinct() {
        let mut paths: Vec<_> = known_metrics().iter().map(|metric| metric.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), known_metrics().len());
    }

    #[test]
    fn judgement_travels_as_text_unchanged() {
        let judgement = Judgement {
            document: published_250_calls(),
            ..Judgement::default()
        };
        let text = serde_json::to_string_pretty(&judgement).unwrap();
        assert_eq!(serde_json::from_str::<Judgement>(&text).unwrap(), judgement);
    }

    /// Facts that were written before there were steps.
    #[test]
    fn a_judgement_without_limits_of_steps_has_the_default_ones() {
        let mut value = serde_json::to_value(Judgement::default()).unwrap();
        value.as_object_mut().unwrap().remove("steps");
        let read: Judgement = serde_json::from_value(value).unwrap();
        assert_eq!(read.steps, StepLimits::default());
    }

    #[test]
    fn the_limit_itself_is_admitted() {
        assert!(Bound::Max.admits(120.0, 120.0) && !Bound::Max.admits(120.1, 120.0));
        assert!(Bound::Min.admits(4.0, 4.0) && !Bound::Min.admits(3.9, 4.0));
    }
}
