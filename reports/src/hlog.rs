//! `*.hlog`: `HdrHistogram` interval logs, an interval a second, values in ns, which the tools of
//! every language with an `HdrHistogram` read.

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;
use milliwatt_scoring::measured::{Measured, SecondHistogram};
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

/// Largest value kept apart, ns: an hour. Larger ones are counted there.
const LARGEST_NS: u64 = 3_600_000_000_000;

/// Why an interval log could not be made.
#[derive(Debug, thiserror::Error)]
#[error("interval log {name}, second {second}: {reason}")]
pub struct HlogError {
    name: &'static str,
    second: u32,
    reason: String,
}

/// The logs: (file name, content), a file a name, in order of name; none of a name without histograms.
pub fn render(started: i64, measured: &Measured) -> Result<Vec<(String, Vec<u8>)>, HlogError> {
    let mut by_name: BTreeMap<&'static str, Vec<&SecondHistogram>> = BTreeMap::new();
    for histogram in &measured.histograms {
        by_name.entry(histogram.name).or_default().push(histogram);
    }
    by_name
        .into_iter()
        .map(|(name, seconds)| Ok((format!("{name}.hlog"), log(started, &seconds)?)))
        .collect()
}

fn log(started: i64, seconds: &[&SecondHistogram]) -> Result<Vec<u8>, HlogError> {
    let Some(first) = seconds.first() else {
        return Ok(Vec::new());
    };
    let mut content = Vec::new();
    let mut serializer = V2DeflateSerializer::new();
    let mut histogram =
        Histogram::<u64>::new_with_max(LARGEST_NS, 3).map_err(|error| failure(first, &error))?;
    let zero = UNIX_EPOCH + Duration::from_nanos(u64::try_from(started).unwrap_or(0));
    let mut writer = IntervalLogWriterBuilder::new()
        .add_comment(&format!(
            "milliwatt {}: ns, an interval a second of run time",
            first.name
        ))
        .with_start_time(zero)
        .with_base_time(zero)
        .with_max_value_divisor(1e6)
        .begin_log_with(&mut content, &mut serializer)
        .map_err(|error| failure(first, &error))?;
    for second in seconds {
        fill(&mut histogram, second);
        writer
            .write_histogram(
                &histogram,
                Duration::from_secs(second.second.into()),
                Duration::from_secs(1),
                None,
            )
            .map_err(|error| failure(second, &error))?;
    }
    Ok(content)
}

fn fill(histogram: &mut Histogram<u64>, second: &SecondHistogram) {
    histogram.clear();
    for &(ns, count) in &second.counts {
        histogram.saturating_record_n(u64::try_from(ns).unwrap_or(0), count);
    }
}

fn failure(second: &SecondHistogram, error: &impl ToString) -> HlogError {
    HlogError {
        name: second.name,
        second: second.second,
        reason: error.to_string(),
    }
}
