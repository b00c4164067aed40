//! A run whose truth is known: slots are laid down by hand, the facts that two faultless ends would
//! write of them are derived here.

use crate::judgement::{Judgement, published_250_calls};
use crate::measured::Measured;
use crate::scorer::score;
use milliwatt_wire::clock::SleepMode;
use milliwatt_wire::facts::{
    DeadCause, Fact, HostSecond, LATE_LISTED_NS, LatePacket, Ledger, PacingSecond, Phase, Right,
    Scale, SentSecond, StreamEnd, StreamSecond, Timers,
};
use milliwatt_wire::id::{CallId, End, Lane, Leg, Party, StreamId};
use milliwatt_wire::load::{
    Audio, Codec, Fill, Hold, LoadSpec, PTIME_NS, RecordingSpec, Role, TransferSpec,
};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Calls of every run here, each with two parties: four streams a leg.
pub(super) const CALLS: u32 = 2;
/// Transit of a packet that nothing happened to, ns.
pub(super) const TRANSIT: i64 = 1_000_000;

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Arrived, after this transit in ns.
    Arrives(i64),
    /// Sent, never arrived.
    Lost,
    /// Not sent.
    NotSent,
}

/// The tester's facts before the guest's.
pub(super) const ENDS: [End; 2] = [End::Tester, End::Guest];

/// Scores what `tell` tells, judged by its own facts or by another judgement.
pub(super) fn judge(
    judgement: Option<Judgement>,
    tell: impl Fn(&mut dyn FnMut(End, &Fact)),
) -> Measured {
    let Ok(measured) = score(judgement, |take| {
        tell(take);
        Ok::<_, Infallible>(())
    });
    measured
}

/// A run: full load from second 1 to its last but one.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    pub seconds: u32,
    pub slots: BTreeMap<StreamId, Vec<Slot>>,
    pub judgement: Judgement,
    pub same_clock: bool,
    pub guest_named: bool,
    /// Ends that did not finish in order.
    pub killed: Option<End>,
    /// The end whose system does not stamp arrivals.
    pub unstamped: Option<End>,
    /// Facts that are none of the streams'.
    pub tester: Vec<Fact>,
    pub guest: Vec<Fact>,
}

pub(super) fn stream(call: u32, party: Party, leg: Leg) -> StreamId {
    StreamId {
        call: CallId(call),
        party,
        leg,
    }
}

/// The stream that most tests spoil.
pub(super) fn first(leg: Leg) -> StreamId {
    stream(0, Party::A, leg)
}

impl Truth {
    /// Nothing happens to any packet.
    pub(super) fn clean(seconds: u32) -> Self {
        let ids = (0..CALLS)
            .flat_map(|call| Leg::BOTH.map(|leg| Party::BOTH.map(|party| stream(call, party, leg))))
            .flatten();
        let slots = vec![Slot::Arrives(TRANSIT); 50 * seconds as usize];
        Self {
            seconds,
            slots: ids.map(|id| (id, slots.clone())).collect(),
            judgement: Judgement {
                document: published_250_calls(),
                ..Judgement::default()
            },
            same_clock: true,
            guest_named: true,
            killed: None,
            unstamped: None,
            tester: Vec::new(),
            guest: Vec::new(),
        }
    }

    /// Changes some slots of one stream.
    pub(super) fn set(
        &mut self,
        id: StreamId,
        slots: std::ops::Range<usize>,
        to: Slot,
    ) -> &mut Self {
        self.slots.get_mut(&id).unwrap()[slots].fill(to);
        self
    }

    /// The guest's playout of the first stream to it misses three slots from each of these on.
    pub(super) fn miss_playout(&mut self, from: &[u32]) -> &mut Self {
        let missed = |first_slot: &u32| Fact::DeadSlots {
            stream: first(Leg::Receive),
            cause: DeadCause::GuestPlayout,
            first_slot: *first_slot,
            slots: 3,
        };
        self.guest.extend(from.iter().map(missed));
        self
    }

    /// Changes every slot of every stream of a leg: `change` gets the slot's number.
    pub(super) fn each_transit(&mut self, leg: Leg, change: impl Fn(usize) -> i64) -> &mut Self {
        for (_, slots) in self.slots.iter_mut().filter(|(id, _)| id.leg == leg) {
            for (number, slot) in slots.iter_mut().enumerate() {
                *slot = Slot::Arrives(change(number));
            }
        }
        self
    }

    /// An end keeps bad time in a second: one slot or tick not run.
    pub(super) fn stall(&mut self, end: End, second: u32) -> &mut Self {
        let stalled = PacingSecond {
            second,
            not_sent: 1,
            lateness_max: 30_000_000,
            ..PacingSecond::default()
        };
        self.own(end).push(Fact::Pacing(stalled));
        self
    }

    pub(super) fn own(&mut self, end: End) -> &mut Vec<Fact> {
        match end {
            End::Tester => &mut self.tester,
            End::Guest => &mut self.guest,
        }
    }

