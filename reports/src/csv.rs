//! `streams.csv`, `seconds.csv`, `recordings.csv`, `steps.csv`, `disruptions.csv` (RFC 4180, LF line ends): units stand in the
//! column names, a field is empty where nothing was measured.

mod disruptions;
mod steps;

pub use disruptions::disruptions;
pub use steps::steps;

use crate::figures;
use milliwatt_scoring::measured::{Measured, RecordingRow, SecondRow, StreamRow};
use milliwatt_wire::facts::Phase;
use std::borrow::Cow;

/// A column's name and how a row fills it, kept together so that they cannot drift apart.
pub(crate) type Column<R> = (&'static str, fn(&R) -> String);

const SECONDS: &[Column<SecondRow>] = &[
    ("second", |r| r.second.to_string()),
    ("leg", |r| r.leg.key().to_owned()),
    ("phase", |r| phase(r.phase).to_owned()),
    ("tainted", |r| r.tainted.to_string()),
    ("calls", |r| r.calls.to_string()),
    ("packets_expected", |r| r.expected.to_string()),
    ("packets_received", |r| r.received.to_string()),
    ("packets_lost", |r| r.lost.to_string()),
    ("packets_discarded", |r| r.discarded.to_string()),
    ("packets_not_sent", |r| r.not_sent.to_string()),
    ("packets_duplicated", |r| r.duplicated.to_string()),
    ("packets_reordered", |r| r.reordered.to_string()),
    ("interarrival_jitter_mean_ms", |r| {
        number(r.interarrival_jitter_mean_ms)
    }),
    ("interarrival_jitter_max_ms", |r| {
        number(r.interarrival_jitter_max_ms)
    }),
    ("pdv_p50_ms", |r| number(r.pdv_p50_ms)),
    ("pdv_p99_ms", |r| number(r.pdv_p99_ms)),
    ("pdv_p999_ms", |r| number(r.pdv_p999_ms)),
    ("pdv_max_ms", |r| number(r.pdv_max_ms)),
    ("dead_air_ms", |r| figures::plain(r.dead_air_ms)),
    ("dead_air_events", |r| r.dead_air_events.to_string()),
    ("mbps", |r| number(r.mbps)),
    ("rtp_mbps", |r| number(r.rtp_mbps)),
    ("transfer_mbps", |r| number(r.transfer_mbps)),
    ("nic_mbps", |r| number(r.nic_mbps)),
    ("sender_lateness_p999_us", |r| {
        number(r.sender_lateness_p999_us)
    }),
    ("delay_pdv_mean_ms", |r| number(r.delay.map(|d| d.pdv_ms))),
    ("delay_tester_ms", |r| number(r.delay.map(|d| d.tester_ms))),
    ("delay_guest_ms", |r| number(r.delay.map(|d| d.guest_ms))),
    ("delay_path_ms", |r| number(r.delay.map(|d| d.path_ms))),
    ("delay_path_common_ms", |r| {
        number(r.delay.and_then(|d| d.path_common_ms))
    }),
    ("delay_path_stream_ms", |r| {
        number(r.delay.and_then(|d| d.path_stream_ms))
    }),
    ("transfer_goodput_mbps", |r| number(r.transfer_goodput_mbps)),
    ("transfer_stalled_ms", |r| number(r.transfer_stalled_ms)),
    ("transfer_retransmissions", |r| {
        integer(r.transfer_retransmissions)
    }),
];

const STREAMS: &[Column<StreamRow>] = &[
    ("leg", |r| r.stream.leg.key().to_owned()),
    ("call", |r| r.stream.call.0.to_string()),
    ("party", |r| format!("{:?}", r.stream.party)),
    ("ssrc", |r| {
        r.ssrc
            .map_or_else(String::new, |ssrc| format!("0x{ssrc:08x}"))
    }),
    ("start_s", |r| number(r.start_s)),
    ("packets_expected", |r| r.expected.to_string()),
    ("packets_received", |r| r.received.to_string()),
    ("packets_lost", |r| r.lost.to_string()),
    ("packets_discarded", |r| r.discarded.to_string()),
    ("packets_not_sent", |r| r.not_sent.to_string()),
    ("packets_duplicated", |r| r.duplicated.to_string()),
    ("packets_reordered", |r| r.reordered.to_string()),
    ("interarrival_jitter_mean_ms", |r| {
        number(r.interarrival_jitter_mean_ms)
    }),
    ("interarrival_jitter_max_ms", |r| {
        number(r.interarrival_jitter_max_ms)
    }),
    ("pdv_max_ms", |r| number(r.pdv_max_ms)),
    ("dead_air_events", |r| r.dead_air_events.to_string()),
    ("dead_air_longest_ms", |r| number(r.dead_air_longest_ms)),
    ("mos_lq", |r| number(r.mos_lq)),
];

const RECORDINGS: &[Column<RecordingRow>] = &[
    ("call", |r| r.call.to_string()),
    ("file", |r| r.file.clone()),
    ("received", |r| r.received.to_string()),
    ("length_s", |r| number(r.seconds)),
    ("wire_octets", |r| integer(r.wire_octets)),
    ("attempts", |r| integer(r.attempts)),
    ("silence_events", |r| r.silence_events.to_string()),
    ("silence_longest_ms", |r| number(r.longest_ms)),
    ("error", |r| r.error.clone().unwrap_or_default()),
];

/// `seconds.csv`: a row a second and leg.
#[must_use]
pub fn seconds(measured: &Measured) -> String {
    table(SECONDS, &measured.seconds)
}

/// `streams.csv`: a row a stream and leg.
#[must_use]
pub fn streams(measured: &Measured) -> String {
    table(STREAMS, &measured.streams)
}

/// `recordings.csv`: a row a recording, kept or not.
#[must_use]
pub fn recordings(measured: &Measured) -> String {
    table(RECORDINGS, &measured.recording_rows)
}

pub(crate) fn table<R>(columns: &[Column<R>], rows: &[R]) -> String {
    let mut text = String::new();
    push_line(
        &mut text,
        columns.iter().map(|(name, _)| (*name).to_owned()),
    );
    for row in rows {
        push_line(&mut text, columns.iter().map(|(_, fill)| fill(row)));
    }
    text
}

pub(crate) fn push_line(text: &mut String, fields: impl Iterator<Item = String>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&quoted(&field));
    }
    text.push('\n');
}

fn quoted(field: &str) -> Cow<'_, str> {
    if field.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(field)
    }
}

pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, figures::plain)
}

pub(crate) fn integer(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Ramp => "ramp",
        Phase::Full => "full",
        Phase::Drain => "drain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_holds_a_separator_is_quoted() {
        assert_eq!(quoted("checksum"), "checksum");
        assert_eq!(quoted("cut, \"short\""), "\"cut, \"\"short\"\"\"");
    }
}
