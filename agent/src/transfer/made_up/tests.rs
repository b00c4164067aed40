//! Both ends of a connection for made-up files, joined in memory.

use super::*;
use crate::recording::shelf::Shelf;
use crate::recording::test_load;
use crate::transfer::sender::{Outgoing, TransferTerms, serve_transfer};
use milliwatt_wire::id::End;
use milliwatt_wire::load::{FileSize, LoadSpec, TransferDirection, TransferSpec, TransferWhen};
use milliwatt_wire::step::Flow;
use std::sync::Arc;
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;

const OCTETS: u64 = 40_000;

/// The end that sends made-up files of 40,000 octets, with nothing on its shelf.
struct Sender {
    transfers: Arc<TransferLoad>,
    shelf: Arc<Shelf>,
}

fn sender(end: End) -> Sender {
    let direction = match end {
        End::Guest => TransferDirection::ToTester,
        End::Tester => TransferDirection::ToGuest,
    };
    let load = LoadSpec {
        transfer: TransferSpec {
            when: TransferWhen::Backlog,
            direction,
            size: FileSize::Fixed(OCTETS),
            ..TransferSpec::default()
        },
        ..test_load()
    };
    let transfers = Arc::new(TransferLoad::new(&load, end));
    transfers.set_flow(Flow::Unpaced);
    let shelf = Arc::new(Shelf::new());
    Sender { transfers, shelf }
}

impl Sender {
    fn serve(&self, stream: DuplexStream) -> JoinHandle<Result<(), TransferError>> {
        let (shelf, transfers) = (Arc::clone(&self.shelf), Arc::clone(&self.transfers));
        tokio::spawn(async move {
            let terms = TransferTerms {
                rate_bits_per_second: 8533,
                retry_after: Duration::ZERO,
            };
            let outgoing = Outgoing {
                shelf: &shelf,
                transfers: &transfers,
                terms,
                weigh: &|_| 0.0,
            };
            serve_transfer(stream, &outgoing).await
        })
    }

    fn end(&self) {
        self.transfers.end();
        self.shelf.close();
    }
}

async fn offer(stream: &mut DuplexStream) -> Offer {
    match read_message(stream).await.unwrap() {
        Some(TransferMessage::Offer(offer)) => offer,
        other => panic!("an offer was due, not {other:?}"),
    }
}

/// Either end sends, the other receives; the third file is under way when they are to stop, and is not counted.
#[tokio::test]
async fn files_are_received_checked_and_confirmed_until_they_are_to_stop() {
    for end in [End::Guest, End::Tester] {
        let sender = sender(end);
        let (near, mut far) = duplex(1000);
        let served = sender.serve(near);
        for number in 0..2 {
            let offered = offer(&mut far).await;
            assert_eq!(offered, Offer::made_up(number, OCTETS));
            answer_made_up(&mut far, &offered).await.unwrap();
        }
        let offered = offer(&mut far).await;
        far.read_exact(&mut [0; 10_000]).await.unwrap(); // into the first piece of 16,382
        sender.end();
        // The rest of the piece that was being written, then a length of 0.
        far.read_exact(&mut [0; PIECE_HEADER_OCTETS + PIECE_OCTETS - 10_000])
            .await
            .unwrap();
        assert_eq!(far.read_u16().await.unwrap(), 0);
        assert_eq!(offered.item, Item::MadeUp(2));
        assert_eq!(
            read_message(&mut far).await.unwrap(),
            Some(TransferMessage::NoMore)
        );
        served.await.unwrap().unwrap();
        let counted = sender.transfers.take_counted();
        assert_eq!(
            (counted.under_way, counted.completed, counted.broken),
            (0, 2, 0)
        );
    }
}

