//! The agent's one TCP port: TLS, hello, token, then control or transfer.

mod control;

use crate::limits::{Limits, Refusal};
use crate::meter::Purpose;
use crate::output::complain;
use crate::session::Session;
use crate::telemetry::{environment, own_addresses};
use crate::transfer::made_up::receive_files;
use crate::transfer::sender::{Outgoing, UNSENT_OCTETS, serve_transfer};
use anyhow::{Context, Result, bail};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::frame::{
    ConnectionKind, Hello, PROTOCOL, read_hello, read_message, write_hello, write_message,
};
use milliwatt_wire::join::Join;
use milliwatt_wire::socket::{bound_silence, bound_unsent};
use milliwatt_wire::time::NS_PER_SECOND;
use milliwatt_wire::tls::Identity;
use ring::digest;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A connection that has not proven itself by then is dropped.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How the agent was started.
#[derive(Clone, Debug)]
pub struct AgentOptions {
    /// Where to listen, TCP.
    pub listen: SocketAddr,
    /// The folder it writes in, and nowhere else.
    pub dir: PathBuf,
    /// The token; none draws one.
    pub token: Option<String>,
    /// Addresses of the join line instead of the listening one.
    pub advertise: Vec<SocketAddr>,
    /// Media address instead of the control connection's own.
    pub bind: Option<IpAddr>,
    /// Its limits.
    pub limits: Limits,
    /// A session whose tester has said nothing for so long is ended, ns.
    pub tester_lost_after: i64,
}

struct Agent {
    options: AgentOptions,
    token: String,
    engines: u32,
    session: Mutex<Option<Arc<Session>>>,
}

/// Serves testers until the future is dropped; `announce` is told the join line once the port is open.
pub async fn serve(options: AgentOptions, announce: impl FnOnce(&Join)) -> Result<()> {
    std::fs::create_dir_all(&options.dir).with_context(|| {
        format!(
            "cannot make the agent's folder {} (--dir)",
            options.dir.display()
        )
    })?;
    // A tester that dials waits 5 s for an answer: nothing of them is to go into this.
    environment::prepare();
    let identity = Identity::load_or_generate(&options.dir.join("identity.pem"))?;
    let acceptor = TlsAcceptor::from(identity.server_config()?);
    let listener = TcpListener::bind(options.listen).await.with_context(|| {
        format!(
            "cannot listen on {} (--listen): is another agent running there?",
            options.listen
        )
    })?;
    let token = options
        .token
        .clone()
        .unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let addresses = if options.advertise.is_empty() {
        listener_addresses(&listener)?
    } else {
        options.advertise.clone()
    };
    announce(&Join {
        addresses,
        fingerprint: identity.fingerprint(),
        token: token.clone(),
    });
    let engines =
        std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    let agent = Arc::new(Agent {
        options,
        token,
        engines,
        session: Mutex::new(None),
    });
    tokio::spawn(watch_session(Arc::clone(&agent)));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, above all: it passes, and the run under way must not end by it.
                complain(&format!("a connection could not be taken: {error}"));
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (agent, acceptor) = (Arc::clone(&agent), acceptor.clone());
        tokio::spawn(async move {
            if let Err(error) = agent.connection(stream, peer, acceptor).await {
                complain(&format!("{peer}: {error:#}"));
            }
        });
    }
}

/// The listening address, or every address of this machine when it is a wildcard.
fn listener_addresses(listener: &TcpListener) -> Result<Vec<SocketAddr>> {
    let local = listener.local_addr()?;
    if !local.ip().is_unspecified() {
        return Ok(vec![local]);
    }
    let found = own_addresses();
    let mut addresses: Vec<SocketAddr> = found
        .into_iter()
        .filter(|ip| !ip.is_loopback() && ip.is_ipv4() == local.is_ipv4())
        .map(|ip| SocketAddr::new(ip, local.port()))
        .collect();
    if addresses.is_empty() {
        let loopback = if local.is_ipv4() {
            IpAddr::from([127, 0, 0, 1])
        } else {
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])
        };
        addresses.push(SocketAddr::new(loopback, local.port()));
    }
    Ok(addresses)
}

