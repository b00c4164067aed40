//! One channel of a recording: every detector over the same frames.

use super::clipping::ClippingTracker;
use super::dropout::DropoutTracker;
use super::encoding::Format;
use super::frame::{Frame, Framer, Limits};
use super::level::{LevelMeter, Levels};
use super::reference::Reference;
use super::silence::SilenceTracker;
use super::tone::{Oscillator, Splice, ToneTracker};
use super::{Counts, Event, EventKind, Rules, to_ms, to_samples};
use std::ops::Range;
use std::sync::Arc;

/// Events of a kind and channel that are listed; more are counted.
const LISTED: u64 = 1000;
/// Clipping this close together is one event, ms.
const CLIPPING_REACH_MS: f64 = 100.0;
/// A channel holds another's tone when this share of its sound is that.
const CROSSED_SHARE: f64 = 0.5;

/// What was found in one channel.
#[derive(Debug)]
pub(super) struct FoundInChannel {
    /// By time.
    pub(super) events: Vec<Event>,
    /// All events, listed or not.
    pub(super) counts: Counts,
    pub(super) levels: Option<Levels>,
    /// Behind its reference, where there is one.
    pub(super) delay_ms: Option<f64>,
}

/// Looks at one channel as its samples come.
#[derive(Debug)]
pub(super) struct ChannelScorer {
    channel: u8,
    framer: Framer,
    detectors: Detectors,
}

impl ChannelScorer {
    /// `tones` are those that the channels hold, one each in turns.
    pub(super) fn new(
        channel: u8,
        format: &Format,
        (rules, tones): (&Rules, &[Arc<Oscillator>]),
        has_reference: bool,
    ) -> Self {
        let limits = Limits::new(
            format.sample_rate,
            rules.silence.level_dbov,
            format.encoding.idle(),
        );
        Self {
            channel,
            framer: Framer::new(limits),
            detectors: Detectors {
                quiet: has_reference.then(Quiet::default),
                ..Detectors::new(channel, format, (rules, tones), limits)
            },
        }
    }

    /// Takes the channel's part of interleaved samples.
    pub(super) fn handle(&mut self, interleaved: &[i16], channels: usize) {
        let held = self.framer.samples();
        if channels == 1 {
            held.extend_from_slice(interleaved);
        } else {
            let own = interleaved.iter().skip(self.channel.into());
            held.extend(own.step_by(channels));
        }
        self.framer.advance(|frame| self.detectors.handle(frame));
    }

    /// The channel is over.
    pub(super) fn finish(mut self, reference: Option<&Reference>) -> FoundInChannel {
        self.framer.finish(|frame| self.detectors.handle(frame));
        self.detectors.finish(self.framer.total(), reference)
    }
}

/// What a frame is shown to.
#[derive(Debug)]
struct Detectors {
    silence: SilenceTracker,
    dropout: DropoutTracker,
    clipping: ClippingTracker,
    levels: Option<LevelMeter>,
    /// The tone that the channel should hold, then those it should not.
    tones: Vec<ToneTracker>,
    /// Held until the channel is laid beside its reference, where there is one.
    quiet: Option<Quiet>,
    found: FoundList,
}

/// Silent runs of any length, and dropouts.
#[derive(Debug, Default)]
struct Quiet {
    silences: Vec<Range<u64>>,
    dropouts: Vec<Range<u64>>,
}

impl Detectors {
    fn new(
        channel: u8,
        format: &Format,
        (rules, tones): (&Rules, &[Arc<Oscillator>]),
        limits: Limits,
    ) -> Self {
        let rate = format.sample_rate;
        let found = FoundList::new(channel, rate, rules);
        let reach = to_samples(CLIPPING_REACH_MS, rate);
        let dropout = to_samples(rules.dropout_ms, rate);
        let tones = own_first(tones, channel.into());
        Self {
            silence: SilenceTracker::new(limits, found.guard),
            dropout: DropoutTracker::new(limits, dropout, found.least),
            clipping: ClippingTracker::new(format.encoding.overload(), reach),
            levels: rules.levels.then(|| LevelMeter::new(rate)),
            tones: tones
                .map(|tone| ToneTracker::new(tone, limits.frame))
                .collect(),
            quiet: None,
            found,
        }
    }

