//! The control connection as the tester sees it: dialled, kept, dialled again. Media never waits
//! for it.

use crate::exit::Failure;
use anyhow::{Context, Result, bail};
use milliwatt_agent::meter::{MeterGuard, Purpose, TcpMeter};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::frame::{ConnectionKind, Hello, PROTOCOL, read_hello, read_message, write_hello, write_message};
use milliwatt_wire::join::Join;
use milliwatt_wire::time::MonoTime;
use milliwatt_wire::tls::{client_config, server_name};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const DIAL: Duration = Duration::from_secs(5);
const REDIAL: Duration = Duration::from_millis(500);

/// How to reach the agent, and as which run.
#[derive(Clone)]
pub(super) struct Dial {
    pub(super) join: Join,
    pub(super) run: u64,
    pub(super) bind: Option<IpAddr>,
    pub(super) meter: Arc<TcpMeter>,
}

/// A connection past TLS, hello and token.
pub(super) struct Connected {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) local: IpAddr,
    pub(super) peer: SocketAddr,
    pub(super) guard: MeterGuard,
}

impl Dial {
    /// Dials the agent's addresses in turn.
    pub(super) async fn connect(&self, kind: ConnectionKind, next_block: u64) -> Result<Connected> {
        let mut last = None;
        for address in &self.join.addresses {
            match timeout(DIAL, self.connect_to(*address, kind, next_block)).await {
                Ok(Ok(connected)) => return Ok(connected),
                Ok(Err(error)) => last = Some(error.context(format!("{address}"))),
                Err(_) => last = Some(anyhow::anyhow!("{address}: no answer in 5 s")),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("the join line names no address")))
    }

    async fn connect_to(&self, address: SocketAddr, kind: ConnectionKind, next_block: u64) -> Result<Connected> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(ip) = self.bind {
            socket.bind(SocketAddr::new(ip, 0)).with_context(|| format!("cannot bind {ip} (--bind)"))?;
        }
        let stream = socket.connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?.ip();
        let purpose = if kind == ConnectionKind::Control { Purpose::Control } else { Purpose::Transfer };
        let guard = self.meter.add(&stream, purpose)?;
        let connector = TlsConnector::from(client_config(self.join.fingerprint)?);
        let mut stream = connector.connect(server_name(), stream).await.context("TLS")?;
        write_hello(&mut stream, &Hello::own(kind)).await?;
        let hello = read_hello(&mut stream).await?;
        if hello.protocol != PROTOCOL {
            bail!(
                "the agent is milliwatt {} and speaks protocol {}, this one speaks {PROTOCOL}: run the same version at both ends",
                hello.program,
                hello.protocol
            );
        }
        let join = ToAgent::Join { token: self.join.token.clone(), run: self.run, next_block };
        write_message(&mut stream, &join).await?;
        Ok(Connected { stream, local, peer: address, guard })
    }
}

/// What the link tells the controller.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// The agent said something, read at this time.
    Message(FromAgent, MonoTime),
    /// The connection broke; it is being dialled again.
    Lost(String),
    /// It stands again.
    Resumed,
    /// The agent could not be reached for too long, or refuses us.
    GaveUp(String),
}

/// The living link: send messages, receive events.
pub(super) struct Link {
    pub(super) to_agent: mpsc::UnboundedSender<ToAgent>,
    pub(super) events: mpsc::Receiver<LinkEvent>,
    pub(super) next_block: Arc<AtomicU64>,
}

impl Link {
    /// Keeps `connected` alive from now on.
    pub(super) fn keep(dial: Dial, connected: Connected, lost_after: Duration) -> Self {
        let (to_agent, outbox) = mpsc::unbounded_channel();
        let (inbox, events) = mpsc::channel(256);
        let next_block = Arc::new(AtomicU64::new(0));
        tokio::spawn(keep_link(dial, connected, lost_after, outbox, inbox, Arc::clone(&next_block)));
        Self { to_agent, events, next_block }
    }