/// Looks after the session once a second: a silent tester, a session nobody comes back to.
async fn watch_session(agent: Arc<Agent>) {
    let mut ticks = interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let Some(session) = agent.session() else {
            continue;
        };
        session.watch(mono_now());
        let lost_after = agent.options.tester_lost_after;
        if session.is_abandoned(mono_now(), lost_after) {
            complain(&format!(
                "run {:016x} was abandoned by its tester, silent for {} s: ready for another",
                session.run,
                session.silence(mono_now()) / NS_PER_SECOND
            ));
            agent.end(&session).await;
        }
    }
}

impl Agent {
    fn session(&self) -> Option<Arc<Session>> {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        acceptor: TlsAcceptor,
    ) -> Result<()> {
        let local = stream.local_addr()?;
        stream.set_nodelay(true)?;
        let mut stream = timeout(HANDSHAKE, acceptor.accept(stream))
            .await
            .context("no TLS handshake in 10 s")??;
        let hello = timeout(HANDSHAKE, read_hello(&mut stream))
            .await
            .context("no hello in 10 s")??;
        write_hello(&mut stream, &Hello::own(hello.kind)).await?;
        if hello.protocol != PROTOCOL {
            bail!(
                "it is {} and speaks protocol {}, this agent speaks {PROTOCOL}: install the same milliwatt version at both ends",
                hello.program,
                hello.protocol
            );
        }
        let join = timeout(HANDSHAKE, read_message(&mut stream))
            .await
            .context("no join in 10 s")??;
        let Some(ToAgent::Join {
            token,
            run,
            next_block,
        }) = join
        else {
            bail!("expected a join message")
        };
        if !self.options.limits.allows(peer.ip()) {
            let reason = format!(
                "{} is in none of the subnets it serves (--allow)",
                peer.ip()
            );
            return refuse(
                &mut stream,
                reason,
                "start the agent with an --allow that holds this tester",
            )
            .await;
        }
        if !same_secret(&token, &self.token) {
            return refuse(
                &mut stream,
                "the token is wrong".into(),
                "use the join line that this agent printed when it started",
            )
            .await;
        }
        if hello.kind != ConnectionKind::Control {
            bound_silence(stream.get_ref().0).context("the connection's time limits")?;
        }
        match hello.kind {
            ConnectionKind::Control => {
                let media = self.options.bind.unwrap_or(local.ip());
                match self.join_when_free(run, peer.ip(), media).await {
                    Ok((session, resumed)) => {
                        self.control(stream, &session, resumed, next_block).await
                    }
                    Err(Refusal { reason, hint }) => refuse(&mut stream, reason, &hint).await,
                }
            }
            ConnectionKind::Transfer => self.transfer(stream, run).await,
            ConnectionKind::TransferToGuest => self.receive(stream, run).await,
            ConnectionKind::Other(kind) => {
                bail!("wants a connection of kind {kind}, which this agent does not know")
            }
        }
    }

    /// Recordings of a living session: a transfer alone begins none.
    async fn transfer(&self, mut stream: TlsStream<TcpStream>, run: u64) -> Result<()> {
        let Some(session) = self.session().filter(|session| session.run == run) else {
            bail!("wants recordings of run {run:016x}, which this agent does not know");
        };
        let _guard = session
            .shared
            .meter
            .add(stream.get_ref().0, Purpose::Transfer)?;
        if let Some(neighbour) = session.neighbour() {
            bound_unsent(stream.get_ref().0, UNSENT_OCTETS)?;
            return tokio::select! {
                sent = neighbour.send(&mut stream) => sent.context("load for the network"),
                () = session.over() => Ok(()),
            };
        }
        let weigh = |call| session.weighed_seconds(call);
        let Some(terms) = session.transfer_terms() else {
            bail!("transfer before a load was prepared")
        };
        let transfers = &session.shared.transfers;
        if transfers.has_made_up() {
            bound_unsent(stream.get_ref().0, UNSENT_OCTETS)?;
        }
        let outgoing = Outgoing {
            shelf: &session.shared.shelf,
            transfers,
            terms,
            weigh: &weigh,
        };
        serve_transfer(&mut stream, &outgoing)
            .await
            .context("recording transfer")
    }

