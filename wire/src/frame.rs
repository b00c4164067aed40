//! Messages on a TCP connection: first a hello that every version can read, then messages in
//! postcard, each behind its length.
//!
//! The hello: `MILLIWATT`, protocol version (u16, big-endian), kind of connection (u8: 0 control,
//! 1 transfer to the tester, 2 transfer to the guest), length (u8) and text of the program's version. This layout never changes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Version of everything after the hello: both ends must have the same.
pub const PROTOCOL: u16 = 6;
/// Longest message, octets.
pub const MESSAGE_OCTETS_MAX: u32 = 4 << 20;

const MAGIC: [u8; 9] = *b"MILLIWATT";
/// The hello up to its text.
const HELLO: usize = 13;

/// Why a message could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The connection failed, or ended within a message.
    #[error("connection lost: {0}")]
    Connection(io::Error),
    /// Not a milliwatt at the other end.
    #[error(
        "the peer does not speak milliwatt's protocol: {0}; is this the address of a milliwatt agent?"
    )]
    NotHello(&'static str),
    /// Longer than [`MESSAGE_OCTETS_MAX`].
    #[error("a message of {octets} octets, at most {MESSAGE_OCTETS_MAX} are allowed")]
    TooLong {
        /// Its length, octets.
        octets: usize,
    },
    /// Not the message that was expected.
    #[error("a message that is not in the form of protocol version {PROTOCOL}: {0}")]
    Malformed(#[from] postcard::Error),
    /// Octets follow the message inside its frame.
    #[error(
        "a message that is not in the form of protocol version {PROTOCOL}: {octets} octets too long"
    )]
    Trailing {
        /// How many.
        octets: usize,
    },
}

impl From<io::Error> for FrameError {
    /// TLS has a long text for a connection that just ended: the plain one is for people.
    fn from(error: io::Error) -> Self {
        Self::Connection(match error.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(
                error.kind(),
                "the other end closed it, or its program ended",
            ),
            _ => error,
        })
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionKind {
    /// Control messages.
    Control,
    /// Transfer of recordings, and of made-up files, to the tester.
    Transfer,
    /// Transfer of made-up files to the guest.
    TransferToGuest,
    /// One that this version does not know.
    Other(u8),
}

impl From<u8> for ConnectionKind {
    fn from(code: u8) -> Self {
        match code {
            0 => Self::Control,
            1 => Self::Transfer,
            2 => Self::TransferToGuest,
            other => Self::Other(other),
        }
    }
}

impl From<ConnectionKind> for u8 {
    fn from(kind: ConnectionKind) -> Self {
        match kind {
            ConnectionKind::Control => 0,
            ConnectionKind::Transfer => 1,
            ConnectionKind::TransferToGuest => 2,
            ConnectionKind::Other(code) => code,
        }
    }
}

/// The first thing each end says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its protocol version: go on only when it is [`PROTOCOL`].
    pub protocol: u16,
    /// What the connection is for.
    pub kind: ConnectionKind,
    /// The program and its version, for people: at most 255 printable ASCII characters.
    pub program: String,
}

impl Hello {
    /// This program's own.
    #[must_use]
    pub fn own(kind: ConnectionKind) -> Self {
        Self {
            protocol: PROTOCOL,
            kind,
            program: concat!("milliwatt ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Says hello.
pub async fn write_hello(
    writer: &mut (impl AsyncWrite + Unpin),
    hello: &Hello,
) -> Result<(), FrameError> {
    let octets = hello.program.len();
    let length = u8::try_from(octets).map_err(|_| FrameError::TooLong { octets })?;
    let mut frame = MAGIC.to_vec();
    frame.extend(hello.protocol.to_be_bytes());
    frame.extend([hello.kind.into(), length]);
    frame.extend(hello.program.as_bytes());
    writer.write_all(&frame).await?;
    Ok(writer.flush().await?)
}

/// Reads the peer's hello. Its text is safe to print: it is refused if it could steer a terminal.
pub async fn read_hello(reader: &mut (impl AsyncRead + Unpin)) -> Result<Hello, FrameError> {
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic).await?;
    if magic != MAGIC {
        return Err(FrameError::NotHello("it does not begin with MILLIWATT"));
    }
    let mut fixed = [0; HELLO - MAGIC.len()];
    reader.read_exact(&mut fixed).await?;
    let [high, low, kind, length] = fixed;
    let mut text = vec![0; usize::from(length)];
    reader.read_exact(&mut text).await?;
    let program = String::from_utf8(text)
        .ok()
        .filter(|text| text.bytes().all(|octet| (0x20..0x7f).contains(&octet)))
        .ok_or(FrameError::NotHello("its version is not printable ASCII"))?;
    Ok(Hello {
        protocol: u16::from_be_bytes([high, low]),
        kind: kind.into(),
        program,
    })
}

/// Writes one message and flushes.
pub async fn write_message<T: Serialize>(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> Result<(), FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4])?;
    let octets = frame.len() - 4;
    let length = u32::try_from(octets)
        .ok()
        .filter(|length| *length <= MESSAGE_OCTETS_MAX);
    let length = length.ok_or(FrameError::TooLong { octets })?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    writer.write_all(&frame).await?;
    Ok(writer.flush().await?)
}

/// Reads one message; none when the peer closed the connection after the last. Not to be
/// cancelled half-way: the rest of the message would be read as the next one's length.
pub async fn read_message<T: DeserializeOwned>(
    reader: &mut (impl AsyncRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let prefix = read_up_to(reader, 4).await?;
    let Ok(prefix) = <[u8; 4]>::try_from(prefix.as_slice()) else {
        return if prefix.is_empty() {
            Ok(None)
        } else {
            Err(cut_short())
        };
    };
    let length = u32::from_be_bytes(prefix);
    if length > MESSAGE_OCTETS_MAX {
        return Err(FrameError::TooLong {
            octets: usize::try_from(length).unwrap_or(usize::MAX),
        });
    }
    let frame = read_up_to(reader, length).await?;
    if frame.len() < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(cut_short());
    }
    match postcard::take_from_bytes(&frame)? {
        (message, []) => Ok(Some(message)),
        (_, rest) => Err(FrameError::Trailing { octets: rest.len() }),
    }
}

/// Grows with what comes, so that a length alone takes no memory.
async fn read_up_to(reader: &mut (impl AsyncRead + Unpin), octets: u32) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    reader.take(octets.into()).read_to_end(&mut read).await?;
    Ok(read)
}