    fn handle(&mut self, frame: &Frame<'_>) {
        let found = &mut self.found;
        let silence = self.silence.handle(frame);
        match &mut self.quiet {
            None => {
                found.add_all(EventKind::Silence, silence);
                self.dropout
                    .handle(frame, |run| found.add(EventKind::Dropout, run, None));
            }
            Some(quiet) => {
                quiet.silences.extend(silence);
                self.dropout.handle(frame, |run| quiet.dropouts.push(run));
            }
        }
        found.add_all(EventKind::Clipping, self.clipping.handle(frame));
        if let Some(levels) = &mut self.levels {
            levels.handle(frame);
        }
        for (index, tone) in self.tones.iter_mut().enumerate() {
            found.add_splice(index, tone.handle(frame));
        }
    }

    fn finish(mut self, total: u64, reference: Option<&Reference>) -> FoundInChannel {
        let mut found = self.found;
        let last = self.silence.finish(total);
        let laid = if let (Some(mut quiet), Some(reference)) = (self.quiet, reference) {
            quiet.silences.extend(last);
            quiet.beside(reference, &mut found, total)
        } else {
            found.add_all(EventKind::Silence, last);
            None
        };
        found.add_all(EventKind::Clipping, self.clipping.finish(total));
        for (index, tone) in self.tones.iter_mut().enumerate() {
            found.add_splice(index, tone.finish());
        }
        let heard = found.guard..total.saturating_sub(found.guard);
        let should_sound = laid.is_none_or(|(_, _, sounds)| sounds);
        if !heard.is_empty() && should_sound && !self.silence.has_sound(heard.end) {
            found.add(EventKind::OneWay, 0..total, None);
        }
        if laid.is_some_and(|(_, is_crossed, _)| is_crossed) || is_crossed(&self.tones) {
            found.add(EventKind::Crossed, 0..total, None);
        }
        let delay_ms = laid.map(|(delay_ms, ..)| delay_ms);
        FoundInChannel {
            delay_ms,
            ..found.finish(&heard, self.levels.map(LevelMeter::finish))
        }
    }
}