    /// Made-up files of the tester, for a living session whose load has such.
    async fn receive(&self, mut stream: TlsStream<TcpStream>, run: u64) -> Result<()> {
        let Some(session) = self.session().filter(|session| session.run == run) else {
            bail!("brings files of run {run:016x}, which this agent does not know");
        };
        let Some(_place) = session.reception() else {
            bail!("brings files over more connections than its load has")
        };
        let _guard = session
            .shared
            .meter
            .add(stream.get_ref().0, Purpose::Reception)?;
        tokio::select! {
            received = receive_files(&mut stream) => received.context("made-up files"),
            () = session.over() => Ok(()),
        }
    }

    /// Joins; a session of another run gets a second to end, since its tester may have left just now.
    async fn join_when_free(
        &self,
        run: u64,
        peer: IpAddr,
        media: IpAddr,
    ) -> Result<(Arc<Session>, bool), Refusal> {
        for _ in 0..20 {
            if self.session().is_none_or(|session| session.run == run) {
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        self.join(run, peer, media)
    }

    /// The living session of this run, or a new one when there is none.
    fn join(&self, run: u64, peer: IpAddr, media: IpAddr) -> Result<(Arc<Session>, bool), Refusal> {
        let mut slot = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some(session) if session.run == run => Ok((Arc::clone(session), true)),
            Some(session) => Err(self.busy_with(session)),
            None => {
                let limits = self.options.limits.clone();
                let (ips, dir) = ((peer, media), &self.options.dir);
                let session = Session::create(run, ips, self.engines, limits, dir);
                let session = Arc::new(session.map_err(|error| {
                    Refusal {
                        reason: format!("{error:#}"),
                        hint:
                            "make room on the guest's disk, or start the agent with another --dir"
                                .into(),
                    }
                })?);
                *slot = Some(Arc::clone(&session));
                Ok((session, false))
            }
        }
    }

    fn busy_with(&self, session: &Session) -> Refusal {
        let silent = session.silence(mono_now()).max(0) / NS_PER_SECOND;
        let patience = self.options.tester_lost_after / NS_PER_SECOND;
        Refusal {
            reason: format!(
                "this agent is busy with run {:016x}, whose tester was last heard {silent} s ago",
                session.run
            ),
            hint: format!(
                "wait for that run to end, or end it with Ctrl-C at its tester; a tester that is gone is given up \
                 after {patience} s (--tester-lost-after)"
            ),
        }
    }

    async fn end(&self, session: &Arc<Session>) {
        if self
            .session()
            .is_none_or(|living| living.run != session.run)
        {
            return; // ended already, over another of its connections
        }
        let ending = Arc::clone(session);
        if tokio::task::spawn_blocking(move || ending.end())
            .await
            .is_err()
        {
            complain("the session could not be ended in order");
        }
        let mut slot = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|s| s.run == session.run) {
            *slot = None;
        }
    }
}

/// Says no to the tester, and in the agent's own output.
async fn refuse(stream: &mut TlsStream<TcpStream>, reason: String, hint: &str) -> Result<()> {
    write_message(
        stream,
        &FromAgent::Refuse {
            reason: reason.clone(),
            hint: hint.to_owned(),
        },
    )
    .await?;
    bail!("refused: {reason}")
}

/// Compares digests, so that the time it takes says nothing of the token.
fn same_secret(given: &str, ours: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    hash(given).as_ref() == hash(ours).as_ref()
}
