//! Captures that are not as they should be: what is said, what is kept, how it ends.

use super::super::program::{Outcome, milliwatt_in};
use super::{frame, write_impaired, write_pcap};
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::time::NS_PER_MS;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The outcome, and the same as JSON, of a capture of these octets.
fn outcomes(name: &str, octets: &[u8]) -> (Outcome, Outcome) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), octets).unwrap();
    let of = |args: &[&str]| milliwatt_in(folder.path(), args);
    (of(&["analyze", name]), of(&["analyze", "--json", name]))
}

fn json(outcome: &Outcome) -> serde_json::Value {
    assert_eq!(outcome.code, Some(0), "{}", outcome.text());
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn impaired_octets() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("impaired.pcap");
    write_impaired(&path);
    std::fs::read(path).unwrap()
}

#[test]
fn what_is_no_capture_ends_with_1_and_says_what_it_may_be() {
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for (name, octets, words) in [
        ("empty.pcap", &b""[..], "the file is empty"),
        ("a.pcap.gz", &gzip, "gunzip it first"),
        (
            "a.wav",
            b"RIFF\x24\0\0\0WAVEfmt ",
            "`milliwatt score` takes recordings",
        ),
        ("notes.txt", b"nothing of the kind", "it looks like text"),
        ("short.pcap", b"\xd4\xc3", "shorter than a capture's header"),
        (
            "header.pcap",
            b"\xd4\xc3\xb2\xa1\x02\0",
            "cut off: read up to its frame 0",
        ),
    ] {
        let (plain, json) = outcomes(name, octets);
        for outcome in [plain, json] {
            assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
            let place = format!("{name}: ");
            let line = outcome.stderr.lines().find(|line| line.contains(&place));
            assert!(
                line.is_some_and(|line| line.contains(words)),
                "{}",
                outcome.stderr
            );
            assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
        }
    }
}

#[test]
fn what_is_not_there_or_a_folder_ends_with_1_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("captures")).unwrap();
    let outcome = milliwatt_in(folder.path(), &["analyze", "missing.pcap", "captures"]);
    assert_eq!(outcome.code, Some(1));
    for words in ["missing.pcap: No such file", "captures: Is a directory"] {
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    let none = milliwatt_in(folder.path(), &["analyze"]);
    assert_eq!(none.code, Some(2), "no capture named");
}

/// The last ten octets are missing: of 398 frames 397 are whole.
#[test]
fn a_cut_capture_gives_what_was_read_marked_as_partial() {
    let whole = impaired_octets();
    let (plain, as_json) = outcomes("cut.pcap", &whole[..whole.len() - 10]);
    assert_eq!(plain.code, Some(0));
    assert!(
        plain
            .stdout
            .starts_with("PARTIAL: 1 of 1 captures not read to the end"),
        "{}",
        plain.stdout
    );
    assert!(
        plain
            .stderr
            .contains("cut.pcap: cut off: read up to its frame 397; copy it whole"),
        "{}",
        plain.stderr
    );
    let found = json(&as_json);
    assert_eq!(found["partial"], true);
    assert_eq!(found["captures"][0]["frames"], 397);
    let told = found["captures"][0]["error"].as_str().unwrap();
    assert!(told.starts_with("cut off"), "{told}");
    // Slots 0 to 398 without three lost ones; one of the 397 frames is a copy.
    assert_eq!(found["streams"][0]["packets_received"], 396);
    assert_eq!(found["streams"][0]["packets_lost"], 3);
}

/// A length that no frame has in the place of the next to last one's: 24 octets of header, 16 and 214 a frame.
#[test]
fn a_damaged_capture_gives_what_stands_before_the_damage() {
    let mut octets = impaired_octets();
    let damaged = 24 + 396 * 230 + 8;
    octets[damaged..damaged + 4].fill(0xff);
    let (plain, as_json) = outcomes("damaged.pcap", &octets);
    assert!(
        plain
            .stderr
            .contains("damaged.pcap: damaged after its frame 396"),
        "{}",
        plain.stderr
    );
    assert!(plain.stdout.starts_with("PARTIAL: "), "{}", plain.stdout);
    let found = json(&as_json);
    assert_eq!(found["partial"], true);
    assert_eq!(found["streams"][0]["packets_received"], 395);
}

#[test]
fn whole_captures_are_not_partial() {
    let (plain, as_json) = outcomes("whole.pcap", &impaired_octets());
    assert!(!plain.stdout.contains("PARTIAL"), "{}", plain.stdout);
    assert_eq!(
        (plain.stderr.as_str(), &json(&as_json)["partial"]),
        ("", &false.into())
    );
}

