//! One stream: what both ends said of it, and what follows.

use super::dead_air::{DeadRun, DeadSlots};
use super::end::{float, ms, ratio};
use super::patterns::{Impairments, Patterns};
use super::spread::StreamSpread;
use crate::disruption::{Heard, Runs, Track};
use crate::emodel::{self, Equipment};
use crate::measured::StreamRow;
use milliwatt_wire::facts::{DeadCause, LatePacket, Ledger, StreamEnd, StreamSecond};
use milliwatt_wire::id::StreamId;
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// Facts about one stream, without its seconds: a run holds millions of those.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamRecord {
    pub due: Option<RunTime>,
    pub ssrc: Option<u32>,
    pub ledger: Option<Ledger>,
    /// Packets that did not authenticate.
    pub unauthentic: u64,
    end: Option<StreamEnd>,
    received: u64,
    duplicates: u64,
    reordered: u64,
    discarded: u64,
    /// The first second with packets.
    first_second: Option<u32>,
    /// Least transit of all, ns, skew included.
    pub transit_min: Option<i64>,
    dead: Vec<(DeadCause, u32, u32)>,
    late: Vec<LatePacket>,
    /// Slots of the packets after which its playout was anchored anew.
    anchored_anew: Vec<u32>,
}

/// By what a stream is judged.
#[derive(Clone, Debug)]
pub(super) struct StreamRule {
    pub playout_buffer: i64,
    pub dead_air_min: i64,
    /// What the quality at the phone is estimated for.
    pub equipment: Option<Equipment>,
    /// The receiving end finished in order: a stream it never mentions did not arrive.
    pub receiver_closed: bool,
}

/// How many packets a stream had, and where the losses lie that no receiver could see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    expected: u64,
    received: u64,
    head: u32,
    tail: u32,
    by_ledger: bool,
}

/// What a stream came to.
#[derive(Clone, Debug)]
pub(super) struct StreamSummary {
    pub row: StreamRow,
    pub patterns: Patterns,
    pub by_ledger: bool,
    /// Packets that did not authenticate.
    pub unauthentic: u64,
    /// How often its playout was anchored anew.
    pub anchored_anew: u64,
    pub dscp: Option<u8>,
    /// When slot 0 was due.
    pub due: RunTime,
    pub events: Vec<DeadRun>,
    pub lost_slots: Vec<u32>,
    pub not_sent_slots: Vec<u32>,
    /// Mean of J over full load, ns.
    pub interarrival_jitter_mean: Option<f64>,
    /// Largest J over full load, ns.
    pub interarrival_jitter_max: Option<i64>,
}

impl StreamSummary {
    /// When a slot was due.
    pub(super) fn time_of(&self, slot: u32) -> RunTime {
        self.due + i64::from(slot) * PTIME_NS
    }
}

impl StreamRecord {
    /// Takes a second.
    pub(super) fn absorb_second(&mut self, fact: &StreamSecond) {
        self.received += u64::from(fact.packets);
        self.duplicates += u64::from(fact.duplicates);
        self.reordered += u64::from(fact.reordered);
        self.discarded += u64::from(fact.discarded);
        if fact.packets > 0 {
            self.first_second.get_or_insert(fact.second);
            self.transit_min = Some(lesser(self.transit_min, fact.transit_min));
        }
    }

    /// The receiver's last word.
    pub(super) fn absorb_end(&mut self, end: StreamEnd) {
        self.end = Some(end);
    }

    pub(super) fn absorb_dead(&mut self, cause: DeadCause, first_slot: u32, slots: u32) {
        self.dead.push((cause, first_slot, slots));
    }

    pub(super) fn absorb_late(&mut self, packets: &[LatePacket]) {
        self.late.extend(packets);
    }

    pub(super) fn absorb_anchor(&mut self, slot: u32) {
        self.anchored_anew.push(slot);
    }

    /// How often its playout was anchored anew.
    pub(super) fn anchored_anew(&self) -> u64 {
        self.anchored_anew.len() as u64
    }

    pub(super) fn sort_late(&mut self) {
        self.late.sort_unstable_by_key(|late| late.slot);
        self.anchored_anew.sort_unstable();
    }