    /// Sends; a link that has given up says so by its event.
    pub(super) fn send(&self, message: ToAgent) {
        drop(self.to_agent.send(message));
    }

    /// The next message that `wanted` accepts, while the run is being set up.
    pub(super) async fn expect<T>(&mut self, what: &str, wanted: impl Fn(FromAgent, MonoTime) -> Option<T>) -> Result<T, Failure> {
        let waiting = async {
            while let Some(event) = self.events.recv().await {
                match event {
                    LinkEvent::Message(FromAgent::Refuse { reason, hint }, _) => {
                        return Err(Failure::could_not_run(format!("the agent refuses: {reason}")).hint(hint));
                    }
                    LinkEvent::Message(message, at) => {
                        if let Some(value) = wanted(message, at) {
                            return Ok(value);
                        }
                    }
                    LinkEvent::Resumed => {}
                    LinkEvent::Lost(why) | LinkEvent::GaveUp(why) => {
                        return Err(Failure::could_not_run(format!("the agent went away while {what}: {why}")));
                    }
                }
            }
            Err(Failure::could_not_run(format!("the agent went away while {what}")))
        };
        let silent = || Failure::could_not_run(format!("the agent said nothing for 30 s while {what}"));
        timeout(Duration::from_secs(30), waiting).await.unwrap_or_else(|_| Err(silent()))
    }
}

async fn keep_link(
    dial: Dial,
    mut connected: Connected,
    lost_after: Duration,
    mut outbox: mpsc::UnboundedReceiver<ToAgent>,
    inbox: mpsc::Sender<LinkEvent>,
    next_block: Arc<AtomicU64>,
) {
    loop {
        let why = match serve_link(connected, &mut outbox, &inbox).await {
            Ok(()) => return,
            Err(error) => format!("{error:#}"),
        };
        if inbox.send(LinkEvent::Lost(why.clone())).await.is_err() {
            return;
        }
        let again = async {
            loop {
                if let Ok(connected) = dial.connect(ConnectionKind::Control, next_block.load(Ordering::Relaxed)).await {
                    return connected;
                }
                sleep(REDIAL).await;
            }
        };
        match timeout(lost_after, again).await {
            Ok(again) => connected = again,
            Err(_) => {
                let text = format!("not reached again for {} s: {why}", lost_after.as_secs());
                drop(inbox.send(LinkEvent::GaveUp(text)).await);
                return;
            }
        }
        if inbox.send(LinkEvent::Resumed).await.is_err() {
            return;
        }
    }
}

/// One connection until it breaks (an error) or the controller is done (no error).
async fn serve_link(connected: Connected, outbox: &mut mpsc::UnboundedReceiver<ToAgent>, inbox: &mpsc::Sender<LinkEvent>) -> Result<()> {
    let Connected { stream, guard: _guard, .. } = connected;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = async {
        loop {
            let message = read_message::<FromAgent>(&mut reader).await?.context("the agent closed the connection")?;
            if inbox.send(LinkEvent::Message(message, mono_now())).await.is_err() {
                return Ok(());
            }
        }
    };
    let writing = async {
        while let Some(message) = outbox.recv().await {
            let last = message == ToAgent::Finish;
            let message = match message {
                ToAgent::Clock { .. } => ToAgent::Clock { t1: mono_now() },
                other => other,
            };
            write_message(&mut writer, &message).await?;
            if last {
                // The agent ends the session first and closes; until then its folder is in use.
                return Ok(());
            }
        }
        Ok(())
    };
    let mut done = false;
    tokio::pin!(reading, writing);
    loop {
        tokio::select! {
            read = &mut reading => return if done { Ok(()) } else { read },
            wrote = &mut writing, if !done => {
                let wrote: Result<()> = wrote;
                wrote?;
                done = true;
            }
        }
    }
}
