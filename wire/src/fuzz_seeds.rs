//! The seeds of the fuzz target `control` (`tests/fuzz/seeds/control`): what they are made of, and that they are read as that.
//! After a change of a message's form they are made again by `MILLIWATT_WRITE_SEEDS=1 cargo nextest run -p milliwatt-wire fuzz_seeds`.

use crate::block::{Block, BlockReader, encode_block};
use crate::control::{Accept, FromAgent, ToAgent};
use crate::facts::{Fact, HookOutcome, Ledger, MarkSource, Phase};
use crate::frame::{
    ConnectionKind, Hello, PROTOCOL, read_hello, read_message, write_hello, write_message,
};
use crate::id::{CallId, Leg, Party, StreamId};
use crate::join::Join;
use crate::load::{
    Audio, Codec, Fill, Hold, KnownSilence, LoadSpec, RecordingSpec, Role, TransferSpec,
};
use crate::probe::{PROBE_OCTETS, Probe};
use crate::step::{Flow, Step};
use crate::time::{MonoTime, RunTime};
use crate::transfer::{Closing, Item, Offer, Receipt, Refusal, TransferMessage};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Octets of the made-up file.
const MADE_UP: u16 = 100;

/// Memory is always ready.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("reading from memory waits for nothing"),
    }
}

/// The seed's octets behind the first, which says to the target what they are. Made first where that is asked for.
fn seed(name: &str, kind: u8, made: &[u8]) -> Vec<u8> {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds/control");
    let path = seeds.join(name);
    if std::env::var_os("MILLIWATT_WRITE_SEEDS").is_some() {
        std::fs::write(&path, [&[kind], made].concat()).unwrap();
    }
    let octets = std::fs::read(&path).unwrap();
    assert_eq!(octets[0], kind, "{name}");
    octets[1..].to_vec()
}

fn framed(messages: &[impl Serialize]) -> Vec<u8> {
    let mut octets = Vec::new();
    for message in messages {
        now(write_message(&mut octets, message)).unwrap();
    }
    octets
}

/// All messages up to the end, where none is left over.
fn holds<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, kind: u8, made: &[T]) {
    let octets = seed(name, kind, &framed(made));
    let (mut rest, mut read) = (octets.as_slice(), Vec::new());
    while let Some(message) = now(read_message::<T>(&mut rest)).unwrap() {
        read.push(message);
    }
    assert_eq!(read, made, "{name}");
}

fn load() -> LoadSpec {
    LoadSpec {
        seed: 1,
        role: Role::MediaServer,
        concurrent: 2,
        total: Some(4),
        arrival_interval: 20_000_000,
        hold: Hold::Uniform(2_000_000_000, 5_000_000_000),
        steady_start: true,
        legs: 2,
        full_for: Some(10_000_000_000),
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
        transfer: TransferSpec::default(),
        known_silences: vec![KnownSilence {
            call: CallId(0),
            party: Party::A,
            from: 1_000_000_000,
            length: 200_000_000,
        }],
        audio: Audio::Tone,
        fill: Fill::Silence,
        rated_fill: Fill::G711AppendixI,
        stepped: false,
    }
}

#[test]
fn the_hello() {
    let hello = Hello {
        protocol: PROTOCOL,
        kind: ConnectionKind::Control,
        program: "milliwatt".to_owned(),
    };
    let mut made = Vec::new();
    now(write_hello(&mut made, &hello)).unwrap();
    let octets = seed("hello", 0, &made);
    let mut rest = octets.as_slice();
    assert_eq!(now(read_hello(&mut rest)).unwrap(), hello);
    assert!(rest.is_empty());
}

#[test]
fn every_message_of_the_tester() {
    let step = Step {
        index: 0,
        from: RunTime(2_000_000_000),
        until: RunTime(8_000_000_000),
        calls: 2,
        first_call: 0,
        flow: Flow::Paced(2_000_000),
    };
    let messages = [
        ToAgent::Join {
            token: "tok".to_owned(),
            run: 7,
            next_block: 0,
        },
        ToAgent::Prepare {
            load: Box::new(load()),
            keys: None,
            guest_named: true,
            same_clock: false,
            capture: false,
        },
        ToAgent::Clock { t1: MonoTime(5) },
        ToAgent::ProbesDone,
        ToAgent::Start { zero: MonoTime(9) },
        ToAgent::Skew {
            parts_per_billion: -12_500,
        },
        ToAgent::Step { step },
        ToAgent::EndStep {
            index: 0,
            at: RunTime(6_000_000_000),
        },
        ToAgent::Stop {
            at: RunTime(10_000_000_000),
        },
        ToAgent::StopNow,
        ToAgent::Received { block: 1 },
        ToAgent::Finish,
    ];
    holds("to-agent", 1, &messages);
}

