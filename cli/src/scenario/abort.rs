//! The rule by which a run gives up: `loss_percent > 5 for 10s`.

use super::value::Duration;
use milliwatt_scoring::metric::find_metric;
use milliwatt_wire::time::NS_PER_SECOND;

/// A run that is plainly broken is ended when this holds.
#[derive(Clone, Debug, PartialEq)]
pub struct AbortRule {
    /// Path in the scorecard; of a leg: either leg's.
    pub metric: String,
    /// Broken above this, in the metric's unit.
    pub above: f64,
    /// For so many whole seconds on end, 1 or more.
    pub for_seconds: u32,
}

/// What a rule may look like.
pub const ALLOWED: &str = "METRIC > NUMBER for SECONDS, such as \"loss_percent > 5 for 10s\", with a metric that is known each second; or \"never\"";

/// Reads a rule; `never` is none. The error is the offending part.
pub fn parse(text: &str) -> Result<Option<AbortRule>, String> {
    if text.trim() == "never" {
        return Ok(None);
    }
    let wrong = || format!("`{text}` is not a rule");
    let (metric, rest) = text.split_once('>').ok_or_else(wrong)?;
    let (above, time) = rest.split_once(" for ").ok_or_else(wrong)?;
    let metric = metric.trim();
    if !find_metric(metric).is_some_and(|known| known.windowed) {
        return Err(format!(
            "`{metric}` is not a metric that is known each second"
        ));
    }
    let above = above.trim().parse().map_err(|_| wrong())?;
    let ns = time
        .parse::<Duration>()
        .map_err(|error| error.to_string())?
        .0;
    let seconds = u32::try_from(ns / NS_PER_SECOND)
        .ok()
        .filter(|seconds| *seconds > 0 && ns % NS_PER_SECOND == 0);
    let for_seconds =
        seconds.ok_or_else(|| format!("`{}` is not a number of whole seconds", time.trim()))?;
    Ok(Some(AbortRule {
        metric: metric.to_owned(),
        above,
        for_seconds,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_rule_is_read_in_its_parts() {
        let rule = AbortRule {
            metric: "loss_percent".to_owned(),
            above: 5.0,
            for_seconds: 10,
        };
        assert_eq!(parse("loss_percent > 5 for 10s"), Ok(Some(rule)));
        assert_eq!(parse("never"), Ok(None));
    }

    #[test]
    fn each_part_is_refused_by_name() {
        for (text, named) in [
            ("loss > 5 for 10s", "`loss`"),
            ("mos_lq.min > 5 for 10s", "`mos_lq.min`"),
            ("loss_percent > many for 10s", "not a rule"),
            ("loss_percent > 5 for ages", "`ages` is not a duration"),
            ("loss_percent > 5 for 500ms", "whole seconds"),
            ("loss_percent > 5", "not a rule"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
