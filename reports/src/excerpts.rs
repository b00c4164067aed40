//! The silences of a run that tell most, to be seen and heard: the recording from a second before to a second after, as a
//! picture and as a clip. Whoever calls reads the recordings; nothing here touches the disk.

mod choice;
mod clip;
mod span;
mod stretch;

pub use span::{MOST_SILENCE_S, Span};
pub use stretch::{MOST_CHANNELS, MOST_SAMPLE_RATE, NoAudio, Stretch};

use crate::plots::{self, COLUMNS, Channel, Plot, PlotError, Waveform};
use crate::{figures, incidents};
use milliwatt_scoring::measured::{EventRow, Measured, RecordingLayout, SilenceOrigin};
use milliwatt_wire::facts::DeadCause;
use milliwatt_wire::id::{CallId, Leg, Party};

/// A silence with what surrounds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Excerpt {
    /// Call, party and channel, length, what it came from.
    pub heading: String,
    /// Where in which file it lies.
    pub place: String,
    /// Begin, s of run time.
    pub at_s: f64,
    /// In a tainted second: no evidence against the guest.
    pub tainted: bool,
    /// What is seen and heard, or why nothing is.
    pub content: Result<Content, NoAudio>,
}

/// What is seen and heard of a silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The samples.
    pub picture: Plot,
    /// The same stretch as a `data:` URI of a WAVE file.
    pub clip: String,
}

/// The silences of a run that tell most, at most 8, unexplained ones first, then longer ones. `read` gives the
/// samples of a span of a recording.
///
/// # Errors
/// A picture could not be drawn.
pub fn of(
    measured: &Measured,
    mut read: impl FnMut(&Span) -> Result<Stretch, NoAudio>,
) -> Result<Vec<Excerpt>, PlotError> {
    let mut excerpts = Vec::new();
    for (event, span) in choice::choose(&measured.events) {
        let content = match read(&span) {
            Ok(stretch) => Ok(Content {
                picture: picture(measured, event, &span, &stretch)?,
                clip: clip::data_uri(&stretch),
            }),
            Err(missing) => Err(missing),
        };
        excerpts.push(Excerpt {
            heading: heading(event, measured.recording_layout),
            place: format!("{:.3} s into {}", span.start_s, span.file),
            at_s: event.at_s,
            tainted: event.tainted,
            content,
        });
    }
    Ok(excerpts)
}

fn heading(event: &EventRow, layout: RecordingLayout) -> String {
    let channel = event.channel.unwrap_or(0);
    format!(
        "Call {}, {}: {} ms of silence, {}",
        event.call.unwrap_or(0),
        channel_name(channel, layout),
        figures::number_or_dash(event.duration_ms),
        came_from(event)
    )
}

fn channel_name(channel: u8, layout: RecordingLayout) -> String {
    let parties = Party::BOTH.into_iter();
    let parties: Vec<String> = parties
        .filter(|party| layout.holds(channel, *party))
        .map(|party| format!("{party:?}"))
        .collect();
    match parties.as_slice() {
        [] => format!("channel {channel}"),
        [party] => format!("party {party} (channel {channel})"),
        both => format!("parties {} (channel {channel})", both.join(" and ")),
    }
}

/// The end of a sentence.
fn came_from(event: &EventRow) -> &'static str {
    match (incidents::origin(event), event.cause) {
        (SilenceOrigin::Known, _) => "a known silence of the scenario",
        (SilenceOrigin::Unexplained, _) => "which no packet explains: the guest's own doing",
        (SilenceOrigin::DeadAir, Some(DeadCause::Lost)) => "from dead air of lost packets",
        (SilenceOrigin::DeadAir, Some(DeadCause::Late)) => {
            "from dead air of packets too late for playout"
        }
        (SilenceOrigin::DeadAir, Some(DeadCause::NotSent)) => "from dead air of packets not sent",
        (SilenceOrigin::DeadAir, Some(DeadCause::GuestPlayout)) => {
            "while the guest's playout clock stood still"
        }
        (SilenceOrigin::DeadAir, None) => "from dead air",
    }
}

fn picture(
    measured: &Measured,
    event: &EventRow,
    span: &Span,
    stretch: &Stretch,
) -> Result<Plot, PlotError> {
    let layout = measured.recording_layout;
    let surroundings = Surroundings::of(measured, event, span, stretch);
    let channels = (0..stretch.channels).map(|channel| Channel {
        title: channel_name(channel, layout),
        envelope: stretch.envelope(channel, COLUMNS),
        silences: surroundings.silences(channel),
        dead_air: surroundings.dead_air(channel, layout),
    });
    let channels: Vec<Channel> = channels.collect();
    let mut notes = Vec::new();
    if span.is_cut {
        let shown = figures::number(MOST_SILENCE_S + 1.0);
        notes.push(format!("a long silence: its first {shown} s are shown"));
    }
    if channels.iter().all(|channel| channel.dead_air.is_empty()) {
        notes.push("no dead air of this call's packets is heard here".to_owned());
    }
    plots::draw_waveform(&Waveform {
        title: format!("Around {:.3} s of {}", span.start_s, span.file),
        notes,
        from_s: stretch.from_s(),
        to_s: stretch.to_s(),
        channels,
    })
}

/// What else lies in a stretch.
struct Surroundings<'e> {
    events: Vec<&'e EventRow>,
    /// Begin of the recording, s of run time.
    begin_s: f64,
    playout_buffer_s: f64,
    /// The stretch, s from the recording's start.
    seen: (f64, f64),
}

impl<'e> Surroundings<'e> {
    fn of(measured: &'e Measured, event: &EventRow, span: &Span, stretch: &Stretch) -> Self {
        let of_call = measured.events.iter().filter(|other| match other.stream {
            Some(stream) => {
                stream.leg == Leg::Receive && Some(stream.call) == event.call.map(CallId)
            }
            None => other.call == event.call,
        });
        Self {
            events: of_call.collect(),
            begin_s: event.at_s - span.start_s,
            playout_buffer_s: measured.recording_layout.playout_buffer_ms / 1000.0,
            seen: (stretch.from_s(), stretch.to_s()),
        }
    }

    fn silences(&self, channel: u8) -> Vec<(f64, f64, SilenceOrigin)> {
        let own = self
            .events
            .iter()
            .filter(|event| event.kind == "silence" && event.channel == Some(channel));
        own.filter_map(|event| {
            let (from, to) = self.visible(event.start_s?, event)?;
            Some((from, to, incidents::origin(event)))
        })
        .collect()
    }

    /// Dead air of the packets that a channel is filled with, where it is heard: a playout buffer later than it was due.
    fn dead_air(&self, channel: u8, layout: RecordingLayout) -> Vec<(f64, f64)> {
        let own = self.events.iter().filter(|event| {
            event.kind == "dead-air"
                && event
                    .stream
                    .is_some_and(|stream| layout.holds(channel, stream.party))
        });
        own.filter_map(|event| {
            self.visible(event.at_s - self.begin_s + self.playout_buffer_s, event)
        })
        .collect()
    }

    /// The part of an event's length from a place on that lies in the stretch.
    fn visible(&self, start_s: f64, event: &EventRow) -> Option<(f64, f64)> {
        let end_s = start_s + event.duration_ms.unwrap_or(0.0) / 1000.0;
        let (from, to) = (start_s.max(self.seen.0), end_s.min(self.seen.1));
        (from < to).then_some((from, to))
    }
}
