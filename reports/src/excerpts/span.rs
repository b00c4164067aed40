//! The span of a recording that an excerpt shows.

use milliwatt_scoring::measured::EventRow;

/// Shown before a silence and after it, s.
const AROUND_S: f64 = 1.0;
/// Of a longer silence only the first part is shown, one second more than this: 5 s are the longest clip.
pub const MOST_SILENCE_S: f64 = 3.0;

/// From where to where of which recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Name in `recordings/`, as facts have it.
    pub file: String,
    /// Channel of the silence.
    pub channel: u8,
    /// Begin of the silence, s from the recording's start.
    pub start_s: f64,
    /// Begin of the span, s from the recording's start.
    pub from_s: f64,
    /// Its end, at most 5 s later.
    pub to_s: f64,
    /// The silence is longer than the span.
    pub is_cut: bool,
}

impl Span {
    /// Around a silence; none of what is none, or does not say where it lies.
    pub(super) fn around(event: &EventRow) -> Option<Self> {
        let (file, start_s) = (event.file.clone()?, event.start_s?);
        let length_s = event.duration_ms?.max(0.0) / 1000.0;
        let is_placed = event.kind == "silence" && start_s >= 0.0 && start_s.is_finite();
        let is_cut = length_s > MOST_SILENCE_S;
        is_placed.then(|| Self {
            file,
            channel: event.channel.unwrap_or(0),
            start_s,
            from_s: (start_s - AROUND_S).max(0.0),
            to_s: start_s + length_s.min(MOST_SILENCE_S) + AROUND_S,
            is_cut,
        })
    }

    /// Whether it shows the silence of another span too, as far as that does.
    pub(super) fn shows(&self, other: &Self) -> bool {
        let end_s = other.to_s - AROUND_S;
        self.file == other.file && self.from_s <= other.start_s && end_s <= self.to_s
    }
}
