//! Disruptions, from what all facts together tell: METRICS.md, Disruptions.

use super::brownout::{Brownout, brownout, figures_ms, lengths_ms};
use super::end::ms;
use super::leg::LegRecord;
use super::{Scorer, Summary};
use crate::clock::Exchange;
use crate::disruption::{
    Found, FoundDisruption, FoundLeg, Key, Levels, Nature, Scene, Silence, Stretch, Track, find,
};
use crate::measured::{
    ByLeg, Disruption, DisruptionKind, DisruptionTrace, EventRow, LegDisruption, StreamBlackouts,
};
use crate::percentile::Percentile;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::BTreeMap;

/// Exchanges so near a disruption tell whether the guest's clock stepped, ns.
const EXCHANGES_NS: i64 = 10 * NS_PER_SECOND;

impl Scorer {
    /// Interruptions of service; none of a load that comes in steps, which is raised until something breaks.
    pub(super) fn disruptions(&mut self) -> Found {
        if self.load().is_some_and(|load| load.stepped) {
            return Found::default();
        }
        for leg in &mut self.legs {
            leg.sort_late();
        }
        let scene = Scene {
            tracks: Leg::BOTH.map(|leg| self.tracks(leg)),
            levels: Leg::BOTH.map(|leg| {
                let to_tester = leg == Leg::Sent || self.same_clock();
                Levels::new(self.legs[leg as usize].transit_minima(), to_tester)
            }),
            depth: self.playout_buffer(),
        };
        find(scene, &self.gaps, |leg, stretch, up| {
            self.is_own(leg, stretch, up)
        })
    }

    fn tracks(&self, leg: Leg) -> BTreeMap<Key, Track<'_>> {
        let last = self.last_second().unwrap_or(0);
        let run_end = RunTime((i64::from(last) + 1) * NS_PER_SECOND);
        let sent: &LegRecord = &self.legs[Leg::Sent as usize];
        let streams = self.legs[leg as usize].records();
        let tracks = streams.filter_map(|((call, party), record)| {
            let end = self.timeline.end_of(call).unwrap_or(run_end);
            // What one party says is played to the other, by the ticks that send it.
            let tick = (leg == Leg::Receive).then(|| {
                let heard_by = sent.due_of((call, party.other()));
                heard_by.or_else(|| sent.due_of((call, party)))
            });
            Some(((call, party), record.track(end, tick.flatten())?))
        });
        tracks.collect()
    }

    /// Whether the tester's own doing explains what so many streams of a leg were silent of: it was late by half as much or
    /// more, as an agent of its own may have been, or its sockets dropped half of what should have come.
    fn is_own(&self, leg: Leg, (from, to): Stretch, streams: usize) -> bool {
        let seconds = from.second()..=to.second();
        let tester = self.end(End::Tester);
        let guest_named = tester
            .opening
            .as_ref()
            .is_some_and(|opening| opening.guest_named);
        let own = if guest_named {
            &[End::Tester][..]
        } else {
            &[End::Tester, End::Guest]
        };
        let stalled = own.iter().any(|end| {
            let mut pacing = self.end(*end).pacing.range(seconds.clone());
            pacing.any(|(_, second)| 2 * second.lateness_max >= to - from)
        });
        let rise = |second| tester.rise(second, |host| host.socket_drops).unwrap_or(0);
        let dropped: u64 = seconds.clone().map(rise).sum();
        let due = u64::try_from((to - from) / PTIME_NS).unwrap_or(0) * streams as u64;
        stalled || leg == Leg::Sent && dropped > 0 && 2 * dropped >= due
    }
}

