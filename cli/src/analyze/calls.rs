//! Streams that belong to one call: by SIP where it was captured, else those between the same two ports in both
//! directions.

use super::signalling::SipCall;
use super::table::Entry;
use milliwatt_scoring::analysis::AnalyzedCall;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

/// Pairs streams; gives the calls and the index of each stream's.
#[must_use]
pub fn pair(streams: &[Entry], sip: &[SipCall]) -> (Vec<AnalyzedCall>, Vec<Option<usize>>) {
    let mut of_stream = vec![None; streams.len()];
    let mut calls = by_sip(streams, sip, &mut of_stream);
    by_addresses(streams, &mut calls, &mut of_stream);
    (calls, of_stream)
}

fn by_sip(
    streams: &[Entry],
    sip: &[SipCall],
    of_stream: &mut [Option<usize>],
) -> Vec<AnalyzedCall> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, stream) in streams.iter().enumerate() {
        if let Some(call) = stream.sip_call {
            members.entry(call).or_default().push(index);
        }
    }
    let mut calls = Vec::new();
    for (call, members) in members {
        for index in &members {
            of_stream[*index] = Some(calls.len());
        }
        calls.push(AnalyzedCall {
            paired_by: "sip",
            parties: sip.get(call).map(|call| call.parties.clone()),
            streams: members,
        });
    }
    calls
}

/// The two directions between two ports that overlap in time.
fn by_addresses(streams: &[Entry], calls: &mut Vec<AnalyzedCall>, of_stream: &mut [Option<usize>]) {
    let mut open: HashMap<(SocketAddr, SocketAddr), Vec<usize>> = HashMap::new();
    for (index, stream) in streams.iter().enumerate() {
        if of_stream[index].is_some() {
            continue;
        }
        let (source, destination) = (stream.key.source, stream.key.destination);
        let back = open.get(&(destination, source));
        let other = back.and_then(|others| {
            let fits =
                |other: &&usize| of_stream[**other].is_none() && overlap(&streams[**other], stream);
            others.iter().find(fits).copied()
        });
        if let Some(other) = other {
            (of_stream[other], of_stream[index]) = (Some(calls.len()), Some(calls.len()));
            calls.push(AnalyzedCall {
                paired_by: "addresses",
                parties: None,
                streams: vec![other, index],
            });
        }
        open.entry((source, destination)).or_default().push(index);
    }
}

fn overlap(one: &Entry, other: &Entry) -> bool {
    let (Some(one), Some(other)) = (one.stream.sums.span, other.stream.sums.span) else {
        return false;
    };
    one.0 <= other.1 && other.0 <= one.1
}
