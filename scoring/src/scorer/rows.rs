//! Rows a second and rows an event, for plots and tables.

use super::Summary;
use super::end::{float, lateness_of, ms, ratio, to_unit};
use super::leg::{
    ALL_OCTETS, DeadAirEvent, LegSecond, LegSeries, NIC_OCTETS, Octets, RTP_OCTETS,
    TRANSFER_OCTETS, mbps_of,
};
use super::silence_origin::Origins;
use super::transferred::goodput_mbps;
use crate::measured::{EventRow, SecondHistogram, SecondRow};
use crate::percentile::{Distribution, Percentile};
use milliwatt_wire::facts::{RecordingEventFact, RecordingFact, SilenceFact};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::time::RunTime;
use std::ops::RangeInclusive;

impl Summary<'_> {
    /// A row a second and leg, from run time zero on.
    pub(super) fn second_rows(&self) -> Vec<SecondRow> {
        let Some(last) = self.last_second else {
            return Vec::new();
        };
        let calls = self.timeline.calls_up(last);
        (0..)
            .zip(calls)
            .flat_map(|(second, calls)| Leg::BOTH.map(|leg| self.second_row(leg, second, calls)))
            .collect()
    }

    fn second_row(&self, leg: Leg, second: u32, calls: u32) -> SecondRow {
        let nothing = LegSecond::default();
        let tally = self.leg(leg).seconds.get(&second).unwrap_or(&nothing);
        let pdv = |percentile| tally.pdv.percentile(percentile).map(ms);
        let count = tally.interarrival_jitter_count;
        let mbps = |octets: Octets| tally.sent.as_ref().and_then(octets).map(mbps_of);
        let transferred = self.sender(leg).transfers.get(&second);
        SecondRow {
            second,
            leg,
            phase: self.timeline.phase(second, self.full.as_ref()),
            tainted: self.tainted.contains(&second),
            calls,
            expected: tally.expected,
            received: tally.received,
            lost: tally.lost,
            discarded: tally.discarded,
            not_sent: tally.not_sent,
            duplicated: tally.duplicated,
            reordered: tally.reordered,
            interarrival_jitter_mean_ms: ratio(ms(tally.interarrival_jitter_sum), float(count)),
            interarrival_jitter_max_ms: (count > 0).then(|| ms(tally.interarrival_jitter_max)),
            pdv_p50_ms: pdv(Percentile::P50),
            pdv_p99_ms: pdv(Percentile::P99),
            pdv_p999_ms: pdv(Percentile::P999),
            pdv_max_ms: tally.pdv.max().map(ms),
            dead_air_ms: ms(tally.dead_air_ns),
            dead_air_events: tally.dead_air_events,
            mbps: mbps(ALL_OCTETS),
            rtp_mbps: mbps(RTP_OCTETS),
            transfer_mbps: mbps(TRANSFER_OCTETS),
            nic_mbps: mbps(NIC_OCTETS),
            sender_lateness_p999_us: self.sender_lateness(leg, second),
            delay: self.delay(leg, second),
            transfer_goodput_mbps: transferred.map(goodput_mbps),
            transfer_stalled_ms: transferred.map(|of| of.stalled_ms.into()),
            transfer_retransmissions: transferred.map(|of| of.retransmissions.into()),
        }
    }

    fn sender_lateness(&self, leg: Leg, second: u32) -> Option<f64> {
        let pacing = self.sender(leg).pacing.get(&second)?;
        lateness_of(pacing)
            .percentile(Percentile::P999)
            .map(|ns| to_unit(ns, 1e3))
    }

    /// Dead air, silences, stalls, steps, breaking points and what the control plane told, in order of time; of one instant a
    /// step's begin first and a breaking point last.
    pub(super) fn event_rows(&self) -> Vec<EventRow> {
        let mut rows: Vec<EventRow> = self.step_rows().collect();
        let dead_air = self.legs.iter().flat_map(|leg| &leg.events);
        rows.extend(dead_air.map(|event| self.dead_air_row(event)));
        let origins = Origins::of(self);
        rows.extend(
            self.recording_log
                .received()
                .flat_map(|recording| self.silence_rows(recording, &origins)),
        );
        let others = self.recording_log.others();
        rows.extend(others.map(|(recording, event)| self.recording_event_row(recording, event)));
        rows.extend(
            [End::Tester, End::Guest]
                .into_iter()
                .flat_map(|end| self.stall_rows(end)),
        );
        rows.extend(
            self.told
                .iter()
                .map(|(at, kind, text)| self.event(*at, kind, text.clone())),
        );
        rows.extend(self.disruption_events());
        rows.extend(self.breaking_point_rows());
        rows.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        rows
    }

    pub(super) fn event(&self, at: RunTime, kind: &str, text: String) -> EventRow {
        EventRow {
            at_s: at.as_seconds(),
            kind: kind.to_owned(),
            stream: None,
            call: None,
            channel: None,
            duration_ms: None,
            cause: None,
            origin: None,
            file: None,
            start_s: None,
            tainted: self.tainted.contains(&at.second()),
            text,
        }
    }

    fn dead_air_row(&self, event: &DeadAirEvent) -> EventRow {
        let text = format!(
            "{}: {} ms of dead air, {}",
            event.stream,
            ms(event.length),
            cause_text(event)
        );
        EventRow {
            stream: Some(event.stream),
            call: Some(event.stream.call.0),
            duration_ms: Some(ms(event.length)),
            cause: Some(event.cause),
            tainted: event.seconds().any(|second| self.tainted.contains(&second)),
            ..self.event(event.at, "dead-air", text)
        }
    }

    fn silence_rows(&self, recording: &RecordingFact, origins: &Origins<'_>) -> Vec<EventRow> {
        let rows = recording.silences.iter().map(|silence| {
            let origin = origins.origin(recording, silence);
            let at = self.silence_at(recording, silence.start_ms);
            let text = format!(
                "call {}: {:.0} ms of silence on channel {} of {}, {:.3} s in: {}",
                recording.call.0,
                silence.length_ms,
                silence.channel,
                recording.file,
                silence.start_ms / 1000.0,
                origin.text()
            );
            let seconds = self.silent_seconds(recording, silence);
            EventRow {
                call: Some(recording.call.0),
                channel: Some(silence.channel),
                duration_ms: Some(silence.length_ms),
                cause: origin.cause(),
                origin: Some(origin.word()),
                file: Some(recording.file.clone()),
                start_s: Some(silence.start_ms / 1000.0),
                tainted: self.tainted.range(seconds).next().is_some(),
                ..self.event(at, "silence", text)
            }
        });
        rows.collect()
    }

    fn recording_event_row(
        &self,
        recording: &RecordingFact,
        event: &RecordingEventFact,
    ) -> EventRow {
        let at = self.silence_at(recording, event.start_ms);
        let missing = match event.missing_samples {
            Some(samples @ 0..) => format!(", {samples} samples are missing"),
            Some(samples) => format!(", {} samples were put in", samples.unsigned_abs()),
            None => String::new(),
        };
        let text = format!(
            "call {}: {} of {:.0} ms on channel {} of {}, {:.3} s in{missing}",
            recording.call.0,
            event.kind,
            event.length_ms,
            event.channel,
            recording.file,
            event.start_ms / 1000.0,
        );
        EventRow {
            call: Some(recording.call.0),
            channel: Some(event.channel),
            duration_ms: Some(event.length_ms),
            ..self.event(at, &event.kind, text)
        }
    }

    /// Seconds of run time that a silence touches; one of a broken length touches that in which it begins.
    pub(super) fn silent_seconds(
        &self,
        recording: &RecordingFact,
        silence: &SilenceFact,
    ) -> RangeInclusive<u32> {
        let at = |ms| self.silence_at(recording, ms).second();
        at(silence.start_ms)..=at(silence.start_ms + silence.length_ms.max(0.0))
    }

    /// Run time of an instant of a recording; a recording begins with its call.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a place in a recording; the cast saturates"
    )]
    pub(super) fn silence_at(&self, recording: &RecordingFact, start_ms: f64) -> RunTime {
        let start = self
            .timeline
            .start_of(recording.call)
            .unwrap_or(RunTime::ZERO);
        start + (start_ms * 1e6) as i64
    }

    /// Seconds in which an end missed packet times altogether.
    fn stall_rows(&self, end: End) -> Vec<EventRow> {
        let (who, what) = match end {
            End::Tester => ("tester", "packets not sent"),
            End::Guest => ("guest", "playout ticks missed"),
        };
        let stalls = self
            .end(end)
            .pacing
            .values()
            .filter(|second| second.not_sent > 0);
        stalls
            .map(|second| {
                let late = ms(second.lateness_max);
                let text = format!(
                    "{who} stalled: up to {late:.1} ms late, {} {what}",
                    second.not_sent
                );
                let at = RunTime(i64::from(second.second) * milliwatt_wire::time::NS_PER_SECOND);
                EventRow {
                    duration_ms: Some(late),
                    ..self.event(at, "stall", text)
                }
            })
            .collect()
    }

    /// Distributions by second over full load, each in place of the one it is made of.
    pub(super) fn into_second_histograms(self) -> Vec<SecondHistogram> {
        let full = super::end::seconds_of(self.full.as_ref());
        let ends = [
            (self.scorer.end(End::Tester), "tester-lateness"),
            (self.scorer.end(End::Guest), "guest-lateness"),
        ];
        let mut histograms = Vec::new();
        for (leg, names) in self
            .legs
            .into_iter()
            .zip([["receive-pdv", "receive-ipdv"], ["sent-pdv", "sent-ipdv"]])
        {
            let seconds = leg.seconds.into_iter();
            for (second, tally) in seconds.filter(|(second, _)| full.contains(second)) {
                histograms.extend(histogram(names[0], second, &tally.pdv));
                histograms.extend(histogram(names[1], second, &tally.ipdv));
            }
        }
        for (end, name) in ends {
            for (second, pacing) in end.pacing.range(full.clone()) {
                histograms.extend(histogram(name, *second, &lateness_of(pacing)));
            }
        }
        histograms
    }
}

fn histogram(
    name: &'static str,
    second: u32,
    distribution: &Distribution,
) -> Option<SecondHistogram> {
    (distribution.total() > 0).then(|| SecondHistogram {
        name,
        second,
        counts: distribution.counts().collect(),
    })
}

fn cause_text(event: &DeadAirEvent) -> &'static str {
    use milliwatt_wire::facts::DeadCause;
    match event.cause {
        DeadCause::Lost => "packets lost",
        DeadCause::Late => "packets too late for the playout buffer",
        DeadCause::NotSent => "packets not sent",
        DeadCause::GuestPlayout => "the guest's playout clock stood still",
    }
}

/// A leg's PDV as (ms, share of packets at or below).
pub(super) fn curve(leg: &LegSeries, full: &std::ops::Range<u32>) -> Vec<(f64, f64)> {
    let all = super::leg::merged(
        leg.seconds
            .range(full.clone())
            .map(|(_, second)| &second.pdv),
    );
    let mut below = 0;
    let total = float(all.total());
    all.counts()
        .map(|(ns, count)| {
            below += count;
            (ms(ns), float(below) / total)
        })
        .collect()
}
