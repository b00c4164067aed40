//! An agent that is not where the join line says, or not the one.

use super::{assert_said, milliwatt};
use crate::lab::{Agent, Ended, Lab, Side};
use std::net::TcpListener;

const FINGERPRINT: &str = "abababababababababababababababababababababababababababababababab";

/// A port on which nobody listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn nobody_listening_is_told_with_what_to_look_at_and_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let join = format!("milliwatt1:127.0.0.1:{}#{FINGERPRINT}#token", free_port());
    let ended = milliwatt(&[
        "run",
        "smoke",
        "--guest",
        &join,
        "--out",
        out.to_str().unwrap(),
    ]);
    let words = [
        "could not be reached",
        "127.0.0.1:",
        "Connection refused",
        "is `milliwatt agent` running",
        "--listen",
    ];
    assert_said(&ended, 1, &words);
    assert!(!out.exists(), "the same --out serves the next attempt");
}

#[test]
fn every_address_of_the_join_line_is_tried_and_named() {
    let (one, other) = (free_port(), free_port());
    let join = format!("milliwatt1:127.0.0.1:{one},[::1]:{other}#{FINGERPRINT}#token");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let ended = milliwatt(&[
        "run",
        "smoke",
        "--guest",
        &join,
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_said(
        &ended,
        1,
        &[&format!("127.0.0.1:{one}: "), &format!("[::1]:{other}: ")],
    );
}

#[test]
fn a_join_line_that_is_none_is_a_usage_error_that_says_which_part() {
    let folder = tempfile::tempdir().unwrap();
    let run = |join: &str| {
        let out = folder.path().join("run");
        let ended = milliwatt(&[
            "run",
            "smoke",
            "--guest",
            join,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert!(!out.exists(), "{join}");
        ended
    };
    let cut = format!("milliwatt1:127.0.0.1:7700#{FINGERPRINT}");
    assert_said(&run(&cut), 2, &["join line", "2 parts"]);
    assert_said(
        &run("milliwatt1:127.0.0.1:7700#00ff#t"),
        2,
        &["64 hexadecimal digits"],
    );
    assert_said(
        &run("/nowhere/guest.join"),
        2,
        &[
            "/nowhere/guest.join",
            "--guest takes the line that `milliwatt agent` printed",
        ],
    );
}

#[test]
fn a_host_that_does_not_answer_is_given_up_after_5_s() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    lab.drop_arriving(Side::Guest, "tcp dport 7700");
    let ended = lab.start_run("smoke", &agent, "run", &[]).wait_within(8);
    assert_said(
        &ended,
        1,
        &[
            "10.77.0.2:7700: no answer in 5 s",
            "may this machine reach its TCP port",
        ],
    );
}

/// What `milliwatt run` says with this join line in place of the agent's own.
fn run_by(lab: &Lab, agent: &mut Agent, join: String) -> Ended {
    agent.join = join;
    lab.start_run("smoke", agent, "run", &[]).wait_within(8)
}

#[test]
fn a_wrong_token_a_wrong_fingerprint_and_a_foreign_subnet_are_told_apart() {
    let Some(lab) = Lab::open(&[]) else { return };
    let mut agent = lab.start_agent(&["--allow", "10.77.0.1"]);
    let right = agent.join.clone();
    let (rest, token) = right.rsplit_once('#').unwrap();
    let (address, fingerprint) = rest.split_once('#').unwrap();
    let ended = run_by(&lab, &mut agent, format!("{rest}#anothertoken"));
    assert_said(
        &ended,
        1,
        &[
            "the agent refuses: the token is wrong",
            "use the join line that this agent printed",
        ],
    );
    let ended = run_by(&lab, &mut agent, format!("{address}#{FINGERPRINT}#{token}"));
    let words = [
        "the agent's certificate is not the one of the join line",
        fingerprint,
        FINGERPRINT,
        "take the join line",
    ];
    assert_said(&ended, 1, &words);
    assert!(
        !ended.stderr.contains(token) && !ended.stderr.contains("OtherError"),
        "{}",
        ended.stderr
    );

    let listen = "10.77.0.2:7701";
    let dir = lab.path("strict");
    let args = [
        "agent",
        "--listen",
        listen,
        "--dir",
        dir.to_str().unwrap(),
        "--allow",
        "192.0.2.0/24",
    ];
    let strict = lab.start(Side::Guest, crate::lab::MILLIWATT, &args);
    crate::lab::wait_for("the join line", 10, || strict.stdout().contains('\n'));
    let ended = run_by(&lab, &mut agent, strict.stdout().trim().to_owned());
    assert_said(&ended, 1, &["the agent refuses: 10.77.0.1", "--allow"]);
}