impl Quiet {
    /// Adds what the reference does not explain. Gives how much later than expected the channel is heard, ms, and
    /// whether it holds another's audio: then nothing is compared with its own; and whether it should hold any.
    fn beside(
        &self,
        reference: &Reference,
        found: &mut FoundList,
        total: u64,
    ) -> Option<(f64, bool, bool)> {
        let laid = reference.lay(found.channel, &self.silences, total)?;
        for run in self.silences.iter().filter(|_| !laid.is_crossed) {
            for part in laid.unexplained(run, found.least) {
                found.add(EventKind::Silence, part, None);
            }
        }
        let dropouts = self.dropouts.iter().filter(|_| !laid.is_crossed);
        for run in dropouts.filter(|run| !laid.is_quiet_near(run)) {
            found.add(EventKind::Dropout, run.clone(), None);
        }
        let delay_ms = signed_ms(laid.delay, found.sample_rate);
        let heard = found.guard..total.saturating_sub(found.guard);
        Some((delay_ms, laid.is_crossed, laid.sounds_in(&heard)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a delay in samples below 2^53")]
fn signed_ms(samples: i64, sample_rate: u32) -> f64 {
    samples as f64 * 1000.0 / f64::from(sample_rate)
}

/// The tone of a channel, then the others.
fn own_first(tones: &[Arc<Oscillator>], channel: usize) -> impl Iterator<Item = Arc<Oscillator>> {
    let own = channel % tones.len().max(1);
    let others = (0..tones.len()).filter(move |tone| *tone != own);
    let order = (0..tones.len())
        .filter(move |tone| *tone == own)
        .chain(others);
    order.map(|tone| Arc::clone(&tones[tone]))
}

/// Whether most of what sounds in a channel is another's tone.
#[expect(clippy::cast_precision_loss, reason = "counts of frames")]
fn is_crossed(tones: &[ToneTracker]) -> bool {
    tones.iter().skip(1).any(|tone| {
        let [sound, tone] = tone.frames();
        sound > 0 && tone as f64 >= sound as f64 * CROSSED_SHARE
    })
}

/// An event in samples.
#[derive(Debug)]
struct Found {
    kind: EventKind,
    run: Range<u64>,
    missing: Option<i64>,
}

/// The events of a channel, until it is known where its tail's guard begins.
#[derive(Debug)]
struct FoundList {
    channel: u8,
    sample_rate: u32,
    guard: u64,
    /// Of a silence.
    least: u64,
    list: Vec<Found>,
    /// Of those past the list's end, what may still lie in the tail's guard.
    unlisted: Vec<Found>,
    counts: Counts,
}

impl FoundList {
    fn new(channel: u8, sample_rate: u32, rules: &Rules) -> Self {
        Self {
            channel,
            sample_rate,
            guard: to_samples(rules.silence.guard_ms, sample_rate),
            least: to_samples(rules.silence.least_ms, sample_rate),
            list: Vec::new(),
            unlisted: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn add_all(&mut self, kind: EventKind, runs: Option<Range<u64>>) {
        if let Some(run) = runs {
            self.add(kind, run, None);
        }
    }

    /// Only the channel's own tone, its first, should go on without a break.
    fn add_splice(&mut self, tone: usize, splice: Option<Splice>) {
        if let (0, Some(splice)) = (tone, splice) {
            self.add(EventKind::Splice, splice.place(), splice.missing);
        }
    }

    fn add(&mut self, kind: EventKind, run: Range<u64>, missing: Option<i64>) {
        if self.cut(kind, &run, &(self.guard..u64::MAX)).is_none() {
            return;
        }
        self.counts.add(kind);
        let found = Found { kind, run, missing };
        if self.counts.of(kind) <= LISTED {
            self.list.push(found);
        } else if kind.is_guarded() {
            let (guard, now) = (self.guard, found.run.start);
            self.unlisted.retain(|before| before.run.end + guard > now);
            self.unlisted.push(found);
        }
    }

    /// What counts of an event between the guards; none when too little is left of it.
    fn cut(&self, kind: EventKind, run: &Range<u64>, heard: &Range<u64>) -> Option<Range<u64>> {
        if !kind.is_guarded() {
            return Some(run.clone());
        }
        let cut = run.start.max(heard.start)..run.end.min(heard.end);
        let least = if kind == EventKind::Silence {
            self.least.max(1)
        } else {
            1
        };
        (cut.end.saturating_sub(cut.start) >= least).then_some(cut)
    }

    fn finish(mut self, heard: &Range<u64>, levels: Option<Levels>) -> FoundInChannel {
        let mut events = Vec::with_capacity(self.list.len());
        for found in std::mem::take(&mut self.list) {
            match self.cut(found.kind, &found.run, heard) {
                Some(run) => events.push(self.event(&found, &run)),
                None => self.counts.take_back(found.kind),
            }
        }
        for found in &self.unlisted {
            if self.cut(found.kind, &found.run, heard).is_none() {
                self.counts.take_back(found.kind);
            }
        }
        events.sort_by(|a: &Event, b| a.start_ms.total_cmp(&b.start_ms));
        FoundInChannel {
            events,
            counts: self.counts,
            levels,
            delay_ms: None,
        }
    }

    fn event(&self, found: &Found, run: &Range<u64>) -> Event {
        Event {
            kind: found.kind,
            channel: self.channel,
            start_ms: to_ms(run.start, self.sample_rate),
            length_ms: to_ms(run.end - run.start, self.sample_rate),
            missing_samples: found.missing,
        }
    }
}
