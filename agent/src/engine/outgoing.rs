//! What leaves the engine: played audio, reports, echoes.

use super::line::{EngineLine, Tick};
use super::sent::SentLog;
use milliwatt_generator::calls::Call;
use milliwatt_generator::pacer::Line;
use milliwatt_generator::report::SenderInfo;
use milliwatt_generator::stream::{Handed, StreamSender};
use milliwatt_receiver::playout::AudioPool;
use milliwatt_receiver::recorder::AudioFrame;
use milliwatt_wire::capture::{Channel, Tap};
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::socket::{MediaSocket, SendOutcome};
use milliwatt_wire::time::RunTime;

/// Puts the audio whose turn it is, or what fills its place, into the sender's packet. Gives the frame to record.
pub(super) fn fill(
    load: &LoadSpec,
    sender: &mut StreamSender,
    tick: Tick<'_>,
    (line, speaker): (&mut EngineLine, usize),
    pool: &mut AudioPool,
    facts: &mut impl FnMut(Fact),
) -> AudioFrame {
    let index = sender.next_slot().unwrap_or(0);
    let payload = sender.fill();
    line.play(tick, pool, payload, facts);
    let channel = u8::try_from(speaker % usize::from(load.legs.max(1))).unwrap_or(0);
    let mut frame = AudioFrame {
        call: tick.call.id,
        channel,
        index,
        payload: [0; 160],
    };
    frame.payload.copy_from_slice(payload);
    frame
}

pub(super) fn hand_over(
    sender: &mut StreamSender,
    (socket, index): (&MediaSocket, usize),
    (sent, tap): (&mut SentLog, &mut Tap),
    now: RunTime,
    facts: &mut impl FnMut(Fact),
) {
    sender.protect();
    let octets = sender.octets().len();
    let handed = match socket.send(sender.octets()) {
        SendOutcome::Sent => {
            tap.departure(index, Channel::Rtp, sender.octets(), now);
            sent.rtp(now.second(), octets, facts);
            Handed::Sent
        }
        _ => Handed::Refused,
    };
    sender.settle(handed, facts);
}

/// Sends a report when it is due.
pub(super) fn report(
    line: &mut Line,
    (at, index): (&mut EngineLine, usize),
    call: &Call,
    now: RunTime,
    (sent, tap): (&mut SentLog, &mut Tap),
    facts: &mut impl FnMut(Fact),
) {
    if !at.rtcp.expired(now) {
        return;
    }
    let heard = at.heard(call);
    let Some(sender) = line.sender() else { return };
    let info = SenderInfo {
        ssrc: sender.ssrc(),
        wall_ns: wall_now(),
        timestamp: sender.timestamp(),
        packets: sender.sent(),
    };
    let told = (sender.stream(), info);
    if let Some(octets) = at.rtcp.send(&at.port.rtcp, told, heard, now) {
        tap.departure(index, Channel::Rtcp, &octets, now);
        sent.rtcp(now.second(), octets.len(), facts);
    }
}

/// Sends a packet's audio, as it was before it was encrypted, straight back in the echo stream's own headers. Slots that never came
/// in were never sent back.
pub(super) fn reflect(
    sender: &mut StreamSender,
    slot: u32,
    octets: &[u8],
    socket: (&MediaSocket, usize),
    logs: (&mut SentLog, &mut Tap),
    now: RunTime,
    facts: &mut impl FnMut(Fact),
) {
    while sender.next_slot().is_some_and(|next| next < slot) {
        sender.skip();
    }
    let Some(audio) = octets
        .get(octets.len().saturating_sub(160)..)
        .filter(|a| a.len() == 160)
    else {
        return;
    };
    if sender.next_slot() == Some(slot) {
        sender.fill().copy_from_slice(audio);
        hand_over(sender, socket, logs, now, facts);
    }
}
