//! What the two ends of a run say to each other: hellos, messages, transfer headers, join lines, probes, blocks of
//! facts, made-up files. The first octet says what the rest is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt_agent::limits::{Limits, Machine};
use milliwatt_agent::transfer::made_up::{Received, receive_made_up};
use milliwatt_wire::block::{BlockReader, encode_block};
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::frame::{read_hello, read_message, write_hello, write_message};
use milliwatt_wire::join::Join;
use milliwatt_wire::probe::{Guard, PROBE_OCTETS, Probe, Prover};
use milliwatt_wire::transfer::{Receipt, TransferMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

fuzz_target!(|octets: &[u8]| {
    let Some((kind, octets)) = octets.split_first() else {
        return;
    };
    match kind % 10 {
        0 => hello(octets),
        1 => {
            messages::<ToAgent>(octets);
            plans(octets);
        }
        2 => messages::<FromAgent>(octets),
        3 => messages::<TransferMessage>(octets),
        4 => messages::<Receipt>(octets),
        5 => join(octets),
        6 => probe(octets),
        7 => blocks(octets),
        9 => made_up(octets),
        _ => messages::<Fact>(octets),
    }
});

/// Memory is always ready.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("reading from memory waits for nothing"),
    }
}

fn hello(octets: &[u8]) {
    let Ok(hello) = now(read_hello(&mut &*octets)) else {
        return;
    };
    let mut written = Vec::new();
    now(write_hello(&mut written, &hello)).expect("what was read can be written");
    assert!(octets.starts_with(&written));
}

/// One after the other, each behind its length: what is written is read as the same. The first time need not be: a
/// time of over 292 years is cut off there.
fn messages<T: Serialize + DeserializeOwned>(mut octets: &[u8]) {
    while let Ok(Some(message)) = now(read_message::<T>(&mut octets)) {
        let written = write(&message);
        let again: Option<T> =
            now(read_message(&mut written.as_slice())).expect("it was just written");
        assert_eq!(again.map(|message| write(&message)), Some(written));
    }
}

fn write(message: &impl Serialize) -> Vec<u8> {
    let mut written = Vec::new();
    now(write_message(&mut written, message)).expect("what was read can be written");
    written
}

/// What a tester may ask of an agent.
fn plans(mut octets: &[u8]) {
    let limits = Limits {
        max_streams: 400,
        max_pps: 250_000,
        max_duration: 600_000_000_000,
        max_disk: 20_000_000_000,
        allow: Vec::new(),
        media_ports: 16_384..=32_767,
        allow_neighbour: true,
    };
    let machine = Machine {
        cores: 8,
        memory_free: Some(1 << 33),
    };
    while let Ok(Some(message)) = now(read_message::<ToAgent>(&mut octets)) {
        if let ToAgent::PrepareNeighbour { neighbour, load } = message
            && let Ok(asked) = limits.neighbour((neighbour, load), machine)
        {
            assert!(asked.load.cores <= machine.cores);
            assert!(asked.load.memory_octets <= 1 << 32);
        } else if let ToAgent::Prepare { load, .. } = message
            && let Ok(plan) = limits.plan(&load)
        {
            // Steps end with the run, at a time that is part of the load.
            let end = load.full_for.filter(|_| load.stepped);
            assert!(end.unwrap_or(plan.end().0) <= limits.max_duration);
            assert!(plan.calls.iter().all(|call| call.lane.0 < load.concurrent));
        }
    }
}

/// Made-up files as either end takes them: no more is read than was offered, each piece with its length, and a message.
fn made_up(mut octets: &[u8]) {
    while let Ok(Some(TransferMessage::Offer(offer))) = now(read_message(&mut octets)) {
        let before = octets.len();
        let received = now(receive_made_up(&mut octets, &offer));
        let read = (before - octets.len()) as u64;
        match received {
            Ok(Received::BrokenOff) => assert!(read < 3 * offer.padding_octets),
            Ok(Received::Whole | Received::Damaged(_)) => assert!(read > offer.padding_octets),
            Err(_) => return,
        }
    }
}

fn join(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else {
        return;
    };
    if let Ok(join) = text.parse::<Join>() {
        assert_eq!(
            join.to_string()
                .parse::<Join>()
                .expect("it was just written"),
            join
        );
    }
}

fn probe(octets: &[u8]) {
    let mut guard = Guard::new([1; 16], [2; 16]);
    let mut prover = Prover::new([1; 16]);
    for datagram in octets.chunks(PROBE_OCTETS) {
        if let Some(probe) = Probe::decode(datagram) {
            assert_eq!(probe.encode()[..20], datagram[..20]);
        }
        let (answer, is_proven) = guard.take(datagram);
        assert!(!is_proven || guard.heard && answer.is_some());
        prover.take(datagram);
        assert!(!prover.confirmed || prover.heard && prover.say().is_none());
    }
}

fn blocks(octets: &[u8]) {
    for block in BlockReader::new(octets).flatten() {
        let written = encode_block(block.sequence, &block.facts);
        let again = BlockReader::new(written.as_slice()).flatten().next();
        let again = again.map(|block| encode_block(block.sequence, &block.facts));
        assert_eq!(again, Some(written));
    }
}
