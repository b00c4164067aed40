//! Recordings as they come: once each, checked, kept or not, and told.

use super::*;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use milliwatt_wire::time::MonoTime;
use std::io::Write;
use std::sync::Arc;

/// A scorer that finds one event in what begins with `!`, and cannot score what begins with `?`.
fn score(_: CallId, wav: &[u8]) -> Result<Scored, String> {
    let silence = SilenceFact {
        channel: 1,
        start_ms: 600.0,
        length_ms: 300.0,
    };
    match wav[0] {
        b'?' => Err("no WAV file".to_owned()),
        b'!' => Ok(Scored {
            audio_ms: 1000,
            silences: vec![silence],
            ..Scored::default()
        }),
        _ => Ok(Scored {
            audio_ms: 1000,
            ..Scored::default()
        }),
    }
}

struct Bench {
    folder: tempfile::TempDir,
    sink: RecordingSink,
    facts: Arc<Mutex<Vec<Fact>>>,
}

fn bench(keep: KeepRecordings) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let facts = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&facts);
    let tell = Box::new(move |fact| told.lock().unwrap().push(fact));
    let clock = RunClock { zero: MonoTime(0) };
    let sink = RecordingSink::new(
        folder.path().join("recordings"),
        keep,
        clock,
        Box::new(score),
        tell,
    );
    fs::create_dir(folder.path().join("recordings")).unwrap();
    Bench {
        folder,
        sink,
        facts,
    }
}

impl Bench {
    fn files(&self) -> usize {
        fs::read_dir(self.folder.path().join("recordings"))
            .unwrap()
            .count()
    }

    fn accept(&self, call: u32, wav: &[u8]) -> Result<(), Refusal> {
        let (offer, compressed) = parcel(call, wav);
        self.sink.accept(&offer, &compressed)
    }

    fn facts(&self) -> Vec<Fact> {
        mem::take(&mut *self.facts.lock().unwrap())
    }
}

fn parcel(call: u32, wav: &[u8]) -> (Offer, Vec<u8>) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(wav).unwrap();
    let compressed = encoder.finish().unwrap();
    let offer = Offer {
        item: Item::Recording(CallId(call)),
        file_octets: wav.len() as u64,
        compressed_octets: compressed.len() as u64,
        padding_octets: 7,
        weight_octets: compressed.len() as u64 + 7,
        sha256: digest(&SHA256, wav).as_ref().try_into().unwrap(),
    };
    (offer, compressed)
}

#[test]
fn a_second_copy_is_acknowledged_and_told_once_with_its_attempts() {
    let bench = bench(KeepRecordings::All);
    bench.sink.count_attempt(Item::Recording(CallId(3)));
    bench.sink.count_attempt(Item::Recording(CallId(3)));
    assert_eq!(bench.accept(3, b"!audio"), Ok(()));
    bench.sink.count_attempt(Item::Recording(CallId(3)));
    assert_eq!(bench.accept(3, b"!audio"), Ok(()));
    let facts = bench.facts();
    let [Fact::Recording(fact)] = facts.as_slice() else {
        panic!("{facts:?}")
    };
    assert_eq!(
        (fact.call, fact.attempts, fact.audio_ms),
        (CallId(3), 2, 1000)
    );
    assert_eq!(
        (fact.file.as_str(), fact.silences.len(), fact.wire_octets),
        ("call-00003.wav", 1, fact.weight_octets)
    );
    assert_eq!((bench.sink.received(), bench.files()), (1, 1));
}

#[test]
fn damage_of_any_kind_is_refused() {
    let bench = bench(KeepRecordings::All);
    let (offer, compressed) = parcel(1, b"audio audio audio");
    let mut other = compressed.clone();
    other[3] ^= 4;
    let short = Offer {
        file_octets: 16,
        ..offer.clone()
    };
    let long = Offer {
        file_octets: 18,
        ..offer.clone()
    };
    let digest = Offer {
        sha256: [0; 32],
        ..offer.clone()
    };
    for (offer, octets) in [
        (&offer, &other),
        (&short, &compressed),
        (&long, &compressed),
        (&digest, &compressed),
    ] {
        assert!(
            matches!(bench.sink.accept(offer, octets), Err(Refusal::Damaged(_))),
            "{offer:?}"
        );
    }
    assert_eq!((bench.facts(), bench.files()), (Vec::new(), 0));
}

#[test]
fn recordings_with_events_or_errors_are_kept_beyond_the_samples() {
    let bench = bench(KeepRecordings::Events);
    for call in 0..30 {
        bench.accept(call, b"audio").unwrap();
    }
    bench.accept(30, b"!audio").unwrap();
    bench.accept(31, b"?").unwrap();
    assert_eq!(bench.files(), 22);
    assert_eq!(
        fs::read(bench.folder.path().join("recordings/call-00030.wav")).unwrap(),
        b"!audio"
    );
    let facts = bench.facts();
    let Some(Fact::Recording(last)) = facts.last() else {
        panic!("{facts:?}")
    };
    assert_eq!(
        (last.error.as_deref(), facts.len()),
        (Some("no WAV file"), 32)
    );
}

#[test]
fn none_keeps_nothing_and_tells_all() {
    let bench = bench(KeepRecordings::None);
    bench.accept(1, b"!audio").unwrap();
    assert_eq!((bench.files(), bench.facts().len()), (0, 1));
}

#[test]
fn a_disk_that_takes_nothing_is_told_once_and_costs_no_recording() {
    let bench = bench(KeepRecordings::All);
    let folder = bench.folder.path().join("recordings");
    fs::remove_dir(&folder).unwrap(); // whatever fails: the file cannot be written
    for _ in 0..2 {
        assert!(matches!(
            bench.accept(1, b"audio"),
            Err(Refusal::NotKept(_))
        ));
    }
    let facts = bench.facts();
    assert!(
        matches!(facts.as_slice(), [Fact::Event { kind, .. }] if kind == "disk-full"),
        "{facts:?}"
    );
    fs::create_dir(&folder).unwrap();
    bench.accept(1, b"audio").unwrap();
    assert!(matches!(bench.facts().as_slice(), [Fact::Recording(_)]));
}
