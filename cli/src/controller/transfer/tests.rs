//! Both ends of a transfer, joined in memory.

use super::*;
use crate::args::KeepRecordings;
use crate::controller::recordings::Scored;
use milliwatt_agent::recording::shelf::{Finished, Shelf};
use milliwatt_agent::transfer::TransferLoad;
use milliwatt_agent::transfer::sender::{Outgoing, TransferTerms, serve_transfer};
use milliwatt_wire::facts::{Fact, RecordingFact};
use milliwatt_wire::id::CallId;
use milliwatt_wire::time::{MonoTime, RunClock};
use milliwatt_wire::transfer::Closing;
use std::fs;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;

const TERMS: TransferTerms = TransferTerms {
    rate_bits_per_second: 8_000,
    retry_after: Duration::ZERO,
};
/// 8000 bit/s x 10 s / 8.
const WEIGHT: u64 = 10_000;

/// A guest with recordings on its shelf, and a tester.
struct Bench {
    guest: TempDir,
    tester: TempDir,
    shelf: Arc<Shelf>,
    sink: Arc<RecordingSink>,
    facts: Arc<Mutex<Vec<Fact>>>,
}

fn bench(calls: u32) -> Bench {
    let (guest, tester) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let shelf = Arc::new(Shelf::new());
    for call in 0..calls {
        let path = guest.path().join(format!("{call}.wav"));
        let octets = fs::write(&path, wav(call))
            .map(|()| wav(call).len() as u64)
            .unwrap();
        shelf.put(Finished {
            item: Item::Recording(CallId(call)),
            path,
            octets,
        });
    }
    shelf.close();
    let facts = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&facts);
    let clock = RunClock { zero: MonoTime(0) };
    let score = Box::new(|_: CallId, wav: &[u8]| {
        Ok(Scored {
            audio_ms: u32::try_from(wav.len()).unwrap(),
            silences: Vec::new(),
            ..Scored::default()
        })
    });
    let tell = Box::new(move |fact| told.lock().unwrap().push(fact));
    let sink = Arc::new(RecordingSink::new(
        tester.path().to_owned(),
        KeepRecordings::All,
        clock,
        score,
        tell,
    ));
    Bench {
        guest,
        tester,
        shelf,
        sink,
        facts,
    }
}

/// Audio that differs from call to call.
fn wav(call: u32) -> Vec<u8> {
    call.to_le_bytes().repeat(1_000)
}

impl Bench {
    fn serve(&self, stream: DuplexStream) -> JoinHandle<bool> {
        let from = Arc::clone(&self.shelf);
        tokio::spawn(async move {
            let outgoing = Outgoing {
                shelf: &from,
                transfers: &TransferLoad::default(),
                terms: TERMS,
                weigh: &|_| 10.0,
            };
            serve_transfer(stream, &outgoing).await.is_ok()
        })
    }

    fn receive(&self, stream: DuplexStream) -> JoinHandle<Result<Ended, TransferError>> {
        tokio::spawn(receive_recordings(stream, Arc::clone(&self.sink)))
    }

    /// Everything is transferred: each call once, whole, and nothing is left at the guest.
    fn assert_complete(&self, calls: u32) -> Vec<RecordingFact> {
        let facts = std::mem::take(&mut *self.facts.lock().unwrap());
        let told = facts.into_iter().map(|fact| match fact {
            Fact::Recording(fact) => *fact,
            other => panic!("{other:?}"),
        });
        let mut told: Vec<RecordingFact> = told.collect();
        told.sort_by_key(|fact| fact.call);
        assert_eq!(
            told.iter().map(|fact| fact.call.0).collect::<Vec<_>>(),
            (0..calls).collect::<Vec<_>>()
        );
        for fact in &told {
            assert_eq!(
                fs::read(self.tester.path().join(&fact.file)).unwrap(),
                wav(fact.call.0)
            );
            assert_eq!((fact.wire_octets, fact.weight_octets), (WEIGHT, WEIGHT));
        }
        assert_eq!(fs::read_dir(self.guest.path()).unwrap().count(), 0);
        assert_eq!(self.shelf.pending(), 0);
        told
    }
}

#[tokio::test]
async fn three_connections_share_the_recordings_and_all_hear_the_end() {
    let bench = bench(20);
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (guest, tester) = duplex(4_000);
        ends.push((bench.serve(guest), bench.receive(tester)));
    }
    for (served, received) in ends {
        assert_eq!(received.await.unwrap().unwrap(), Ended::NoMore);
        assert!(served.await.unwrap());
    }
    assert!(
        bench
            .assert_complete(20)
            .iter()
            .all(|fact| fact.attempts == 1)
    );
}

