//! A made-up file on a connection: sent in pieces until it is whole or to stop, received into nothing but a checksum.

use super::TransferLoad;
use super::load::Leave;
use super::sender::{TransferError, take_receipt};
use milliwatt_generator::transfer::{Content, MadeUpFile, network_octets};
use milliwatt_wire::frame::{FrameError, read_message, write_message};
use milliwatt_wire::transfer::{
    Closing, FILE_OCTETS_MAX, Item, Offer, PIECE_HEADER_OCTETS, PIECE_OCTETS, Receipt, Refusal,
    TransferMessage,
};
use ring::digest::{Context, SHA256};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

/// A write that is under way when made-up files are to stop is given so long; then the connection is given up.
const GRACE: Duration = Duration::from_millis(200);
/// Within a file, the next piece comes within this time, or its sender is gone.
const PIECE_PATIENCE: Duration = Duration::from_mins(1);

/// Sends one made-up file, as long as they are to flow; whether it was refused.
pub(super) async fn send_made_up<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    (file, leave): (MadeUpFile, Leave),
    transfers: &TransferLoad,
) -> Result<bool, TransferError> {
    let under_way = transfers.begin(Some(file));
    let mut sending = Sending {
        stream,
        transfers,
        leave,
    };
    let sha256 = match sending.send(file).await {
        Ok(Some(sha256)) => sha256,
        Ok(None) => {
            under_way.break_off();
            return Ok(false);
        }
        Err(TransferError::BrokenOff) => {
            under_way.break_off();
            return Err(TransferError::BrokenOff);
        }
        Err(error) => return Err(error),
    };
    write_message(stream, &Closing { sha256 }).await?;
    let receipt = take_receipt(stream, Item::MadeUp(file.number)).await?;
    if receipt.refused.is_some() {
        return Ok(true);
    }
    under_way.complete();
    Ok(false)
}

struct Sending<'a, S> {
    stream: &'a mut S,
    transfers: &'a TransferLoad,
    leave: Leave,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sending<'_, S> {
    /// Sends offer and pieces: the checksum, or none when the file was broken off.
    async fn send(&mut self, file: MadeUpFile) -> Result<Option<[u8; 32]>, TransferError> {
        let offer = TransferMessage::Offer(Offer::made_up(file.number, file.octets));
        write_message(self.stream, &offer).await?;
        let mut content = file.content();
        let mut piece = vec![0; PIECE_HEADER_OCTETS + PIECE_OCTETS];
        loop {
            let length = fill(&mut content, &mut piece);
            if length == 0 {
                return Ok(Some(content.sha256()));
            }
            let cost = network_octets(length as u64);
            if !self.transfers.permit(cost, Some(self.leave)).await {
                self.write(&[0; PIECE_HEADER_OCTETS]).await?;
                return Ok(None);
            }
            self.write(piece.get(..length).unwrap_or_default()).await?;
        }
    }

    /// Half a piece would spoil the connection: one that cannot be finished soon after the stop ends it.
    async fn write(&mut self, octets: &[u8]) -> Result<(), TransferError> {
        let stopped = async {
            self.transfers.stopped(self.leave).await;
            sleep(GRACE).await;
        };
        let writing = async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        };
        tokio::select! {
            biased;
            written = writing => Ok(written?),
            () = stopped => Err(TransferError::BrokenOff),
        }
    }
}

/// The next piece behind its length: how many octets both have, 0 at the end.
fn fill(content: &mut Content, piece: &mut [u8]) -> usize {
    let Some((header, room)) = piece.split_first_chunk_mut::<PIECE_HEADER_OCTETS>() else {
        return 0;
    };
    let length = content.fill(room);
    *header = u16::try_from(length).unwrap_or(0).to_be_bytes();
    if length == 0 {
        0
    } else {
        header.len() + length
    }
}

/// Why files that come cannot be taken any more over a connection.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The connection failed.
    #[error("transfer of made-up files broke off: {0}")]
    Frame(#[from] FrameError),
    /// Longer than any file may be.
    #[error("a {item} of {octets} octets is offered, at most {FILE_OCTETS_MAX} are allowed")]
    TooLong {
        /// What it is.
        item: Item,
        /// The length that was named, octets.
        octets: u64,
    },
    /// Not what may be said here.
    #[error("the other end broke the transfer protocol: {0}")]
    Protocol(String),
    /// Nothing came any more in the middle of a file.
    #[error("no piece of a made-up file for {} s", PIECE_PATIENCE.as_secs())]
    Silent,
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> Self {
        Self::Frame(error.into())
    }
}

