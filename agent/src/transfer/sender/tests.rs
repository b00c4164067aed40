//! One connection of the sending end, the other end played by the test.

use super::*;
use milliwatt_wire::transfer::Refusal;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tokio::io::DuplexStream;

const TERMS: TransferTerms = TransferTerms {
    rate_bits_per_second: 8_000,
    retry_after: Duration::ZERO,
};

fn shelf_with(folder: &Path, calls: &[u32]) -> Arc<Shelf> {
    let shelf = Arc::new(Shelf::default());
    for call in calls {
        let path = folder.join(format!("{call}.wav"));
        fs::write(&path, b"RIFF".repeat(500)).unwrap();
        assert!(shelf.claim(2_000, u64::MAX));
        shelf.put(Finished {
            item: Item::Recording(CallId(*call)),
            path,
            octets: 2_000,
        });
    }
    shelf.close();
    shelf
}

/// The tester's end: reads one offer and everything behind it.
async fn read_offer(stream: &mut DuplexStream) -> (milliwatt_wire::transfer::Offer, Vec<u8>) {
    let Some(TransferMessage::Offer(offer)) = read_message(stream).await.unwrap() else {
        panic!("an offer was due")
    };
    let mut octets = vec![0; usize::try_from(offer.wire_octets()).unwrap()];
    stream.read_exact(&mut octets).await.unwrap();
    (offer, octets)
}

async fn answer(stream: &mut DuplexStream, call: u32, refused: Option<Refusal>) {
    write_message(
        stream,
        &Receipt {
            item: Item::Recording(CallId(call)),
            refused,
        },
    )
    .await
    .unwrap();
}

fn serve(
    stream: DuplexStream,
    shelf: &Arc<Shelf>,
) -> tokio::task::JoinHandle<Result<(), TransferError>> {
    serve_all(stream, shelf, &Arc::default())
}

fn serve_all(
    stream: DuplexStream,
    shelf: &Arc<Shelf>,
    transfers: &Arc<TransferLoad>,
) -> tokio::task::JoinHandle<Result<(), TransferError>> {
    let (shelf, transfers) = (Arc::clone(shelf), Arc::clone(transfers));
    tokio::spawn(async move {
        let outgoing = Outgoing {
            shelf: &shelf,
            transfers: &transfers,
            terms: TERMS,
            weigh: &|_| 10.0,
        };
        serve_transfer(stream, &outgoing).await
    })
}

#[tokio::test]
async fn a_refused_recording_is_offered_again_and_a_confirmed_one_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf_with(folder.path(), &[1, 2]);
    let (guest, mut tester) = tokio::io::duplex(1000);
    let served = serve(guest, &shelf);
    let mut offered = Vec::new();
    for refused in [Some(Refusal::NotKept("full".to_owned())), None, None] {
        let (offer, octets) = read_offer(&mut tester).await;
        assert_eq!(
            (offer.file_octets, offer.weight_octets, octets.len()),
            (2_000, 10_000, 10_000)
        );
        let Item::Recording(CallId(call)) = offer.item else {
            panic!("{offer:?}")
        };
        answer(&mut tester, call, refused).await;
        offered.push(call);
    }
    assert_eq!(offered, [1, 2, 1]);
    assert_eq!(
        read_message(&mut tester).await.unwrap(),
        Some(TransferMessage::NoMore)
    );
    served.await.unwrap().unwrap();
    assert_eq!((shelf.pending(), shelf.held()), (0, 0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_connection_broken_in_mid_recording_leaves_it_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf_with(folder.path(), &[1]);
    let (guest, mut tester) = tokio::io::duplex(1000);
    let served = serve(guest, &shelf);
    let _: Option<TransferMessage> = read_message(&mut tester).await.unwrap();
    tester.read_exact(&mut [0; 5000]).await.unwrap();
    drop(tester);
    assert!(matches!(
        served.await.unwrap(),
        Err(TransferError::Frame(FrameError::Connection(_)))
    ));
    assert_eq!(shelf.pending(), 1);

    let (guest, mut tester) = tokio::io::duplex(1000);
    let served = serve(guest, &shelf);
    read_offer(&mut tester).await;
    answer(&mut tester, 1, None).await;
    served.await.unwrap().unwrap();
    assert_eq!(shelf.pending(), 0);
}

#[tokio::test]
async fn a_receipt_for_another_call_confirms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf_with(folder.path(), &[1]);
    let (guest, mut tester) = tokio::io::duplex(1000);
    let served = serve(guest, &shelf);
    read_offer(&mut tester).await;
    answer(&mut tester, 9, None).await;
    let error = served.await.unwrap().unwrap_err().to_string();
    assert!(
        error.ends_with(
            "expected a receipt for recording of call 1, got one for recording of call 9"
        ),
        "{error}"
    );
    assert!(folder.path().join("1.wav").exists());
    assert_eq!(shelf.pending(), 1);
}

#[tokio::test]
async fn a_tester_that_leaves_while_nothing_is_due_is_noticed() {
    let shelf = Arc::new(Shelf::default());
    let (guest, tester) = tokio::io::duplex(1000);
    let served = serve(guest, &shelf);
    drop(tester);
    assert!(matches!(served.await.unwrap(), Err(TransferError::Closed)));
}

#[tokio::test]
async fn a_recording_that_cannot_be_read_is_reported_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = shelf_with(folder.path(), &[1, 2]);
    fs::remove_file(folder.path().join("1.wav")).unwrap();
    let (guest, mut tester) = tokio::io::duplex(1000);
    let served = serve(guest, &shelf);
    assert_eq!(
        read_offer(&mut tester).await.0.item,
        Item::Recording(CallId(2))
    );
    answer(&mut tester, 2, None).await;
    served.await.unwrap().unwrap();
    let troubles = shelf.take_troubles();
    assert_eq!(
        troubles
            .iter()
            .map(|t| (t.item, t.kind))
            .collect::<Vec<_>>(),
        [(Item::Recording(CallId(1)), "recording-lost")]
    );
}