    /// All facts of an end.
    pub(super) fn facts(&self, end: End) -> Vec<Fact> {
        let mut facts = vec![self.opened(end)];
        if end == End::Tester {
            facts.extend(self.timeline());
        }
        facts.extend((0..self.seconds).flat_map(|second| self.own_second(end, second)));
        for (id, slots) in &self.slots {
            if id.leg == end.sends() {
                facts.extend(sender_facts(*id, slots));
            } else {
                facts.extend(receiver_facts(*id, slots, self.killed == Some(end)));
            }
        }
        facts.extend(if end == End::Tester {
            self.tester.clone()
        } else {
            self.guest.clone()
        });
        if self.killed != Some(end) {
            facts.push(Fact::Closed {
                at: RunTime(i64::from(self.seconds) * NS_PER_SECOND),
            });
        }
        facts
    }

    /// Hands all facts to `take`, in an order of ends.
    pub(super) fn tell(&self, ends: [End; 2], take: &mut dyn FnMut(End, &Fact)) {
        for end in ends {
            for fact in self.facts(end) {
                take(end, &fact);
            }
        }
    }

    pub(super) fn measure(&self) -> Measured {
        judge(None, |take| self.tell(ENDS, take))
    }

    fn opened(&self, end: End) -> Fact {
        Fact::Opened {
            end,
            run: 1,
            load: Box::new(load()),
            same_clock: self.same_clock,
            wall_at_zero: 0,
            timers: Timers {
                mode: SleepMode::Sleep,
                threads: 1,
                rights: vec![Right {
                    name: "SCHED_FIFO".into(),
                    granted: Ok(()),
                }],
            },
            kernel_timestamps: self.unstamped != Some(end),
            guest_named: self.guest_named,
            judgement: serde_json::to_string(&self.judgement).unwrap(),
        }
    }

    fn timeline(&self) -> Vec<Fact> {
        let drain = RunTime(i64::from(self.seconds - 1) * NS_PER_SECOND);
        let mut facts = vec![
            Fact::Phase {
                phase: Phase::Ramp,
                at: RunTime::ZERO,
            },
            Fact::Phase {
                phase: Phase::Full,
                at: RunTime(NS_PER_SECOND),
            },
            Fact::Phase {
                phase: Phase::Drain,
                at: drain,
            },
        ];
        for call in (0..CALLS).map(CallId) {
            facts.push(Fact::CallStarted {
                call,
                lane: Lane(call.0),
                at: RunTime::ZERO,
            });
            facts.push(Fact::CallEnded {
                call,
                at: drain,
                cut: true,
            });
        }
        facts
    }

    fn own_second(&self, end: End, second: u32) -> [Fact; 3] {
        let sent = self
            .slots
            .iter()
            .filter(|(id, _)| id.leg == end.sends())
            .flat_map(|(_, slots)| {
                slots[50 * second as usize..50 * (second as usize + 1)]
                    .iter()
                    .filter(|slot| **slot != Slot::NotSent)
            });
        let rtp_packets = u32::try_from(sent.count()).unwrap();
        let pacing = PacingSecond {
            second,
            planned: 200,
            sent: 200,
            not_sent: 0,
            lateness: vec![(Scale::LEG.bucket(100_000), 200)],
            lateness_max: 100_000,
        };
        let rtp_octets = u64::from(rtp_packets) * 214;
        [
            Fact::Pacing(pacing),
            Fact::Sent(SentSecond {
                second,
                rtp_packets,
                rtp_octets,
                nic_octets: Some(rtp_octets),
                ..SentSecond::default()
            }),
            Fact::Host(HostSecond {
                running_percent: Some(20.0),
                runnable_percent: Some(0.0),
                second,
                cpu_percent: Some(25.0),
                ..HostSecond::default()
            }),
        ]
    }
}

pub(super) fn load() -> LoadSpec {
    LoadSpec {
        seed: 1,
        role: Role::MediaServer,
        concurrent: CALLS,
        total: None,
        arrival_interval: 20_000_000,
        hold: Hold::Fixed(180 * NS_PER_SECOND),
        steady_start: true,
        legs: 2,
        full_for: None,
        codec: Codec::Pcmu,
        srtp: false,
        dscp: 46,
        transfer_dscp: 0,
        playout_buffer: 60_000_000,
        dead_air_min: 60_000_000,
        slot_width: 500_000,
        onward_offset: 2_000_000,
        recording: RecordingSpec {
            share: 1.0,
            rate_bits_per_second: 8533,
            stereo: true,
        },
        transfer: TransferSpec {
            parallel: 4,
            ..TransferSpec::default()
        },
        known_silences: Vec::new(),
        audio: Audio::Tone,
        fill: Fill::Silence,
        rated_fill: Fill::G711AppendixI,
        stepped: false,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap()
}

/// Runs of one kind of slot: (first, how many).
fn runs(slots: &[Slot], kind: Slot) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for (slot, _) in slots.iter().enumerate().filter(|(_, slot)| **slot == kind) {
        match runs.last_mut() {
            Some((first, length)) if *first + *length == number(slot) => *length += 1,
            _ => runs.push((number(slot), 1)),
        }
    }
    runs
}

