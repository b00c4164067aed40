//! What is counted of each leg second by second, for plots and tables. PDV here is above each stream's least transit
//! so far, since the final one is not known while a capture is read.

use super::stream::Seen;
use milliwatt_scoring::analysis::AnalyzedSecond;
use milliwatt_scoring::percentile::{Distribution, Percentile};
use milliwatt_wire::id::Leg;
use milliwatt_wire::time::NS_PER_SECOND;

/// Seconds of the longest capture that is drawn, 48 h; a stamp beyond is a broken clock's.
const SECONDS_MAX: usize = 48 * 3600;
/// Seconds whose distributions stay open, for what comes late.
const OPEN: usize = 4;
/// A dead-air event is cut off at this: what has no end in sight is no event.
const EVENT_MS_MAX: f64 = 3_600_000.0;

#[derive(Clone, Debug, Default)]
struct Row {
    streams: u32,
    received: u64,
    lost: u64,
    discarded: u64,
    duplicated: u64,
    reordered: u64,
    interarrival_jitter: (f64, u64, f64),
    /// None once it is summed up.
    pdv: Option<Box<Distribution>>,
    pdv_ms: [Option<f64>; 4],
    dead_air_ms: f64,
    dead_air_events: u64,
    nic_octets: u64,
}

/// Rows of one leg.
#[derive(Clone, Debug, Default)]
struct Series {
    rows: Vec<Row>,
    /// Rows before this one are summed up.
    open: usize,
}

/// Rows of both legs since the first frame.
#[derive(Clone, Debug, Default)]
pub struct Seconds {
    first: Option<i64>,
    legs: [Series; 2],
}

impl Seconds {
    /// The second of a time, ns since 1970; none where it cannot be drawn.
    #[inline]
    pub fn second_of(&mut self, at: i64) -> Option<usize> {
        let first = *self.first.get_or_insert(at);
        let second = usize::try_from(at.saturating_sub(first).div_euclid(NS_PER_SECOND)).ok()?;
        (second < SECONDS_MAX).then_some(second)
    }

    /// A stream is heard that was not in this second before.
    #[inline]
    pub fn hear(&mut self, leg: Leg, second: usize) {
        self.legs[leg as usize].row(second).streams += 1;
    }

    /// Counts what a packet turned out to be.
    #[inline]
    pub fn note(&mut self, leg: Leg, second: usize, seen: Seen) {
        let row = self.legs[leg as usize].row(second);
        match seen {
            Seen::Packet {
                interarrival_jitter,
                above,
                nic_octets,
            } => {
                row.receive(interarrival_jitter, above);
                row.nic_octets += u64::from(nic_octets);
            }
            Seen::Copy(nic_octets) => {
                row.duplicated += 1;
                row.nic_octets += u64::from(nic_octets);
            }
            Seen::Reordered => row.reordered += 1,
            Seen::Lost => row.lost += 1,
            Seen::Discarded => row.discarded += 1,
            Seen::DeadAir(length) => {
                row.dead_air_events += 1;
                row.dead_air_ms += ms(length).min(EVENT_MS_MAX);
            }
        }
    }

    /// The rows, in order of time; those in which nothing was heard are left out.
    #[must_use]
    pub fn finish(self) -> Vec<AnalyzedSecond> {
        let mut rows = Vec::new();
        for (leg, mut series) in Leg::BOTH.into_iter().zip(self.legs) {
            series.sum_up(usize::MAX);
            rows.extend(
                series
                    .rows
                    .iter()
                    .zip(0..)
                    .filter_map(|(row, second)| row.summary(leg, second)),
            );
        }
        rows.sort_by_key(|row| row.second);
        rows
    }
}

impl Series {
    #[inline]
    fn row(&mut self, second: usize) -> &mut Row {
        if second >= self.rows.len() {
            self.rows.resize_with(second + 1, Row::default);
            self.sum_up((second + 1).saturating_sub(OPEN));
        }
        &mut self.rows[second]
    }

    fn sum_up(&mut self, to: usize) {
        let to = to.min(self.rows.len());
        for row in self.rows.get_mut(self.open..to).unwrap_or_default() {
            row.sum_up();
        }
        self.open = self.open.max(to);
    }
}

impl Row {
    #[inline]
    fn receive(&mut self, interarrival_jitter: Option<f64>, above: Option<i64>) {
        self.received += 1;
        if let Some(j) = interarrival_jitter {
            let (sum, count, max) = &mut self.interarrival_jitter;
            (*sum, *count, *max) = (*sum + j, *count + 1, max.max(j));
        }
        // Held packets come late: a row summed up has its percentiles already.
        if let (Some(above), true) = (above, self.pdv_ms[3].is_none()) {
            let pdv = self.pdv.get_or_insert_default();
            pdv.record(above, 1);
            pdv.raise_max(above);
        }
    }

    fn sum_up(&mut self) {
        let Some(pdv) = self.pdv.take() else { return };
        let at = |percentile| pdv.percentile(percentile).map(ms);
        self.pdv_ms = [
            at(Percentile::P50),
            at(Percentile::P99),
            at(Percentile::P999),
            pdv.max().map(ms),
        ];
    }

    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
    fn summary(&self, leg: Leg, second: u32) -> Option<AnalyzedSecond> {
        let (sum, count, max) = self.interarrival_jitter;
        let [pdv_p50_ms, pdv_p99_ms, pdv_p999_ms, pdv_max_ms] = self.pdv_ms;
        let is_heard = self.received + self.lost + self.duplicated > 0;
        is_heard.then(|| AnalyzedSecond {
            second,
            leg,
            streams: self.streams,
            received: self.received,
            lost: self.lost,
            discarded: self.discarded,
            duplicated: self.duplicated,
            reordered: self.reordered,
            interarrival_jitter_mean_ms: (count > 0).then(|| sum / count as f64 / 1e6),
            interarrival_jitter_max_ms: (count > 0).then_some(max / 1e6),
            pdv_p50_ms,
            pdv_p99_ms,
            pdv_p999_ms,
            pdv_max_ms,
            dead_air_ms: self.dead_air_ms,
            dead_air_events: self.dead_air_events,
            mbps: self.nic_octets as f64 * 8.0 / 1e6,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "times below 2^53 ns")]
fn ms(ns: i64) -> f64 {
    ns as f64 / 1e6
}