#[test]
fn without_packets_it_says_so() {
    let (plain, as_json) = outcomes("none.pcap", &impaired_octets()[..24]);
    assert_eq!(plain.code, Some(0));
    assert_eq!(plain.stdout, "no RTP streams: no packets at all\n");
    let found = json(&as_json);
    assert_eq!(found["captures"][0]["frames"], 0);
    assert_eq!(
        (&found["partial"], &found["streams"]),
        (&false.into(), &serde_json::json!([]))
    );
}

/// Five frames each of RTCP and STUN, and one of ARP.
#[test]
fn without_rtp_it_says_what_was_found_instead() {
    let folder = tempfile::tempdir().unwrap();
    let [mut rtcp, mut stun, mut arp] = [0; 3].map(|_| frame(1, 7));
    // A sender report of 7 words.
    rtcp[43..46].copy_from_slice(&[200, 0, 6]);
    stun[42..50].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]);
    arp[12..14].copy_from_slice(&[8, 6]);
    let mut frames: Vec<_> = (0..5)
        .flat_map(|n| [(n * 10, rtcp.clone()), (n * 10 + 1, stun.clone())])
        .collect();
    frames.push((100, arp));
    write_pcap(&folder.path().join("other.pcap"), &frames);
    let plain = milliwatt_in(folder.path(), &["analyze", "other.pcap"]);
    let expected =
        "no RTP streams: 11 packets of other kinds\nother packets: RTCP 5, STUN 5, ARP 1\n";
    assert_eq!((plain.code, plain.stdout.as_str()), (Some(0), expected));
    let found = json(&milliwatt_in(
        folder.path(),
        &["analyze", "--json", "other.pcap"],
    ));
    let other = serde_json::json!([["RTCP", 5], ["STUN", 5], ["ARP", 1]]);
    assert_eq!(found["other_traffic"], other);
}

/// A clock that is set back by 5 s in the middle, and again: everything is counted, and times are no evidence there.
#[test]
fn a_clock_that_goes_back_is_told_and_counts_stay_right() {
    let folder = tempfile::tempdir().unwrap();
    let step = |slot: i64| match slot {
        0..100 => 0,
        100..200 => -5_000_000,
        _ => -9_000_000,
    };
    let frames: Vec<_> = (0..300)
        .map(|slot| {
            let at = 20_000_000 + slot * 20_000 + step(slot);
            (at, frame(u16::try_from(slot).unwrap(), 7))
        })
        .collect();
    write_pcap(&folder.path().join("back.pcap"), &frames);
    let plain = milliwatt_in(folder.path(), &["analyze", "back.pcap"]);
    assert!(
        plain
            .stdout
            .contains("note: the capture's clock went back 2 times"),
        "{}",
        plain.stdout
    );
    let found = json(&milliwatt_in(
        folder.path(),
        &["analyze", "--json", "back.pcap"],
    ));
    assert_eq!(found["captures"][0]["clock_steps_back"], 2);
    let stream = &found["streams"][0];
    assert_eq!(
        (&stream["packets_received"], &stream["packets_lost"]),
        (&300.into(), &0.into())
    );
}

/// 200,000 frames, to which others are added as long as it is read: those that it had at the start are measured.
#[test]
fn a_capture_that_is_still_being_written_is_partial() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.pcap");
    let frames: Vec<_> = (0..200_000_i64)
        .map(|n| (n * 20_000, frame(u16::try_from(n % 65_536).unwrap(), 7)))
        .collect();
    write_pcap(&path, &frames);
    let is_over = AtomicBool::new(false);
    let (plain, as_json) = std::thread::scope(|scope| {
        scope.spawn(|| keep_writing(&path, &is_over));
        let of = |args: &[&str]| milliwatt_in(folder.path(), args);
        let outcomes = (
            of(&["analyze", "growing.pcap"]),
            of(&["analyze", "--json", "growing.pcap"]),
        );
        is_over.store(true, Ordering::Relaxed);
        outcomes
    });
    assert!(
        plain
            .stderr
            .contains("growing.pcap: still being written: read up to its frame"),
        "{}",
        plain.stderr
    );
    assert!(plain.stdout.starts_with("PARTIAL: "), "{}", plain.stdout);
    let found = json(&as_json);
    assert_eq!(found["partial"], true);
    assert!(found["captures"][0]["frames"].as_u64() >= Some(200_000));
}

/// A frame every millisecond, each whole; reading takes many of those.
fn keep_writing(path: &Path, is_over: &AtomicBool) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    let octets = frame(9, 8);
    let length = u32::try_from(octets.len()).unwrap();
    let header = [5000, 0, length, length].map(u32::to_le_bytes);
    let whole = [header.as_flattened(), &octets].concat();
    while !is_over.load(Ordering::Relaxed) {
        file.write_all(&whole).unwrap();
        sleep_until(mono_now() + NS_PER_MS);
    }
}
