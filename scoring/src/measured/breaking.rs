//! Where each leg breaks, and the steps that showed it.

use milliwatt_wire::step::StepKind;
use serde::{Deserialize, Serialize};

/// The load at which each leg breaks: none when the run did not look for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BreakingPoints {
    /// Tester to guest.
    pub receive: Option<BreakingPoint>,
    /// Guest to tester.
    pub sent: Option<BreakingPoint>,
}

/// How far the search for a leg's breaking point came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// It broke.
    Broke,
    /// It held the highest load that it could be judged at.
    NotReached,
    /// It held all that the tester could offer; at the next higher load the tester itself failed.
    TesterLimited,
    /// No step was judged on this leg.
    NotMeasured,
}

/// Where a leg breaks. Loads are Mbit/s offered by the leg's sender, as a network interface counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakingPoint {
    /// How far the search came.
    pub reached: Reached,
    /// The highest load it held below `first_bad_mbps`.
    pub last_good_mbps: Option<f64>,
    /// The lowest load at which it broke.
    pub first_bad_mbps: Option<f64>,
    /// What arrived of that, Mbit/s; of the last good load when it did not break.
    pub carried_mbps: Option<f64>,
    /// Calls up at that load; at the last good one when it did not break.
    pub calls: Option<u32>,
    /// The metric that broke first: `pdv_ms.p999`, `loss_percent`, `discarded_percent`, `dead_air.events` or
    /// `transfer.goodput_percent`.
    pub metric: Option<String>,
    /// Run time at which it broke, s.
    pub at_s: Option<f64>,
    /// How long the load had been held when it broke, s.
    pub after_s: Option<f64>,
}

/// What a step says of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// Within every limit.
    Good,
    /// Past a limit.
    Bad,
    /// The tester did not keep its own time in too much of it.
    Tainted,
    /// Too little is known of it.
    NotMeasured,
    /// Of the receive leg, where the sent leg was past a limit: nothing was amiss but that the guest, which that load
    /// overtaxed, missed its own playout. That says nothing of the way to it, and more load would only harm.
    GuestLimited,
}

impl StepOutcome {
    /// The written name: `good`, `bad`, `tainted`, `not-measured`, `guest-limited`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Tainted => "tainted",
            Self::NotMeasured => "not-measured",
            Self::GuestLimited => "guest-limited",
        }
    }
}

/// A step of a stepped load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepRow {
    /// Its number, from 0.
    pub index: u32,
    /// Why it was made.
    pub kind: StepKind,
    /// Its begin, s of run time.
    pub from_s: f64,
    /// Its end, s.
    pub until_s: f64,
    /// Calls up.
    pub calls: u32,
    /// What it was to put on the sent leg, Mbit/s.
    pub target_mbps: f64,
    /// Tester to guest.
    pub receive: StepLeg,
    /// Guest to tester.
    pub sent: StepLeg,
}

/// What a step showed on a leg, over its seconds but the first, without those that the tester spoilt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLeg {
    /// What it says.
    pub outcome: StepOutcome,
    /// Sent this way, what was due and left out because its sender was late, and what the pace of transfers allowed beyond
    /// that, Mbit/s as a network interface counts.
    pub offered_mbps: Option<f64>,
    /// Arrived, likewise.
    pub carried_mbps: Option<f64>,
    /// Of that, recording transfer as sent.
    pub transfer_mbps: Option<f64>,
    /// Lost of sent, percent.
    pub loss_percent: Option<f64>,
    /// Late at playout, of sent, percent.
    pub discarded_percent: Option<f64>,
    /// Runs of dead slots of at least `dead_air.min`.
    pub dead_air_events: u64,
    /// 99.9th percentile of PDV above each stream's least transit of the step, ms.
    pub pdv_p999_ms: Option<f64>,
    /// What was transferred of what the pace allowed, percent; none where nothing was paced.
    pub transfer_goodput_percent: Option<f64>,
    /// The metric that went past its limit first.
    pub metric: Option<String>,
    /// When, s of run time.
    pub at_s: Option<f64>,
}