    /// What disruptions are looked for in; none of a stream whose begin was not told. `end` is that of its call, `tick` a due
    /// time of the guest's playout of it.
    pub(super) fn track(&self, end: RunTime, tick: Option<RunTime>) -> Option<Track<'_>> {
        let runs = |cause| Runs::of(&self.dead, cause);
        let heard = self
            .end
            .map(|end| end.last_slot.map_or(Heard::Nothing, Heard::Until));
        let seen = self
            .end
            .and_then(|end| end.last_index)
            .map_or(0, |last| last + 1);
        let told = self.ledger.filter(|_| self.end.is_some());
        Some(Track {
            due: self.due?,
            end,
            heard: heard.unwrap_or(Heard::Unknown),
            tail_lost: told.map_or(0, |ledger| ledger.sent.saturating_sub(seen)),
            lost: runs(DeadCause::Lost),
            unsent: runs(DeadCause::NotSent),
            unplayed: runs(DeadCause::GuestPlayout),
            late: &self.late,
            anchored_anew: &self.anchored_anew,
            tick,
        })
    }

    /// What the stream came to.
    pub(super) fn summarise(
        &self,
        id: StreamId,
        rule: &StreamRule,
        spread: &StreamSpread,
    ) -> StreamSummary {
        let counts = self.counts(rule.receiver_closed);
        let in_any_buffer = self.dead_in_any_buffer(&counts);
        let dead = self.dead_slots(&in_any_buffer, rule.playout_buffer);
        let events: Vec<DeadRun> = dead
            .all_runs()
            .into_iter()
            .filter(|run| run.length() >= rule.dead_air_min)
            .collect();
        let not_sent_slots: Vec<u32> = dead.of(DeadCause::NotSent).collect();
        let slots_not_sent = not_sent_slots.len() as u64;
        let (jitter_mean, jitter_max) = spread.interarrival_jitter();
        StreamSummary {
            row: StreamRow {
                stream: id,
                ssrc: self.ssrc,
                start_s: self.due.map(RunTime::as_seconds),
                expected: counts.expected,
                received: counts.received,
                lost: counts.expected.saturating_sub(counts.received),
                discarded: self.end.map_or(self.discarded, |end| end.discarded.into()),
                not_sent: self
                    .ledger
                    .map_or(slots_not_sent, |ledger| ledger.not_sent.into()),
                duplicated: self
                    .end
                    .map_or(self.duplicates, |end| end.duplicates.into()),
                reordered: self.end.map_or(self.reordered, |end| end.reordered.into()),
                interarrival_jitter_mean_ms: jitter_mean.map(|ns| ns / 1e6),
                interarrival_jitter_max_ms: jitter_max.map(ms),
                pdv_max_ms: spread.pdv_max.map(ms),
                dead_air_events: events.len() as u64,
                dead_air_longest_ms: events.iter().map(DeadRun::length).max().map(ms),
                mos_lq: mos_lq(
                    &counts,
                    self.end.map_or(self.discarded, |end| end.discarded.into()),
                    &dead,
                    rule.equipment,
                ),
            },
            patterns: Patterns::of(&Impairments {
                dead: &in_any_buffer,
                late: &self.late,
                expected: counts.expected,
                playout_buffer: rule.playout_buffer,
                dead_air_min: rule.dead_air_min,
            }),
            by_ledger: counts.by_ledger,
            unauthentic: self.unauthentic,
            anchored_anew: self.anchored_anew(),
            dscp: self.end.and_then(|end| end.dscp),
            due: self.due.unwrap_or_else(|| self.first_heard()),
            events,
            lost_slots: dead.of(DeadCause::Lost).collect(),
            not_sent_slots,
            interarrival_jitter_mean: jitter_mean,
            interarrival_jitter_max: jitter_max,
        }
    }

    /// When slot 0 was due of a stream whose sender's word never came: as long before the first second with packets as
    /// the slots last that came before its first.
    fn first_heard(&self) -> RunTime {
        let heard = self.first_second.map_or(0, i64::from) * NS_PER_SECOND;
        let before = self.end.and_then(|end| end.first_slot).map_or(0, i64::from) * PTIME_NS;
        RunTime((heard - before).max(0))
    }

    /// The sender's ledger says what to expect; without one the sequence numbers do, and a stream
    /// whose receiver was cut off counts what it is known to have seen.
    fn counts(&self, receiver_closed: bool) -> Counts {
        let inside: u64 = self
            .dead
            .iter()
            .filter(|(cause, ..)| *cause == DeadCause::Lost)
            .map(|(.., n)| u64::from(*n))
            .sum();
        let by_ledger = self.ledger.is_some();
        match (self.ledger.map(|ledger| ledger.sent), self.end) {
            (sent, Some(end)) => {
                let seen = end.last_index.map_or(0, |last| last + 1);
                let sent = sent.unwrap_or(seen).max(seen);
                let head = end.first_index.unwrap_or(sent);
                let tail = if end.first_index.is_some() {
                    sent - seen
                } else {
                    0
                };
                Counts {
                    expected: sent.into(),
                    received: end.received.into(),
                    head,
                    tail,
                    by_ledger,
                }
            }
            (Some(sent), None) if receiver_closed && self.received == 0 => Counts {
                expected: sent.into(),
                received: 0,
                head: sent,
                tail: 0,
                by_ledger,
            },
            (_, None) => Counts {
                expected: self.received + inside,
                received: self.received,
                head: 0,
                tail: 0,
                by_ledger: false,
            },
        }
    }

    /// All but what is late at playout.
    fn dead_in_any_buffer(&self, counts: &Counts) -> DeadSlots {
        let mut dead = DeadSlots::default();
        for (cause, first_slot, slots) in &self.dead {
            dead.mark(*first_slot, *slots, *cause);
        }
        dead.mark_lost_packets(0, counts.head);
        let tail_from = self
            .end
            .and_then(|end| end.last_slot)
            .map_or(0, |slot| slot + 1);
        dead.mark_lost_packets(tail_from, counts.tail);
        dead
    }

    fn dead_slots(&self, dead: &DeadSlots, playout_buffer: i64) -> DeadSlots {
        let mut dead = dead.clone();
        for packet in self
            .late
            .iter()
            .filter(|packet| i64::from(packet.above_us) * 1000 > playout_buffer)
        {
            dead.mark(packet.slot, 1, DeadCause::Late);
        }
        dead
    }
}

/// The lesser of what was there and one more.
pub(super) fn lesser(held: Option<i64>, more: i64) -> i64 {
    held.map_or(more, |least| least.min(more))
}

/// MOS-LQ of a stream's life: what was lost and what came too late, with its burstiness.
fn mos_lq(
    counts: &Counts,
    discarded: u64,
    dead: &DeadSlots,
    equipment: Option<Equipment>,
) -> Option<f64> {
    let impaired = counts.expected.saturating_sub(counts.received) + discarded;
    let ppl_percent = ratio(100.0 * float(impaired), float(counts.expected))?.min(100.0);
    let runs = dead.runs(&[DeadCause::Lost, DeadCause::Late]);
    let in_runs = runs.iter().map(|run| u64::from(run.slots)).sum();
    let burst_ratio = emodel::burst_ratio(in_runs, runs.len() as u64, counts.expected);
    Some(emodel::mos_lq_of(equipment?, ppl_percent, burst_ratio))
}
