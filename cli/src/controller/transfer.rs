//! One transfer connection, on the tester's side: the storage server's part.

use super::recordings::RecordingSink;
use milliwatt_agent::transfer::made_up::{ReceiveError, answer_made_up};
use milliwatt_wire::frame::{FrameError, read_message, write_message};
use milliwatt_wire::transfer::{FILE_OCTETS_MAX, Item, Offer, Receipt, Refusal, TransferMessage};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, copy, sink};

/// How a transfer connection ended in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every recording has been confirmed and none will come.
    NoMore,
    /// The guest closed the connection between two recordings: more may come over another.
    Closed,
}

/// Why a transfer connection broke. What had not been confirmed is with the guest still.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The connection failed.
    #[error("transfer of recordings broke off: {0}")]
    Frame(#[from] FrameError),
    /// The guest offers what no recording can be.
    #[error(
        "the guest offers a {item} that is {octets} octets long, at most {FILE_OCTETS_MAX} are allowed"
    )]
    TooLong {
        /// What it is.
        item: Item,
        /// The largest of the lengths that it named, octets.
        octets: u64,
    },
    /// A made-up file could not be received.
    #[error(transparent)]
    MadeUp(#[from] ReceiveError),
    /// Scoring failed as a program.
    #[error("the scoring of a recording stopped: {0}")]
    Scoring(#[from] tokio::task::JoinError),
}

impl From<io::Error> for TransferError {
    fn from(error: io::Error) -> Self {
        Self::Frame(error.into())
    }
}

/// Receives recordings until the guest has no more. Each is checked, scored and kept before it is
/// confirmed, so that a confirmed one is never lost. Made-up files are checked and thrown away.
pub async fn receive_recordings<S>(
    mut stream: S,
    sink: Arc<RecordingSink>,
) -> Result<Ended, TransferError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match read_message(&mut stream).await? {
            None => return Ok(Ended::Closed),
            Some(TransferMessage::NoMore) => return Ok(Ended::NoMore),
            Some(TransferMessage::Offer(offer)) if matches!(offer.item, Item::MadeUp(_)) => {
                answer_made_up(&mut stream, &offer).await?;
            }
            Some(TransferMessage::Offer(offer)) => {
                let item = offer.item;
                let refused = receive(&mut stream, offer, &sink).await?.err();
                write_message(&mut stream, &Receipt { item, refused }).await?;
            }
        }
    }
}

/// Receives the octets of one offer and has them judged on a thread for blocking work.
async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    offer: Offer,
    recordings: &Arc<RecordingSink>,
) -> Result<Result<(), Refusal>, TransferError> {
    check_lengths(&offer)?;
    recordings.count_attempt(offer.item);
    let mut compressed = Vec::new(); // grows with what comes, not with what was announced
    stream
        .take(offer.compressed_octets)
        .read_to_end(&mut compressed)
        .await?;
    let padding = copy(&mut stream.take(offer.padding_octets), &mut sink()).await?;
    if compressed.len() as u64 + padding < offer.wire_octets() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let recordings = Arc::clone(recordings);
    Ok(tokio::task::spawn_blocking(move || recordings.accept(&offer, &compressed)).await?)
}

fn check_lengths(offer: &Offer) -> Result<(), TransferError> {
    let lengths = [
        offer.file_octets,
        offer.compressed_octets,
        offer.padding_octets,
    ];
    match lengths.into_iter().max() {
        Some(octets) if octets > FILE_OCTETS_MAX => Err(TransferError::TooLong {
            item: offer.item,
            octets,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