fn cut_short() -> FrameError {
    FrameError::Connection(io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "it ended within a message",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Fact;
    use proptest::prelude::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// Memory is always ready.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("reading from memory waits for nothing"),
        }
    }

    fn frame_of(text: &str) -> Vec<u8> {
        let mut frame = Vec::new();
        now(write_message(&mut frame, &text)).unwrap();
        frame
    }

    #[test]
    fn the_hello_has_its_layout() {
        let mut octets = Vec::new();
        let hello = Hello {
            protocol: 0x0102,
            kind: ConnectionKind::Transfer,
            program: "mw 1".to_owned(),
        };
        now(write_hello(&mut octets, &hello)).unwrap();
        assert_eq!(octets, b"MILLIWATT\x01\x02\x01\x04mw 1");
    }

    #[test]
    fn something_else_at_the_port_is_told_by_its_first_octets() {
        let answer = b"HTTP/1.1 400 Bad Request".as_slice();
        let error = now(read_hello(&mut &*answer)).unwrap_err();
        assert!(
            error.to_string().contains("does not begin with MILLIWATT"),
            "{error}"
        );
    }

    #[test]
    fn a_version_that_could_steer_a_terminal_is_refused() {
        let octets = b"MILLIWATT\x00\x01\x00\x04\x1b[2J".as_slice();
        assert!(matches!(
            now(read_hello(&mut &*octets)),
            Err(FrameError::NotHello(_))
        ));
    }

    #[test]
    fn a_message_has_its_length_before_it_and_the_end_is_none() {
        let frame = frame_of("mW");
        assert_eq!(frame, [0, 0, 0, 3, 2, b'm', b'W']);
        let mut reader = frame.as_slice();
        assert_eq!(
            now(read_message::<String>(&mut reader)).unwrap().as_deref(),
            Some("mW")
        );
        assert_eq!(now(read_message::<String>(&mut reader)).unwrap(), None);
    }

    #[test]
    fn a_message_cut_anywhere_is_a_lost_connection() {
        let frame = frame_of("milliwatt");
        for cut in 1..frame.len() {
            let error = now(read_message::<String>(&mut &frame[..cut])).unwrap_err();
            assert!(
                matches!(error, FrameError::Connection(_)),
                "cut at {cut}: {error}"
            );
        }
    }

    #[test]
    fn a_message_over_the_bound_is_neither_written_nor_awaited() {
        let text = "x".repeat(MESSAGE_OCTETS_MAX as usize);
        let written = now(write_message(&mut Vec::new(), &text));
        assert!(matches!(written, Err(FrameError::TooLong { .. })));
        let length = (MESSAGE_OCTETS_MAX + 1).to_be_bytes();
        let read = now(read_message::<String>(&mut length.as_slice()));
        assert!(matches!(
            read,
            Err(FrameError::TooLong { octets: 4_194_305 })
        ));
    }

    #[test]
    fn octets_after_the_message_in_its_frame_are_an_error() {
        let frame = [0, 0, 0, 4, 2, b'm', b'W', 0];
        let read = now(read_message::<String>(&mut frame.as_slice()));
        assert!(matches!(read, Err(FrameError::Trailing { octets: 1 })));
    }

    proptest! {
        #[test]
        fn a_hello_is_read_as_it_was_said(protocol: u16, kind: u8, program in "[ -~]{0,255}") {
            let hello = Hello { protocol, kind: kind.into(), program };
            let mut octets = Vec::new();
            now(write_hello(&mut octets, &hello)).unwrap();
            prop_assert_eq!(now(read_hello(&mut octets.as_slice())).unwrap(), hello);
        }

        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>) {
            let mut frame = u32::try_from(octets.len()).unwrap().to_be_bytes().to_vec();
            frame.extend(&octets);
            if let Ok(Some(fact)) = now(read_message::<Fact>(&mut frame.as_slice())) {
                prop_assert_eq!(format!("{:?}", postcard::from_bytes::<Fact>(&octets).unwrap()), format!("{fact:?}"));
            }
            let hello = [MAGIC.as_slice(), &octets].concat();
            if let Ok(hello) = now(read_hello(&mut hello.as_slice())) {
                prop_assert!(hello.program.is_ascii());
            }
        }
    }
}
