//! Least differences that matter, as asked for.

use crate::exit::Failure;
use milliwatt_scoring::comparison::{ComparedMetric, Least, compared_metrics};

/// By metric; of others the defaults hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Leasts {
    asked: Vec<(String, f64)>,
}

impl Leasts {
    /// Of `METRIC=VALUE`, each in the metric's unit.
    pub(super) fn parse(written: &[String]) -> Result<Self, Failure> {
        let asked = written.iter().map(|text| parse(text));
        Ok(Self {
            asked: asked.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn of(&self, metric: &ComparedMetric) -> Least {
        let asked = self
            .asked
            .iter()
            .rev()
            .find(|(path, _)| path == metric.path);
        asked.map_or(metric.least, |(_, absolute)| Least {
            absolute: *absolute,
            share: 0.0,
        })
    }
}

fn parse(text: &str) -> Result<(String, f64), Failure> {
    let wrong = |why: &str| {
        let names: Vec<&str> = compared_metrics()
            .iter()
            .map(|metric| metric.path)
            .collect();
        Failure::usage(format!("--least {text}: {why}"))
            .detail(format!("metrics: {}", names.join(", ")))
            .hint("write it as pdv_ms.p99=2, in the metric's unit")
    };
    let (path, value) = text
        .split_once('=')
        .ok_or_else(|| wrong("no METRIC=VALUE"))?;
    if !compared_metrics().iter().any(|metric| metric.path == path) {
        return Err(wrong("no such metric"));
    }
    let value: f64 = value.parse().map_err(|_| wrong("no number"))?;
    if value.is_finite() && value >= 0.0 {
        Ok((path.to_owned(), value))
    } else {
        Err(wrong("a least difference is zero or more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stands_in_place_of_the_default_and_its_share() {
        let leasts = Leasts::parse(&["pdv_ms.p99=3".to_owned()]).unwrap();
        let of = |path| {
            let metric = compared_metrics()
                .iter()
                .find(|metric| metric.path == path)
                .unwrap();
            leasts.of(metric).at(100.0)
        };
        assert!((of("pdv_ms.p99") - 3.0).abs() < 1e-9);
        assert!((of("pdv_ms.p999") - 50.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_what_can() {
        for text in [
            "pdv_ms.p99",
            "pdv=1",
            "pdv_ms.p99=much",
            "pdv_ms.p99=-1",
            "pdv_ms.p99=inf",
        ] {
            let failure = Leasts::parse(&[text.to_owned()]).unwrap_err();
            assert!(
                failure
                    .detail
                    .unwrap()
                    .contains("interarrival_jitter_ms.mean"),
                "{text}"
            );
        }
    }
}
