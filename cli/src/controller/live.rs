//! What a person sees while the run goes on, and the rule that ends a hopeless one.

use crate::output;
use crate::scenario::abort::AbortRule;
use milliwatt_scoring::scorer::Live;
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;
use std::io::IsTerminal;

/// A line of its own on standard error, in place of the progress that stands there.
pub(super) fn tell(text: &str) {
    let clear = if std::io::stderr().is_terminal() {
        "\r\x1b[2K"
    } else {
        ""
    };
    output::complain(&format!("{clear}{text}"));
}

/// Progress on standard error: one line that is rewritten on a terminal, a line every ten seconds elsewhere.
pub(super) struct Progress {
    rewrites: bool,
    last: Option<u32>,
    total_s: f64,
}

impl Progress {
    pub(super) fn new(total_s: f64) -> Self {
        Self {
            rewrites: std::io::stderr().is_terminal(),
            last: None,
            total_s,
        }
    }

    /// Shows the state at second `second`.
    /// `offered` is the load of the step under way, Mbit/s; `part` is the named part of full load.
    pub(super) fn show(
        &mut self,
        second: u32,
        (phase, offered, part): (Phase, Option<f64>, Option<&str>),
        calls: usize,
        live: &Live,
    ) {
        if self.last == Some(second) || (!self.rewrites && !second.is_multiple_of(10)) {
            return;
        }
        self.last = Some(second);
        let phase = match (phase, offered, part) {
            (_, Some(mbps), _) => format!("{mbps:.1} Mbit/s"),
            (Phase::Full, None, Some(part)) => format!("{}: {part}", phase_text(phase)),
            (_, None, _) => phase_text(phase).to_owned(),
        };
        let line = progress_line(second, self.total_s, &phase, calls, live);
        if self.rewrites {
            output::show(&format!("\r\x1b[2K{line}"));
        } else {
            output::complain(&line);
        }
    }

    /// Leaves the line for what follows.
    pub(super) fn end(&self) {
        if self.rewrites && self.last.is_some() {
            output::complain("");
        }
    }
}

fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Ramp => "ramp",
        Phase::Full => "full load",
        Phase::Drain => "drain",
    }
}

fn progress_line(second: u32, total_s: f64, phase: &str, calls: usize, live: &Live) -> String {
    let leg = |leg: Leg| {
        let leg_live = live.leg(leg);
        let lost = leg_live
            .loss_percent
            .map_or_else(|| "-".into(), |p| format!("{p:.2} %"));
        let pdv = leg_live
            .pdv_max_ms
            .map_or_else(|| "-".into(), |ms| format!("{ms:.1} ms"));
        format!(
            "lost {lost}, PDV max {pdv}, dead air {}",
            leg_live.dead_air_events
        )
    };
    let lateness = live
        .lateness_p999_us
        .map_or_else(|| "-".into(), |us| format!("{:.1} ms", us / 1000.0));
    format!(
        "{second:>4} s of about {total_s:.0}  {phase}, {calls} calls | receive: {} | sent: {} | recordings {}/{} | tester late p99.9 {lateness}",
        leg(Leg::Receive),
        leg(Leg::Sent),
        live.recordings_received,
        live.recordings_expected,
    )
}

/// Watches the abort rule over time.
pub(super) struct AbortWatch {
    rule: Option<AbortRule>,
    since: Option<u32>,
}

impl AbortWatch {
    pub(super) fn new(rule: Option<AbortRule>) -> Self {
        Self { rule, since: None }
    }

    /// True, with the reason, once the rule has been met for as long as it says.
    pub(super) fn met(&mut self, second: u32, live: &Live) -> Option<String> {
        let rule = self.rule.as_ref()?;
        let worst = Leg::BOTH
            .iter()
            .filter_map(|leg| live.leg(*leg).loss_percent)
            .fold(0.0, f64::max);
        if worst <= rule.above {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(second);
        let text = || {
            format!(
                "{} was above {} for {} s (last: {worst:.1}): the run is ended early",
                rule.metric, rule.above, rule.for_seconds
            )
        };
        (second - since >= rule.for_seconds).then(text)
    }
}