#[tokio::test]
async fn a_file_cut_in_its_middle_is_sent_again_from_its_start_and_counted_once() {
    let sender = sender(End::Guest);
    let (near, mut far) = duplex(1000);
    let served = sender.serve(near);
    let first = offer(&mut far).await;
    far.read_exact(&mut vec![0; 30_000]).await.unwrap();
    drop(far);
    assert!(matches!(
        served.await.unwrap(),
        Err(TransferError::Frame(FrameError::Connection(_)))
    ));
    let (near, mut far) = duplex(1000);
    let served = sender.serve(near);
    let again = offer(&mut far).await;
    assert_eq!(again, first);
    answer_made_up(&mut far, &again).await.unwrap();
    assert_eq!(offer(&mut far).await.item, Item::MadeUp(1));
    let counted = sender.transfers.take_counted();
    assert_eq!(
        (counted.under_way, counted.completed, counted.broken),
        (1, 1, 1)
    );
    drop(far);
    assert!(served.await.unwrap().is_err());
}

/// One bit of the noise is turned on the way: the receiver refuses the file, the sender counts it as broken and sends it
/// again over the same connection.
#[tokio::test]
async fn a_checksum_that_does_not_match_is_refused_and_never_counted() {
    let sender = sender(End::Guest);
    let (near, mut far) = duplex(1000);
    let served = sender.serve(near);
    let offered = offer(&mut far).await;
    let mut octets = vec![0; usize::try_from(OCTETS).unwrap() + 3 * PIECE_HEADER_OCTETS];
    far.read_exact(&mut octets).await.unwrap();
    let closing: Closing = read_message(&mut far).await.unwrap().unwrap();
    octets[20_000] ^= 1;
    write_message(&mut octets, &closing).await.unwrap();
    let received = receive_made_up(&mut octets.as_slice(), &offered).await;
    let Received::Damaged(refused) = received.unwrap() else {
        panic!("a bit was turned")
    };
    let receipt = Receipt {
        item: offered.item,
        refused: Some(refused),
    };
    write_message(&mut far, &receipt).await.unwrap();
    let again = offer(&mut far).await;
    assert_eq!(again, offered);
    let counted = sender.transfers.take_counted();
    assert_eq!((counted.completed, counted.broken), (0, 1));
    answer_made_up(&mut far, &again).await.unwrap();
    offer(&mut far).await;
    let counted = sender.transfers.take_counted();
    assert_eq!((counted.completed, counted.broken), (1, 0));
    sender.end();
    drop(far);
    drop(served.await.unwrap());
}

/// The other end reads nothing: the write under way cannot be finished, and the connection is given up.
#[tokio::test]
async fn a_stop_does_not_wait_for_an_end_that_takes_nothing() {
    let sender = sender(End::Guest);
    let (near, mut far) = duplex(1000);
    let served = sender.serve(near);
    offer(&mut far).await;
    sender.transfers.set_flow(Flow::None);
    assert!(matches!(
        served.await.unwrap(),
        Err(TransferError::BrokenOff)
    ));
    assert_eq!(
        sender.transfers.take_counted(),
        crate::transfer::load::Counted::default()
    );
}

/// What a peer may say that is not true: each ends the connection, and no memory is taken for it.
#[tokio::test]
async fn no_length_and_no_file_that_a_peer_names_is_believed() {
    let made_up = Offer::made_up(4, 100);
    let with = |change: fn(&mut Offer)| {
        let mut offer = made_up.clone();
        change(&mut offer);
        offer
    };
    for (offer, why) in [
        (Offer::made_up(4, u64::MAX), "at most"),
        (Offer::made_up(4, 0), "no possible one"),
        (with(|o| o.compressed_octets = 5), "no possible one"),
        (with(|o| o.file_octets = 5), "no possible one"),
        (
            with(|o| o.item = Item::Capture(1)),
            "only made-up files are taken",
        ),
    ] {
        let error = receive_made_up(&mut [].as_slice(), &offer).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    let piece = |length: u16| [&length.to_be_bytes()[..], &[7; 200]].concat();
    for length in [101, 65_535] {
        let error = receive_made_up(&mut piece(length).as_slice(), &made_up).await;
        assert!(matches!(error, Err(ReceiveError::Protocol(_))), "{length}");
    }
    let cut = receive_made_up(&mut piece(60).get(..50).unwrap(), &made_up).await;
    assert!(matches!(cut, Err(ReceiveError::Frame(_))));
    let broken_off = receive_made_up(&mut piece(0).as_slice(), &made_up).await;
    assert_eq!(broken_off.unwrap(), Received::BrokenOff);
}