/// Passes octets on from guest to tester, up to `limit`, the one at `flip` with a bit changed;
/// receipts go the other way. Then it breaks both ends.
async fn relay(mut guest: DuplexStream, mut tester: DuplexStream, limit: u64, flip: Option<u64>) {
    let (mut passed, mut there, mut back) = (0, [0; 512], [0; 512]);
    while passed < limit {
        tokio::select! {
            read = guest.read(&mut there) => {
                let Ok(length @ 1..) = read else { return };
                for octet in &mut there[..length] {
                    *octet ^= u8::from(flip == Some(passed));
                    passed += 1;
                }
                if tester.write_all(&there[..length]).await.is_err() { return }
            }
            read = tester.read(&mut back) => {
                let Ok(length @ 1..) = read else { return };
                if guest.write_all(&back[..length]).await.is_err() { return }
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_mid_recording_costs_an_attempt_and_nothing_else() {
    let bench = bench(3);
    let (guest, left) = duplex(600);
    let (right, tester) = duplex(600);
    let (served, received) = (bench.serve(guest), bench.receive(tester));
    relay(left, right, WEIGHT + WEIGHT / 2, None).await; // half of the second recording
    assert!(!served.await.unwrap());
    assert!(matches!(
        received.await.unwrap(),
        Err(TransferError::Frame(FrameError::Connection(_)))
    ));
    assert_eq!((bench.sink.received(), bench.shelf.pending()), (1, 2));

    let (guest, tester) = duplex(600);
    let (served, received) = (bench.serve(guest), bench.receive(tester));
    assert_eq!(received.await.unwrap().unwrap(), Ended::NoMore);
    assert!(served.await.unwrap());
    let attempts: Vec<u32> = bench
        .assert_complete(3)
        .iter()
        .map(|fact| fact.attempts)
        .collect();
    assert_eq!(attempts, [1, 2, 1]);
}

#[tokio::test]
async fn a_corrupted_octet_is_found_and_the_recording_sent_again() {
    let bench = bench(2);
    let (guest, left) = duplex(600);
    let (right, tester) = duplex(600);
    let (served, received) = (bench.serve(guest), bench.receive(tester));
    // Behind the offer, in the 4,000 octets' deflated form, which is longer than that.
    let between = tokio::spawn(relay(left, right, u64::MAX, Some(offer_octets() + 10)));
    assert_eq!(received.await.unwrap().unwrap(), Ended::NoMore);
    assert!(served.await.unwrap());
    between.await.unwrap();
    let attempts: Vec<u32> = bench
        .assert_complete(2)
        .iter()
        .map(|fact| fact.attempts)
        .collect();
    assert_eq!(attempts, [2, 1]);
}

/// Length of the first offer's frame: 4 octets of length, two variants, the call, 4000 (2 octets),
/// under 128 (1 octet), its rest to 10,000 and 10,000 (2 octets each), 32 octets of digest.
fn offer_octets() -> u64 {
    4 + 2 + 1 + 2 + 1 + 2 + 2 + 32
}

#[tokio::test]
async fn a_receipt_lost_on_the_way_leads_to_a_second_copy_that_is_not_counted() {
    let bench = bench(1);
    let (guest, mut left) = duplex(600);
    let (mut right, tester) = duplex(600);
    let (served, received) = (bench.serve(guest), bench.receive(tester));
    let mut all = vec![0; usize::try_from(offer_octets() + WEIGHT).unwrap()];
    left.read_exact(&mut all).await.unwrap();
    right.write_all(&all).await.unwrap();
    let _: Option<Receipt> = read_message(&mut right).await.unwrap(); // and it goes no further
    drop((left, right));
    assert!(!served.await.unwrap());
    assert_eq!(received.await.unwrap().unwrap(), Ended::Closed);
    assert_eq!((bench.sink.received(), bench.shelf.pending()), (1, 1));

    let (guest, tester) = duplex(600);
    let (served, received) = (bench.serve(guest), bench.receive(tester));
    assert_eq!(received.await.unwrap().unwrap(), Ended::NoMore);
    assert!(served.await.unwrap());
    assert_eq!(bench.assert_complete(1)[0].attempts, 1);
}

#[tokio::test]
async fn a_length_that_no_recording_has_ends_the_connection_before_anything_is_read() {
    let bench = bench(0);
    let (mut guest, tester) = duplex(600);
    let received = bench.receive(tester);
    let offer = Offer {
        item: Item::Recording(CallId(4)),
        file_octets: u64::MAX,
        compressed_octets: 10,
        padding_octets: 0,
        weight_octets: 0,
        sha256: [0; 32],
    };
    write_message(&mut guest, &TransferMessage::Offer(offer))
        .await
        .unwrap();
    assert!(matches!(
        received.await.unwrap(),
        Err(TransferError::TooLong {
            item: Item::Recording(CallId(4)),
            octets: u64::MAX
        })
    ));
}

/// Noise between recordings: it leaves no fact, no file and no word of the sink's.
#[tokio::test]
async fn a_made_up_file_is_confirmed_and_nothing_of_it_is_kept() {
    let bench = bench(1);
    let (mut guest, tester) = duplex(600);
    let received = bench.receive(tester);
    let noise = [9; 300];
    let offer = TransferMessage::Offer(Offer::made_up(3, 300));
    write_message(&mut guest, &offer).await.unwrap();
    guest.write_all(&300_u16.to_be_bytes()).await.unwrap();
    guest.write_all(&noise).await.unwrap();
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &noise).as_ref());
    write_message(&mut guest, &Closing { sha256 })
        .await
        .unwrap();
    let receipt: Option<Receipt> = read_message(&mut guest).await.unwrap();
    let confirmed = Receipt {
        item: Item::MadeUp(3),
        refused: None,
    };
    assert_eq!(receipt, Some(confirmed));
    let served = bench.serve(guest);
    assert_eq!(received.await.unwrap().unwrap(), Ended::NoMore);
    assert!(served.await.unwrap());
    bench.assert_complete(1);
    assert_eq!(fs::read_dir(bench.tester.path()).unwrap().count(), 1);
}