/// Takes made-up files until the other end has no more or closes the connection. Nothing of them is kept.
pub async fn receive_files<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
) -> Result<(), ReceiveError> {
    loop {
        match read_message(&mut stream).await? {
            None | Some(TransferMessage::NoMore) => return Ok(()),
            Some(TransferMessage::Offer(offer)) => answer_made_up(&mut stream, &offer).await?,
        }
    }
}

/// Receives the made-up file of an offer, and answers it unless it was broken off. A sender that falls silent in the
/// middle of it is given up.
pub async fn answer_made_up<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    offer: &Offer,
) -> Result<(), ReceiveError> {
    let mut reception = Reception::new(offer)?;
    let received = loop {
        let step = timeout(PIECE_PATIENCE, reception.step(stream)).await;
        if let Some(received) = step.map_err(|_| ReceiveError::Silent)?? {
            break received;
        }
    };
    let refused = match received {
        Received::BrokenOff => return Ok(()),
        Received::Whole => None,
        Received::Damaged(refusal) => Some(refusal),
    };
    let item = offer.item;
    Ok(write_message(stream, &Receipt { item, refused }).await?)
}

/// Receives one made-up file into nothing, however long its sender takes.
pub async fn receive_made_up<S: AsyncRead + Unpin>(
    stream: &mut S,
    offer: &Offer,
) -> Result<Received, ReceiveError> {
    let mut reception = Reception::new(offer)?;
    loop {
        if let Some(received) = reception.step(stream).await? {
            return Ok(received);
        }
    }
}

/// What became of a made-up file that was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Its sender broke it off: it is not answered.
    BrokenOff,
    /// It came whole, and its checksum is right.
    Whole,
    /// It is not what was sent.
    Damaged(Refusal),
}

/// A made-up file that is coming.
struct Reception {
    left: u64,
    digest: Context,
    piece: Vec<u8>,
}

impl Reception {
    fn new(offer: &Offer) -> Result<Self, ReceiveError> {
        Ok(Self {
            left: made_up_octets(offer)?,
            digest: Context::new(&SHA256),
            piece: vec![0; PIECE_OCTETS],
        })
    }

    /// Takes the next piece or the closing: none while more is due.
    async fn step<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
    ) -> Result<Option<Received>, ReceiveError> {
        if self.left == 0 {
            let closing: Option<Closing> = read_message(stream).await?;
            let closing = closing.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            return Ok(Some(self.conclude(&closing)));
        }
        let octets = read_piece(stream, &mut self.piece, self.left).await?;
        self.digest.update(octets);
        self.left -= octets.len() as u64;
        Ok(octets.is_empty().then_some(Received::BrokenOff))
    }

    fn conclude(&self, closing: &Closing) -> Received {
        if self.digest.clone().finish().as_ref() == closing.sha256 {
            Received::Whole
        } else {
            let text = "its SHA-256 is not that of what was sent";
            Received::Damaged(Refusal::Damaged(text.to_owned()))
        }
    }
}

/// The length of a made-up file, once all that is said of it is possible.
fn made_up_octets(offer: &Offer) -> Result<u64, ReceiveError> {
    let (item, octets) = (offer.item, offer.padding_octets);
    let Item::MadeUp(number) = item else {
        let text = format!("a {item} is offered where only made-up files are taken");
        return Err(ReceiveError::Protocol(text));
    };
    if octets > FILE_OCTETS_MAX {
        return Err(ReceiveError::TooLong { item, octets });
    }
    if octets == 0 || *offer != Offer::made_up(number, octets) {
        return Err(ReceiveError::Protocol(format!("{item} is no possible one")));
    }
    Ok(octets)
}

/// The next piece, at most `left` octets; empty when the file is broken off.
async fn read_piece<'p, S: AsyncRead + Unpin>(
    stream: &mut S,
    piece: &'p mut [u8],
    left: u64,
) -> Result<&'p [u8], ReceiveError> {
    let length = usize::from(stream.read_u16().await?);
    let room = piece.len();
    let piece = piece
        .get_mut(..length)
        .filter(|piece| piece.len() as u64 <= left)
        .ok_or_else(|| {
            let text = format!("a piece of {length} octets, where {left} are due, {room} at most");
            ReceiveError::Protocol(text)
        })?;
    stream.read_exact(piece).await?;
    Ok(piece)
}

#[cfg(test)]
mod tests;