#[test]
fn every_message_of_the_agent() {
    let messages = [
        FromAgent::Accept(Accept {
            program: "mw 1".to_owned(),
            boot_id: Some("boot".to_owned()),
            engines: 2,
            environment: vec![("k".to_owned(), "v".to_owned())],
            resumed: false,
        }),
        FromAgent::Refuse {
            reason: "a".to_owned(),
            hint: "b".to_owned(),
        },
        FromAgent::Ports {
            ports: vec![16_400, 16_401],
            secret: [1; 16],
        },
        FromAgent::Proven {
            heard: 2,
            proven: 2,
        },
        FromAgent::Clock {
            t1: MonoTime(2),
            t2: MonoTime(1),
            t3: MonoTime(3),
        },
        FromAgent::Block {
            sequence: 0,
            octets: encode_block(0, &facts()),
        },
        FromAgent::Done,
    ];
    holds("from-agent", 2, &messages);
}

#[test]
fn every_message_of_a_transfer() {
    let items = [
        Item::Recording(CallId(1)),
        Item::Capture(0),
        Item::MadeUp(3),
    ];
    let offers = items.map(|item| {
        TransferMessage::Offer(Offer {
            item,
            file_octets: 8192,
            compressed_octets: 16,
            padding_octets: 80,
            weight_octets: 96,
            sha256: [0; 32],
        })
    });
    let messages = [&offers[..], &[TransferMessage::NoMore]].concat();
    holds("transfer", 3, &messages);
    let refusals = [
        None,
        Some(Refusal::Damaged("d".to_owned())),
        Some(Refusal::NotKept("full".to_owned())),
    ];
    let receipts = items.into_iter().zip(refusals);
    let receipts: Vec<Receipt> = receipts
        .map(|(item, refused)| Receipt { item, refused })
        .collect();
    holds("receipt", 4, &receipts);
}

#[test]
fn the_join_line() {
    let join = Join {
        addresses: ["192.0.2.7:7700", "[2001:db8::7]:7700"]
            .map(|address| address.parse().unwrap())
            .into(),
        fingerprint: [10; 32],
        token: "tok".to_owned(),
    };
    let octets = seed("join-line", 5, join.to_string().as_bytes());
    let line = String::from_utf8(octets).unwrap();
    assert_eq!(line.parse::<Join>().unwrap(), join);
}

#[test]
fn every_probe() {
    let value = [1; 16];
    let probes = [
        Probe::Open { secret: value },
        Probe::Challenge { challenge: value },
        Probe::Answer { challenge: value },
        Probe::Confirm { challenge: value },
    ];
    let octets = seed("probes", 6, &probes.map(|probe| probe.encode()).concat());
    let read = octets.chunks(PROBE_OCTETS).map(Probe::decode);
    assert_eq!(read.collect::<Vec<_>>(), probes.map(Some));
}

/// What people, commands and a stream leave.
fn facts() -> Vec<Fact> {
    let stream = StreamId {
        call: CallId(1),
        party: Party::B,
        leg: Leg::Sent,
    };
    vec![
        Fact::Phase {
            phase: Phase::Full,
            at: RunTime(0),
        },
        Fact::Ledger(Ledger {
            stream,
            sent: 100,
            not_sent: 0,
            refused: 0,
        }),
        Fact::Mark {
            at: RunTime(1_000_000_000),
            label: "vMotion".to_owned(),
            source: MarkSource::Hypervisor("qemu".to_owned()),
        },
        Fact::HookEnded {
            label: "vMotion".to_owned(),
            started: RunTime(1_000_000_000),
            at: RunTime(3_000_000_000),
            outcome: HookOutcome::Exited(0),
            output: "OK\n".to_owned(),
        },
        Fact::PartStarted {
            at: RunTime(4_000_000_000),
            name: "after".to_owned(),
        },
        Fact::Unauthentic {
            stream,
            second: 1,
            packets: 3,
            reports: 1,
        },
    ]
}

#[test]
fn blocks_of_facts_and_facts_alone() {
    let blocks = [0, 1].map(|sequence| Block {
        sequence,
        facts: facts(),
    });
    let made = blocks
        .each_ref()
        .map(|block| encode_block(block.sequence, &block.facts));
    let octets = seed("blocks", 7, &made.concat());
    let mut reader = BlockReader::new(octets.as_slice());
    let read: Vec<Block> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(read, blocks);
    assert!(!reader.truncated());
    holds("facts", 8, &facts());
}

/// One piece, its end, and the checksum of what it holds.
#[test]
fn a_made_up_file() {
    let offer = TransferMessage::Offer(Offer::made_up(0, MADE_UP.into()));
    let closing = Closing { sha256: [0; 32] };
    let noise = vec![0x5a; MADE_UP.into()];
    let piece = [&MADE_UP.to_be_bytes()[..], &noise].concat();
    let made = [framed(&[&offer]), piece.clone(), framed(&[&closing])].concat();
    let octets = seed("made-up", 9, &made);
    let mut rest = octets.as_slice();
    assert_eq!(now(read_message(&mut rest)).unwrap(), Some(offer));
    assert_eq!(rest.split_off(..piece.len()).unwrap(), piece);
    assert_eq!(now(read_message(&mut rest)).unwrap(), Some(closing));
    assert!(rest.is_empty());
}