impl Summary<'_> {
    /// A row each, in order of time.
    pub(super) fn disruption_rows(&self) -> Vec<Disruption> {
        let found = self.found.disruptions.iter();
        found.map(|found| self.disruption_row(found)).collect()
    }

    fn disruption_row(&self, found: &FoundDisruption) -> Disruption {
        let legs = found.legs.each_ref().map(Option::as_ref);
        let ends = legs.iter().flatten().map(|leg| leg.blackout.to);
        let until = found.recovered.or(ends.max()).unwrap_or(found.from);
        let time = (found.from, until);
        let brown = Leg::BOTH.map(|leg| brownout(self.leg(leg), legs[leg as usize], time));
        let lengths = lengths_ms(&brown, time);
        let [receive, sent] = Leg::BOTH.map(|leg| {
            let own = legs[leg as usize]?;
            Some(leg_row(own, found.from, brown[leg as usize]))
        });
        let rows = || receive.iter().chain(&sent);
        let sum = |count: fn(&LegDisruption) -> u64| rows().map(count).sum();
        let worst = rows().max_by(|a, b| a.blackout_ms.total_cmp(&b.blackout_ms));
        let paused = rows().any(|leg| leg.kind == DisruptionKind::Pause);
        let mark = self.scorer.marks.nearest(found.from);
        Disruption {
            at: found.from.as_seconds(),
            kind: match worst {
                Some(worst) if !paused => worst.kind,
                _ => DisruptionKind::Pause,
            },
            blackout_ms: worst.map_or(0.0, |worst| worst.blackout_ms),
            brownout_ms: lengths.map(|lengths| lengths[0]),
            brownout_before_ms: lengths.map(|lengths| lengths[1]),
            brownout_after_ms: lengths.map(|lengths| lengths[2]),
            brownout_pdv_p99_ms: brown
                .iter()
                .flatten()
                .filter_map(|leg| leg.worst)
                .max()
                .map(ms),
            streams_affected: found.streams.0 as u64,
            streams: found.streams.1 as u64,
            calls_affected: found.calls_hit.len() as u64,
            calls: found.calls_up as u64,
            calls_lost: found.calls_lost as u64,
            packets_lost: sum(|leg| leg.packets_lost),
            packets_late: sum(|leg| leg.packets_late),
            packets_not_sent: sum(|leg| leg.packets_not_sent),
            recovered_ms: found.recovered.map(|at| ms(at - found.from)),
            legs: Leg::BOTH
                .into_iter()
                .filter(|leg| legs[*leg as usize].is_some())
                .collect(),
            by_leg: ByLeg { receive, sent },
            clock_step_ms: self.guest_clock_step(time).map(ms),
            mark: mark.map(|(_, label)| label.to_owned()),
            mark_at: mark.map(|(at, _)| at.as_seconds()),
            part: self.scorer.marks.part(found.from),
            phase: self.timeline.phase(found.from.second(), self.full.as_ref()),
            tainted: self.tainted.contains(&found.from.second()),
        }
    }

    /// By how much the offset of the guest's clock after it differs from that before, by the exchanges with the least round
    /// trips, ns.
    fn guest_clock_step(&self, (from, until): (RunTime, RunTime)) -> Option<i64> {
        let nearest = |from: RunTime, to: RunTime| {
            let exchanges = self.scorer.exchanges.iter();
            let near = exchanges.filter(|exchange| from <= exchange.t1 && exchange.t4 <= to);
            near.min_by_key(|exchange| exchange.round_trip_ns())
                .map(Exchange::offset_ns)
        };
        let before = nearest(from + -EXCHANGES_NS, from)?;
        Some(nearest(until, until + EXCHANGES_NS)? - before)
    }

    /// What each looked like.
    pub(super) fn disruption_traces(&self) -> Vec<DisruptionTrace> {
        let found = self.found.disruptions.iter();
        found
            .map(|found| DisruptionTrace {
                from_s: found.traced.0.as_seconds(),
                until_s: found.traced.1.as_seconds(),
                silent: found.legs.each_ref().map(|leg| {
                    let counts = leg.iter().flat_map(|leg| &leg.trace);
                    counts
                        .map(|count| u32::try_from(*count).unwrap_or(u32::MAX))
                        .collect()
                }),
            })
            .collect()
    }

    /// Disruptions, as events.
    pub(super) fn disruption_events(&self) -> impl Iterator<Item = EventRow> + '_ {
        let disruptions = self.disruptions.iter().zip(&self.found.disruptions);
        disruptions.map(|(row, found)| EventRow {
            duration_ms: Some(row.blackout_ms),
            ..self.event(found.from, "disruption", text(row))
        })
    }

    /// What was not listed, and why.
    pub(super) fn disruption_notes(&self) -> impl Iterator<Item = String> {
        let Found { unlisted, own, .. } = &self.found;
        let unlisted = (*unlisted > 0).then(|| format!(
            "{unlisted} more disruptions, with shorter blackouts than those listed, were found and not measured"
        ));
        let times = match own {
            1 => "once".to_owned(),
            own => format!("{own} times"),
        };
        let own = (*own > 0).then(|| format!(
            "most streams were silent {times} because the tester itself stood still or dropped packets: that is no disruption of the guest"
        ));
        let forgotten = self.scorer.gaps.forgotten_below_us().map(|us| format!(
            "there were so many gaps in streams that those shorter than {} ms were not looked at for disruptions",
            us / 1000
        ));
        [unlisted, own, forgotten].into_iter().flatten()
    }
}

fn leg_row(found: &FoundLeg, began: RunTime, brown: Option<Brownout>) -> LegDisruption {
    let (worst, baseline) = figures_ms(brown);
    LegDisruption {
        kind: match found.nature {
            Nature::Loss => DisruptionKind::Loss,
            Nature::Delay => DisruptionKind::Delay,
            Nature::Pause => DisruptionKind::Pause,
        },
        from_s: found.blackout.from.as_seconds(),
        until_s: found.blackout.to.as_seconds(),
        blackout_ms: ms(found.blackout.length()),
        blackouts: found.blackouts as u64,
        stream_blackout_ms: stream_blackouts(found),
        streams_affected: found.blackout.silences.len() as u64,
        streams: found.blackout.up as u64,
        packets_lost: found.counts.lost,
        packets_late: found.counts.late,
        packets_not_sent: found.counts.not_sent,
        recovered_ms: found.recovered.map(|at| ms(at - began)),
        step_ms: found.step.map(ms),
        brownout_pdv_p99_ms: worst,
        baseline_pdv_p99_ms: baseline,
    }
}

fn stream_blackouts(found: &FoundLeg) -> StreamBlackouts {
    let silences = found.blackout.silences.values();
    let mut lengths: Vec<i64> = silences.map(Silence::blackout).collect();
    lengths.sort_unstable();
    StreamBlackouts {
        p50: Percentile::P50.of_sorted(&lengths).map(ms),
        p95: Percentile::P95.of_sorted(&lengths).map(ms),
        max: lengths.last().copied().map(ms),
    }
}

/// `pause: 4 of 4 streams were silent for 700.0 ms on both legs; 0 packets lost, 12 late; recovered after 720.0 ms`.
fn text(row: &Disruption) -> String {
    let legs = match row.legs.as_slice() {
        [leg] => format!("the {}", leg.title()),
        _ => "both legs".to_owned(),
    };
    let recovered = row.recovered_ms.map_or_else(
        || "not recovered".to_owned(),
        |ms| format!("recovered after {ms:.1} ms"),
    );
    let mark = row
        .mark
        .as_ref()
        .map_or_else(String::new, |mark| format!("; mark: {mark}"));
    format!(
        "{}: {} of {} streams were silent for {:.1} ms on {legs}; {} packets lost, {} late; {recovered}{mark}",
        row.kind.name(),
        row.streams_affected,
        row.streams,
        row.blackout_ms,
        row.packets_lost,
        row.packets_late,
    )
}