fn sender_facts(stream: StreamId, slots: &[Slot]) -> Vec<Fact> {
    let not_sent = runs(slots, Slot::NotSent);
    let unsent = not_sent.iter().map(|(_, n)| n).sum();
    let mut facts = vec![Fact::StreamStarted {
        stream,
        due: RunTime::ZERO,
        ssrc: 7,
    }];
    facts.extend(not_sent.iter().map(|(first_slot, slots)| Fact::NotSent {
        stream,
        first_slot: *first_slot,
        slots: *slots,
    }));
    facts.push(Fact::Ledger(Ledger {
        stream,
        sent: number(slots.len()) - unsent,
        not_sent: unsent,
        refused: 0,
    }));
    facts
}

fn receiver_facts(stream: StreamId, slots: &[Slot], killed: bool) -> Vec<Fact> {
    let arrived: Vec<(usize, i64)> = slots
        .iter()
        .enumerate()
        .filter_map(|(n, slot)| {
            if let Slot::Arrives(t) = slot {
                Some((n, *t))
            } else {
                None
            }
        })
        .collect();
    let mut facts: Vec<Fact> = stream_seconds(stream, &arrived);
    if let (Some((first, _)), Some((last, _))) = (arrived.first(), arrived.last()) {
        for (cause, kind) in [
            (DeadCause::Lost, Slot::Lost),
            (DeadCause::NotSent, Slot::NotSent),
        ] {
            let inside = runs(&slots[*first..*last], kind).into_iter();
            facts.extend(inside.map(|(slot, slots)| Fact::DeadSlots {
                stream,
                cause,
                first_slot: slot + number(*first),
                slots,
            }));
        }
    }
    let reference = arrived.iter().map(|(_, t)| *t).min().unwrap_or(0);
    let late = arrived
        .iter()
        .filter(|(_, t)| t - reference > LATE_LISTED_NS);
    let packets = late
        .map(|(n, t)| LatePacket {
            slot: number(*n),
            above_us: u32::try_from((t - reference) / 1000).unwrap(),
        })
        .collect();
    facts.push(Fact::LatePackets { stream, packets });
    if !killed {
        facts.push(Fact::StreamEnd(stream_end(
            stream, slots, &arrived, reference,
        )));
    }
    facts
}

fn stream_seconds(stream: StreamId, arrived: &[(usize, i64)]) -> Vec<Fact> {
    let mut seconds: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (slot, transit) in arrived {
        let at = RunTime(i64::from(number(*slot)) * PTIME_NS + transit);
        seconds.entry(at.second()).or_default().push(*transit);
    }
    let reference = arrived.iter().map(|(_, t)| *t).min().unwrap_or(0);
    seconds
        .into_iter()
        .map(|(second, transits)| {
            let least = *transits.iter().min().unwrap();
            let mut pdv: BTreeMap<u8, u16> = BTreeMap::new();
            for transit in &transits {
                *pdv.entry(Scale::STREAM.bucket(transit - least))
                    .or_default() += 1;
            }
            Fact::StreamSecond(StreamSecond {
                stream,
                second,
                packets: number(transits.len()),
                duplicates: 0,
                reordered: 0,
                discarded: number(
                    transits
                        .iter()
                        .filter(|t| **t - reference > load().playout_buffer)
                        .count(),
                ),
                transit_min: least,
                transit_max: *transits.iter().max().unwrap(),
                interarrival_jitter_sum: 50_000 * i64::try_from(transits.len()).unwrap(),
                interarrival_jitter_count: number(transits.len()),
                interarrival_jitter_max: 80_000,
                pdv: pdv.into_iter().collect(),
            })
        })
        .collect()
}

fn stream_end(
    stream: StreamId,
    slots: &[Slot],
    arrived: &[(usize, i64)],
    reference: i64,
) -> StreamEnd {
    let index = |slot: usize| {
        number(
            slots[..slot]
                .iter()
                .filter(|slot| **slot != Slot::NotSent)
                .count(),
        )
    };
    let (first, last) = (
        arrived.first().map(|(n, _)| *n),
        arrived.last().map(|(n, _)| *n),
    );
    let inside = first.zip(last).map_or(0, |(first, last)| {
        slots[first..last]
            .iter()
            .filter(|s| **s == Slot::Lost)
            .count()
    });
    StreamEnd {
        stream,
        received: number(arrived.len()),
        duplicates: 0,
        reordered: 0,
        discarded: number(
            arrived
                .iter()
                .filter(|(_, t)| t - reference > load().playout_buffer)
                .count(),
        ),
        lost_inside: number(inside),
        first_index: first.map(index),
        last_index: last.map(index),
        first_slot: first.map(number),
        last_slot: last.map(number),
        dscp: Some(46),
    }
}
