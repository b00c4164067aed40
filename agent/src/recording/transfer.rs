//! One transfer connection, on the guest's side.

use super::parcel::{Padding, Parcel, WRITE_OCTETS, weight_octets};
use super::shelf::{Finished, Shelf};
use milliwatt_wire::frame::{FrameError, read_message, write_message};
use milliwatt_wire::id::CallId;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::transfer::{Item, Receipt, TransferMessage};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why a transfer connection ended before its time. The recording under way waits on the shelf.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The connection failed.
    #[error("transfer of recordings broke off: {0}")]
    Frame(#[from] FrameError),
    /// The tester closed it.
    #[error("transfer of recordings broke off: the tester closed the connection")]
    Closed,
    /// The tester said something where it has nothing to say, or spoke of another file.
    #[error("the tester broke the transfer protocol: {0}")]
    Protocol(String),
}

impl From<io::Error> for TransferError {
    fn from(error: io::Error) -> Self {
        Self::Frame(error.into())
    }
}

/// How recordings are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferTerms {
    /// Weight on the wire, bit/s of call time.
    pub rate_bits_per_second: u32,
    /// How long to wait after a refusal before trying again: what the tester lacks now, disk space
    /// above all, it will lack at once too.
    pub retry_after: Duration,
}

impl TransferTerms {
    /// The load's weight, and a second between a refusal and the next attempt.
    #[must_use]
    pub fn new(load: &LoadSpec) -> Self {
        Self {
            rate_bits_per_second: load.recording.rate_bits_per_second,
            retry_after: Duration::from_secs(1),
        }
    }
}

/// Sends recordings from the shelf until it is closed and empty, then says so. A recording that is
/// not confirmed, whatever the reason and also when this future is dropped, is back on the shelf.
///
/// `weigh` gives the call time, s, that a call's recording weighs.
pub async fn serve_transfer<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    shelf: &Shelf,
    terms: TransferTerms,
    weigh: &(dyn Fn(CallId) -> f64 + Sync),
) -> Result<(), TransferError> {
    while let Some(recording) = next_recording(&mut stream, shelf).await? {
        let loan = Loan {
            shelf,
            item: recording.item,
        };
        let weight = match recording.item {
            Item::Recording(call) => weight_octets(terms.rate_bits_per_second, weigh(call)),
            Item::Capture(_) | Item::MadeUp(_) => 0,
        };
        let Some(parcel) = pack(recording, weight, shelf).await else {
            continue;
        };
        let receipt = deliver(&mut stream, &parcel).await?;
        if receipt.refused.is_none() {
            loan.confirm();
        } else {
            drop(loan); // before the pause: another connection may have more luck
            tokio::time::sleep(terms.retry_after).await;
        }
    }
    Ok(write_message(&mut stream, &TransferMessage::NoMore).await?)
}

/// Takes the next recording; meanwhile notices when the tester goes away.
async fn next_recording<S: AsyncRead + Unpin>(
    stream: &mut S,
    shelf: &Shelf,
) -> Result<Option<Finished>, TransferError> {
    let mut octet = [0];
    tokio::select! {
        biased; // a recording that is taken is never dropped for what was read
        recording = shelf.take() => Ok(recording),
        read = stream.read(&mut octet) => match read? {
            0 => Err(TransferError::Closed),
            _ => Err(TransferError::Protocol("it spoke before it was offered a recording".to_owned())),
        },
    }
}

/// Compresses on a thread for blocking work. None when the file cannot be read: it is lost.
async fn pack(recording: Finished, weight: u64, shelf: &Shelf) -> Option<Parcel> {
    let (item, path) = (recording.item, recording.path.clone());
    let packed = tokio::task::spawn_blocking(move || Parcel::pack(&recording, weight)).await;
    match packed.unwrap_or_else(|stopped| Err(io::Error::other(stopped))) {
        Ok(parcel) => Some(parcel),
        Err(error) => {
            let path = path.display();
            shelf.lose(item, format!("{item} cannot be sent: {path}: {error}"));
            None
        }
    }
}

/// Sends one recording and waits for the tester's word on it.
async fn deliver<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    parcel: &Parcel,
) -> Result<Receipt, TransferError> {
    write_message(stream, &TransferMessage::Offer(parcel.offer.clone())).await?;
    for piece in parcel.compressed.chunks(WRITE_OCTETS) {
        stream.write_all(piece).await?;
    }
    let mut padding = Padding::new(parcel.offer.padding_octets);
    while let Some(piece) = padding.next_piece() {
        stream.write_all(piece).await?;
    }
    stream.flush().await?;
    let receipt: Receipt = read_message(stream).await?.ok_or(TransferError::Closed)?;
    if receipt.item == parcel.offer.item {
        Ok(receipt)
    } else {
        let (sent, got) = (parcel.offer.item, receipt.item);
        Err(TransferError::Protocol(format!(
            "expected a receipt for {sent}, got one for {got}"
        )))
    }
}

/// A recording taken from the shelf goes back to it unless it is confirmed.
struct Loan<'a> {
    shelf: &'a Shelf,
    item: Item,
}

impl Loan<'_> {
    fn confirm(&self) {
        if let Err(error) = self.shelf.confirm(self.item) {
            let text = format!(
                "{} is transferred but cannot be deleted: {error}",
                self.item
            );
            self.shelf.report(super::shelf::Trouble {
                item: self.item,
                kind: "recording-stays",
                text,
            });
        }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        self.shelf.give_back(self.item); // does nothing after a confirmation
    }
}

#[cfg(test)]
mod tests {
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
        let shelf = Arc::clone(shelf);
        tokio::spawn(async move { serve_transfer(stream, &shelf, TERMS, &|_| 10.0).await })
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
}
