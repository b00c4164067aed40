//! Dialling the agent: TCP, TLS, hello and token, and what stood in the way, told apart.

use milliwatt_agent::meter::{MeterGuard, Purpose, TcpMeter};
use milliwatt_wire::control::{Accept, FromAgent, ToAgent};
use milliwatt_wire::frame::{
    ConnectionKind, FrameError, Hello, PROTOCOL, read_hello, read_message, write_hello,
    write_message,
};
use milliwatt_wire::join::Join;
use milliwatt_wire::socket::bound_silence;
use milliwatt_wire::tls::{FingerprintMismatch, TlsError, client_config, server_name};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For the connection, and once more for what is said on it first.
const PATIENCE: Duration = Duration::from_secs(5);

/// How to reach the agent, and as which run.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) join: Join,
    pub(super) run: u64,
    pub(super) bind: Option<IpAddr>,
    pub(super) meter: Arc<TcpMeter>,
    /// The number of the neighbour that is dialled; none is the guest.
    pub(super) neighbour: Option<u32>,
}

/// A connection past TLS, hello and token.
pub(super) struct Connected {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) local: IpAddr,
    pub(super) peer: SocketAddr,
    pub(super) guard: MeterGuard,
}

/// What stood in the way at one address.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// Our own address.
    #[error("cannot use {0} as the local address: {1}")]
    Bind(IpAddr, io::Error),
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// No connection, and nobody says why.
    #[error("no answer in {} s", PATIENCE.as_secs())]
    NoAnswer,
    /// A connection on which nothing comes.
    #[error("it takes the connection and then says nothing for {} s: it is frozen, or no milliwatt agent", PATIENCE.as_secs())]
    Mute,
    /// Another agent, or something in between.
    #[error("{0}")]
    Fingerprint(String),
    /// Something else listens there.
    #[error("what listens there does not speak as a milliwatt agent does: {0}")]
    Stranger(String),
    /// Another version.
    #[error("the agent is {program} and speaks protocol {protocol}, this one speaks {PROTOCOL}")]
    Version {
        /// The agent's program and its version.
        program: String,
        /// Its protocol.
        protocol: u16,
    },
    /// The agent knows us and does not want us.
    #[error("the agent refuses: {reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// The connection broke in the middle of all this.
    #[error(transparent)]
    Broken(FrameError),
    /// TLS cannot be set up on this side.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl From<FrameError> for DialError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Connection(_) => Self::Broken(error),
            other => Self::Stranger(other.to_string()),
        }
    }
}

/// Every address of the join line was tried, in vain.
#[derive(Debug)]
pub(super) struct Unreached(pub(super) Vec<(SocketAddr, DialError)>);

impl Unreached {
    /// The error that says most: one of an address where something answered, else the last.
    pub(super) fn telling(&self) -> Option<&DialError> {
        let errors = || self.0.iter().map(|(_, error)| error);
        let mute =
            |error: &&DialError| matches!(error, DialError::Connect(_) | DialError::NoAnswer);
        errors().find(|error| !mute(error)).or(errors().next_back())
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, error)) in self.0.iter().enumerate() {
            write!(
                f,
                "{}{address}: {error}",
                if index == 0 { "" } else { "\n" }
            )?;
        }
        Ok(())
    }
}

impl Dial {
    /// Dials for control: the connection, and the agent's word on us and on whether it knows this
    /// run already.
    pub(super) async fn control(&self, next_block: u64) -> Result<(Connected, Accept), Unreached> {
        let mut failed = Vec::new();
        for address in &self.join.addresses {
            match self.join_control(*address, next_block).await {
                Ok(joined) => return Ok(joined),
                Err(error) => failed.push((*address, error)),
            }
        }
        Err(Unreached(failed))
    }

