//! A relay between a tester and an agent, on this machine: it knows both ends' words, since it has the agent's join line and
//! hands out one of its own, and changes the keys that pass.

use milliwatt_wire::control::ToAgent;
use milliwatt_wire::frame::{ConnectionKind, read_hello, read_message, write_hello, write_message};
use milliwatt_wire::id::Leg;
use milliwatt_wire::join::Join;
use milliwatt_wire::tls::{Identity, client_config, server_name};
use std::sync::Arc;
use tokio::io::{AsyncWriteExt, copy, copy_bidirectional, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The relay; it ends with this value.
pub(super) struct Relay {
    /// The join line that a tester takes for the agent's.
    pub(super) join: String,
    _runtime: Runtime,
}

impl Relay {
    /// Relays to the agent of a join line, and alters the secret of `leg` on its way there.
    pub(super) fn start(agent: &str, leg: Leg) -> Self {
        let agent: Join = agent.parse().unwrap();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let identity = Identity::generate().unwrap();
        let join = Join {
            addresses: vec![listener.local_addr().unwrap()],
            fingerprint: identity.fingerprint(),
            token: agent.token.clone(),
        };
        let acceptor = TlsAcceptor::from(identity.server_config().unwrap());
        let agent = Arc::new(agent);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, acceptor.clone(), Arc::clone(&agent), leg));
            }
        });
        Self {
            join: join.to_string(),
            _runtime: runtime,
        }
    }
}

/// One connection, until either end leaves; what broke is said by the ends themselves.
async fn pass(stream: TcpStream, acceptor: TlsAcceptor, join: Arc<Join>, leg: Leg) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut tester = acceptor.accept(stream).await.ok()?;
    let stream = TcpStream::connect(join.addresses[0]).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let connector = TlsConnector::from(client_config(join.fingerprint).ok()?);
    let mut agent = connector.connect(server_name(), stream).await.ok()?;
    let hello = read_hello(&mut tester).await.ok()?;
    write_hello(&mut agent, &hello).await.ok()?;
    let answer = read_hello(&mut agent).await.ok()?;
    write_hello(&mut tester, &answer).await.ok()?;
    if hello.kind != ConnectionKind::Control {
        return copy_bidirectional(&mut tester, &mut agent)
            .await
            .ok()
            .map(drop);
    }
    let ((mut asks, mut hears), (mut answers, mut is_told)) = (split(tester), split(agent));
    let asking = async {
        while let Ok(Some(mut message)) = read_message::<ToAgent>(&mut asks).await {
            if let ToAgent::Prepare { keys, .. } = &mut message {
                *keys = keys.take().map(|keys| keys.altered(leg));
            }
            write_message(&mut is_told, &message).await.ok()?;
        }
        is_told.shutdown().await.ok()
    };
    let answering = async {
        copy(&mut answers, &mut hears).await.ok()?;
        hears.shutdown().await.ok()
    };
    tokio::join!(asking, answering);
    Some(())
}
