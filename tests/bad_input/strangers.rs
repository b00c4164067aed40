//! What answers is no agent of this version.

use super::{assert_said, in_network_of, milliwatt};
use crate::lab::{Ended, Lab, wait_for};
use milliwatt_wire::frame::{ConnectionKind, Hello, PROTOCOL, read_hello, write_hello};
use milliwatt_wire::join::{Join, hex};
use milliwatt_wire::tls::{Identity, client_config, server_name};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

fn run_against(address: SocketAddr, fingerprint: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let join = format!("milliwatt1:{address}#{fingerprint}#token");
    let ended = milliwatt(&[
        "run",
        "smoke",
        "--guest",
        &join,
        "--out",
        out.to_str().unwrap(),
    ]);
    assert!(!out.exists(), "a run that never began leaves no folder");
    ended
}

/// A server for one connection.
fn serve_one(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || serve(listener.accept().unwrap().0));
    address
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// The hello of a version to come.
fn later() -> Hello {
    Hello {
        protocol: PROTOCOL + 1,
        kind: ConnectionKind::Control,
        program: "milliwatt 9.9.9".into(),
    }
}

#[test]
fn an_echo_server_is_told_from_an_agent() {
    let address = serve_one(|mut stream| {
        let mut octets = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut octets) {
            if stream.write_all(&octets[..count]).is_err() {
                return;
            }
        }
    });
    let ended = run_against(address, &"ab".repeat(32));
    assert_said(
        &ended,
        1,
        &[
            "no milliwatt agent answers there",
            &address.to_string(),
            "compare address and port with the join line",
        ],
    );
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let address = serve_one(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let ended = run_against(address, &"ab".repeat(32));
    assert_said(
        &ended,
        1,
        &[
            "takes the connection and then says nothing for 5 s",
            "frozen, or no milliwatt agent",
        ],
    );
}

#[test]
fn a_server_that_hangs_up_is_told_in_plain_words() {
    let address = serve_one(drop);
    let ended = run_against(address, &"ab".repeat(32));
    assert_said(&ended, 1, &["could not be reached", "connection lost"]);
    assert!(!ended.stderr.contains("docs.rs"), "{}", ended.stderr);
}

#[test]
fn an_agent_of_another_version_is_named_with_its_version() {
    let identity = Identity::generate().unwrap();
    let fingerprint = hex(&identity.fingerprint());
    let address = serve_one(move |stream| {
        stream.set_nonblocking(true).unwrap();
        runtime().block_on(async {
            let stream = tokio::net::TcpStream::from_std(stream).unwrap();
            let acceptor = TlsAcceptor::from(identity.server_config().unwrap());
            let mut stream = acceptor.accept(stream).await.unwrap();
            assert_eq!(read_hello(&mut stream).await.unwrap().protocol, PROTOCOL);
            write_hello(&mut stream, &later()).await.unwrap();
        });
    });
    let ended = run_against(address, &fingerprint);
    let (theirs, ours) = (PROTOCOL + 1, PROTOCOL);
    let numbers = [
        format!("protocol {theirs}"),
        format!("this one speaks {ours}"),
    ];
    let words = [
        "the agent is of another version",
        "milliwatt 9.9.9",
        &numbers[0],
        &numbers[1],
        "install the same milliwatt version",
    ];
    assert_said(&ended, 1, &words);
}

#[test]
fn a_tester_of_another_version_is_named_by_the_agent_which_goes_on_serving() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let join: Join = agent.join.parse().unwrap();
    let stream = in_network_of(&agent.program, || {
        TcpStream::connect(join.addresses[0]).unwrap()
    });
    stream.set_nonblocking(true).unwrap();
    let answer = runtime().block_on(async {
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        let connector = TlsConnector::from(client_config(join.fingerprint).unwrap());
        let mut stream = connector.connect(server_name(), stream).await.unwrap();
        write_hello(&mut stream, &later()).await.unwrap();
        read_hello(&mut stream).await.unwrap()
    });
    assert_eq!(answer.protocol, PROTOCOL, "the tester can say it too");
    let said = format!(
        "it is milliwatt 9.9.9 and speaks protocol {}, this agent speaks {PROTOCOL}",
        PROTOCOL + 1
    );
    wait_for("the agent's word on it", 5, || {
        agent.program.stderr().contains(&said)
    });
    let ended = lab
        .start_run("smoke", &agent, "run", &["--for", "1s"])
        .wait_within(15);
    assert_said(&ended, 0, &[]);
}