    async fn join_control(
        &self,
        address: SocketAddr,
        next_block: u64,
    ) -> Result<(Connected, Accept), DialError> {
        let mut connected = self
            .open(address, ConnectionKind::Control, next_block)
            .await?;
        let first = within(
            PATIENCE,
            DialError::Mute,
            read_message(&mut connected.stream),
        )
        .await?;
        match first {
            Some(FromAgent::Accept(accept)) => Ok((connected, accept)),
            Some(FromAgent::Refuse { reason, hint }) => Err(DialError::Refused { reason, hint }),
            Some(_) => Err(DialError::Stranger(
                "it was to accept or refuse first".into(),
            )),
            None => Err(FrameError::from(io::Error::from(io::ErrorKind::UnexpectedEof)).into()),
        }
    }

    /// Dials for the transfer of files, to one end or the other.
    pub(super) async fn transfer(&self, kind: ConnectionKind) -> Result<Connected, Unreached> {
        let mut failed = Vec::new();
        for address in &self.join.addresses {
            match self.open_transfer(*address, kind).await {
                Ok(connected) => return Ok(connected),
                Err(error) => failed.push((*address, error)),
            }
        }
        Err(Unreached(failed))
    }

    async fn open_transfer(
        &self,
        address: SocketAddr,
        kind: ConnectionKind,
    ) -> Result<Connected, DialError> {
        let connected = self.open(address, kind, 0).await?;
        bound_silence(connected.stream.get_ref().0).map_err(DialError::Connect)?;
        Ok(connected)
    }

    async fn open(
        &self,
        address: SocketAddr,
        kind: ConnectionKind,
        next_block: u64,
    ) -> Result<Connected, DialError> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        };
        let socket = socket.map_err(DialError::Connect)?;
        if let Some(ip) = self.bind {
            socket
                .bind(SocketAddr::new(ip, 0))
                .map_err(|e| DialError::Bind(ip, e))?;
        }
        let connecting = async { socket.connect(address).await.map_err(DialError::Connect) };
        let stream = within(PATIENCE, DialError::NoAnswer, connecting).await?;
        stream.set_nodelay(true).map_err(DialError::Connect)?;
        let local = stream.local_addr().map_err(DialError::Connect)?.ip();
        let purpose = match kind {
            ConnectionKind::Transfer => Purpose::Reception,
            ConnectionKind::TransferToGuest => Purpose::Transfer,
            ConnectionKind::Control | ConnectionKind::Other(_) => Purpose::Control,
        };
        let guard = self
            .meter
            .add(&stream, purpose)
            .map_err(DialError::Connect)?;
        let stream = within(
            PATIENCE,
            DialError::Mute,
            self.introduce(stream, kind, next_block),
        )
        .await?;
        Ok(Connected {
            stream,
            local,
            peer: address,
            guard,
        })
    }

    async fn introduce(
        &self,
        stream: TcpStream,
        kind: ConnectionKind,
        next_block: u64,
    ) -> Result<TlsStream<TcpStream>, DialError> {
        let connector = TlsConnector::from(client_config(self.join.fingerprint)?);
        let mut stream = connector
            .connect(server_name(), stream)
            .await
            .map_err(handshake_error)?;
        write_hello(&mut stream, &Hello::own(kind)).await?;
        let hello = read_hello(&mut stream).await?;
        if hello.protocol != PROTOCOL {
            return Err(DialError::Version {
                program: hello.program,
                protocol: hello.protocol,
            });
        }
        let join = ToAgent::Join {
            token: self.join.token.clone(),
            run: self.run,
            next_block,
        };
        write_message(&mut stream, &join).await?;
        Ok(stream)
    }
}

/// Waits so long for it and no longer.
async fn within<T, E: Into<DialError>>(
    time: Duration,
    late: DialError,
    it: impl Future<Output = Result<T, E>>,
) -> Result<T, DialError> {
    timeout(time, it)
        .await
        .map_err(|_| late)?
        .map_err(Into::into)
}

/// rustls' errors come inside those of the connection.
fn handshake_error(error: io::Error) -> DialError {
    use rustls::{CertificateError, Error, OtherError};
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(CertificateError::Other(OtherError(why))))
            if why.is::<FingerprintMismatch>() =>
        {
            DialError::Fingerprint(why.to_string())
        }
        Some(other) => DialError::Stranger(other.to_string()),
        None => DialError::Broken(error.into()),
    }
}
