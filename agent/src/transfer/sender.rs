//! One transfer connection of the end that sends: the guest's recordings, and made-up files of either end.

use super::TransferLoad;
use super::load::Leave;
use super::made_up::send_made_up;
use crate::recording::parcel::{Padding, Parcel, WRITE_OCTETS, weight_octets};
use crate::recording::shelf::{Finished, Shelf, Trouble};
use milliwatt_generator::transfer::{MadeUpFile, network_octets};
use milliwatt_wire::frame::{FrameError, read_message, write_message};
use milliwatt_wire::id::CallId;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::transfer::{Item, Receipt, TransferMessage};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Octets that may wait in a connection for their first transmission, where made-up files go over it: they cannot be
/// taken back when those are to stop.
pub const UNSENT_OCTETS: u32 = 128 << 10;

/// Why a transfer connection ended before its time. The file under way is sent again over another.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The connection failed.
    #[error("transfer of recordings broke off: {0}")]
    Frame(#[from] FrameError),
    /// The other end closed it.
    #[error("transfer of recordings broke off: the other end closed the connection")]
    Closed,
    /// The other end said something where it has nothing to say, or spoke of another file.
    #[error("the other end broke the transfer protocol: {0}")]
    Protocol(String),
    /// Made-up files were to stop, and the other end took nothing: what it was owed cannot be said any more.
    #[error("a made-up file was broken off while the other end took nothing")]
    BrokenOff,
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

/// What a connection sends from.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Recordings. They go first; closed and empty, it ends the connection.
    pub shelf: &'a Shelf,
    /// Made-up files, and the pace of all.
    pub transfers: &'a TransferLoad,
    /// How recordings are sent.
    pub terms: TransferTerms,
    /// The call time, s, that a call's recording weighs.
    pub weigh: &'a (dyn Fn(CallId) -> f64 + Sync),
}

enum Next {
    Finished(Finished),
    MadeUp(MadeUpFile, Leave),
}

/// Sends recordings from the shelf until it is closed and empty, then says so; and made-up files while they are to flow
/// and no recording waits. A recording that is not confirmed, whatever the reason and also when this future is dropped,
/// is back on the shelf, and a made-up file is sent again.
pub async fn serve_transfer<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    outgoing: &Outgoing<'_>,
) -> Result<(), TransferError> {
    while let Some(next) = next_file(&mut stream, outgoing).await? {
        let is_refused = match next {
            Next::Finished(file) => send_finished(&mut stream, file, outgoing).await?,
            Next::MadeUp(file, leave) => {
                send_made_up(&mut stream, (file, leave), outgoing.transfers).await?
            }
        };
        if is_refused {
            // It waits already: another connection may have more luck.
            tokio::time::sleep(outgoing.terms.retry_after).await;
        }
    }
    Ok(write_message(&mut stream, &TransferMessage::NoMore).await?)
}

/// Sends one file from the shelf; whether it was refused.
async fn send_finished<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    file: Finished,
    outgoing: &Outgoing<'_>,
) -> Result<bool, TransferError> {
    let Outgoing {
        shelf, transfers, ..
    } = *outgoing;
    let loan = Loan {
        shelf,
        item: file.item,
    };
    let weight = match file.item {
        Item::Recording(call) => {
            weight_octets(outgoing.terms.rate_bits_per_second, (outgoing.weigh)(call))
        }
        Item::Capture(_) | Item::MadeUp(_) => 0,
    };
    let Some(parcel) = pack(file, weight, shelf).await else {
        return Ok(false);
    };
    let under_way = transfers.begin(None);
    let receipt = deliver(stream, &parcel, transfers).await?;
    if receipt.refused.is_some() {
        return Ok(true);
    }
    under_way.complete();
    loan.confirm();
    Ok(false)
}

/// Takes the next file, a recording before a made-up one; meanwhile notices when the other end goes away.
async fn next_file<S: AsyncRead + Unpin>(
    stream: &mut S,
    outgoing: &Outgoing<'_>,
) -> Result<Option<Next>, TransferError> {
    let mut octet = [0];
    tokio::select! {
        biased; // a file that is taken is never dropped for what was read
        recording = outgoing.shelf.take() => Ok(recording.map(Next::Finished)),
        (file, leave) = outgoing.transfers.next_made_up() => Ok(Some(Next::MadeUp(file, leave))),
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

/// Sends one file of the shelf and waits for the other end's word on it.
async fn deliver<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    parcel: &Parcel,
    transfers: &TransferLoad,
) -> Result<Receipt, TransferError> {
    write_message(stream, &TransferMessage::Offer(parcel.offer.clone())).await?;
    for piece in parcel.compressed.chunks(WRITE_OCTETS) {
        write_paced(stream, piece, transfers).await?;
    }
    let mut padding = Padding::new(parcel.offer.padding_octets);
    while let Some(piece) = padding.next_piece() {
        write_paced(stream, piece, transfers).await?;
    }
    stream.flush().await?;
    take_receipt(stream, parcel.offer.item).await
}

async fn write_paced<S: AsyncWrite + Unpin>(
    stream: &mut S,
    piece: &[u8],
    transfers: &TransferLoad,
) -> Result<(), TransferError> {
    transfers
        .permit(network_octets(piece.len() as u64), None)
        .await;
    Ok(stream.write_all(piece).await?)
}

/// The other end's word on what it was sent last.
pub(super) async fn take_receipt<S: AsyncRead + Unpin>(
    stream: &mut S,
    sent: Item,
) -> Result<Receipt, TransferError> {
    let receipt: Receipt = read_message(stream).await?.ok_or(TransferError::Closed)?;
    if receipt.item == sent {
        Ok(receipt)
    } else {
        let got = receipt.item;
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
            self.shelf.report(Trouble {
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
mod tests;
