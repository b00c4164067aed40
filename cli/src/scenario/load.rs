//! From a scenario to the load that both ends expand.

use super::course::CoursePlan;
use super::file::{self, Scenario};
use super::programme::full_for;
use crate::controller::pace::slot_width;
use milliwatt_wire::id::{CallId, Party};
use milliwatt_wire::load::{
    Audio, Codec, Fill, KnownSilence, LoadSpec, RecordingSpec, Role, TransferDirection,
    TransferSpec,
};
use std::path::PathBuf;

/// The audio that needs no file, as scenarios name it.
const TONE: &str = "tone";
const SPEECH: &str = "speech";
/// Default of [`LoadSpec::onward_offset`]: a local path and its scheduling, ns.
const ONWARD_OFFSET: i64 = 2_000_000;

/// The load of a scenario that [`super::check`] found right, and of its course where it has steps.
#[must_use]
pub fn load(scenario: &Scenario, course: Option<&CoursePlan>) -> LoadSpec {
    let Scenario {
        calls,
        media,
        transfer,
        ..
    } = scenario;
    let concurrent = course.map_or(calls.concurrent, |course| course.mix.lanes);
    LoadSpec {
        seed: scenario.seed,
        role: role(scenario.agent.role),
        concurrent,
        total: calls.total,
        arrival_interval: calls.arrivals.interval,
        hold: calls.hold.0,
        steady_start: calls.steady_start,
        legs: calls.legs,
        full_for: course.map_or_else(|| full_for(scenario), |course| Some(course.bound())),
        codec: match media.codec {
            file::Codec::Pcma => Codec::Pcma,
            file::Codec::G722 => Codec::G722,
            // G.729 does not pass the checks.
            file::Codec::Pcmu | file::Codec::G729 => Codec::Pcmu,
        },
        srtp: media.srtp,
        dscp: media.dscp,
        transfer_dscp: transfer.dscp,
        playout_buffer: scenario.playout.buffer.0,
        dead_air_min: scenario.dead_air.min.0,
        slot_width: slot_width(concurrent.saturating_mul(calls.legs.into())),
        onward_offset: ONWARD_OFFSET,
        recording: recording(scenario),
        transfer: TransferSpec {
            parallel: transfer.parallel,
            when: transfer.when.0,
            rate_bits_per_second: transfer.rate.map(|rate| rate.0.into()),
            direction: match transfer.direction {
                file::Direction::ToTester => TransferDirection::ToTester,
                file::Direction::ToGuest => TransferDirection::ToGuest,
            },
            size: transfer.size.0,
        },
        stepped: course.is_some(),
        known_silences: scenario.known_silences.iter().map(known_silence).collect(),
        audio: match media.audio.as_str() {
            TONE => Audio::Tone,
            SPEECH => Audio::Speech,
            _ => Audio::File,
        },
        fill: fill(scenario.playout.fill),
        rated_fill: rated_fill(scenario.playout.concealment),
    }
}

/// The file of the parties' audio; none where it is made here.
pub(super) fn audio_file(media: &file::Media) -> Option<PathBuf> {
    let is_file = ![TONE, SPEECH].contains(&media.audio.as_str());
    is_file.then(|| PathBuf::from(&media.audio))
}

fn role(role: file::Role) -> Role {
    match role {
        file::Role::MediaServer => Role::MediaServer,
        file::Role::Echo => Role::Echo,
    }
}

fn fill(fill: file::Fill) -> Fill {
    match fill {
        file::Fill::Silence => Fill::Silence,
        file::Fill::G711AppendixI => Fill::G711AppendixI,
    }
}

fn rated_fill(concealment: file::Concealment) -> Fill {
    match concealment {
        file::Concealment::None => Fill::Silence,
        file::Concealment::G711AppendixI => Fill::G711AppendixI,
    }
}

fn recording(scenario: &Scenario) -> RecordingSpec {
    let recorded = scenario.agent.role == file::Role::MediaServer;
    RecordingSpec {
        share: if recorded {
            scenario.recording.share
        } else {
            0.0
        },
        rate_bits_per_second: scenario.recording.rate.0,
        stereo: scenario.recording.channels == file::Channels::Stereo,
    }
}

fn known_silence(silence: &file::KnownSilence) -> KnownSilence {
    KnownSilence {
        call: CallId(silence.call),
        party: if silence.party == file::Party::A {
            Party::A
        } else {
            Party::B
        },
        from: silence.at.0,
        length: silence.length.0,
    }
}
