//! Whose doing delay variation was.

use milliwatt_wire::id::Leg;
use serde::{Deserialize, Serialize};

/// Of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    /// Tester to guest.
    pub receive: LegAttribution,
    /// Guest to tester.
    pub sent: LegAttribution,
}

impl Attribution {
    /// The leg named.
    #[must_use]
    pub fn get(&self, leg: Leg) -> &LegAttribution {
        match leg {
            Leg::Receive => &self.receive,
            Leg::Sent => &self.sent,
        }
    }
}

/// Of one direction, over full load. Shares are of the parts' sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LegAttribution {
    /// Mean PDV, against each stream's least transit so far.
    pub pdv_mean_ms: Option<f64>,
    /// The tester's share.
    pub tester_percent: Option<f64>,
    /// The guest's; on the receive leg with the time until it read what had arrived.
    pub guest_percent: Option<f64>,
    /// The path's.
    pub path_percent: Option<f64>,
    /// Of the path's, what held all streams at once; none where that is not known.
    pub path_common_percent: Option<f64>,
    /// The rest of the path's.
    pub path_stream_percent: Option<f64>,
    /// The second with the largest delay.
    pub worst: Option<WorstSecond>,
}

/// What held a packet, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DelayParts {
    /// Its PDV; on the receive leg the guest's reading comes on top.
    pub pdv_ms: f64,
    /// The tester.
    pub tester_ms: f64,
    /// The guest.
    pub guest_ms: f64,
    /// The path.
    pub path_ms: f64,
    /// Of the path's, what held all streams at once; none where too few packets were due together.
    pub path_common_ms: Option<f64>,
    /// The rest of the path's.
    pub path_stream_ms: Option<f64>,
}

/// The worst second, with its maxima.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstSecond {
    /// Second of run time.
    pub at_s: f64,
    /// The tester did not keep its own time in it: no evidence.
    pub tainted: bool,
    /// The largest of the parts.
    pub origin: Origin,
    /// The parts, each the largest of the second.
    #[serde(flatten)]
    pub parts: DelayParts,
}

/// Where delay came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The tester was late.
    Tester,
    /// The guest was late, or read late.
    Guest,
    /// The path held all streams at once.
    PathCommon,
    /// The path held some streams: a queue, bursts.
    PathStream,
    /// The path; too few streams to say which.
    Path,
}

impl DelayParts {
    /// The largest part; of equals an end, so that the path is never blamed for what an end did.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let path = match (self.path_common_ms, self.path_stream_ms) {
            (Some(common), Some(stream)) if common >= stream => Origin::PathCommon,
            (Some(_), Some(_)) => Origin::PathStream,
            _ => Origin::Path,
        };
        if self.path_ms > self.tester_ms.max(self.guest_ms) {
            path
        } else if self.tester_ms >= self.guest_ms {
            Origin::Tester
        } else {
            Origin::Guest
        }
    }
}
