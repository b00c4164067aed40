//! Ports that are taken.

use super::{assert_complete, assert_judged, assert_said, in_network_of};
use crate::lab::{Lab, MILLIWATT, Program, RunFolder, Side, wait_for};
use std::net::UdpSocket;

/// Takes an RTP and RTCP port in the network namespace of a running program.
fn take_pair(program: &Program, address: &str, port: u16) -> [UdpSocket; 2] {
    #[expect(
        clippy::disallowed_methods,
        reason = "another program's sockets, as far as milliwatt can tell"
    )]
    let bind = |port| UdpSocket::bind((address, port)).unwrap();
    in_network_of(program, || [port, port + 1].map(bind))
}

#[test]
fn an_agent_on_a_port_in_use_says_so_and_the_first_goes_on() {
    let Some(lab) = Lab::open(&[]) else { return };
    let mut first = lab.start_agent(&[]);
    let dir = lab.path("second");
    let args = [
        "agent",
        "--listen",
        "10.77.0.2:7700",
        "--dir",
        dir.to_str().unwrap(),
    ];
    let second = lab.start(Side::Guest, MILLIWATT, &args).wait_within(5);
    assert_said(
        &second,
        1,
        &[
            "cannot listen on 10.77.0.2:7700 (--listen)",
            "is another agent running there?",
        ],
    );
    assert!(second.stdout.is_empty(), "no join line: {}", second.stdout);
    assert!(first.program.runs());
}

/// 10 calls need 20 pairs; the agent's range has 21, the tester's 20.
#[test]
fn taken_media_ports_are_skipped_and_too_few_name_the_flag_at_either_end() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&["--media-ports", "30000-30041"]);
    let one = take_pair(&agent.program, "10.77.0.2", 30_006);
    let other = take_pair(&agent.program, "10.77.0.2", 30_020);
    let ended = lab
        .start_run("smoke", &agent, "guest-short", &[])
        .wait_within(8);
    assert_said(
        &ended,
        1,
        &[
            "the agent refuses: no free pair of UDP ports",
            "30000-30041",
            "--media-ports",
        ],
    );
    drop(other);

    // The tester's own are too few once the agent has bound all of its: they must be free again after.
    let holder = lab.start(Side::Tester, "sleep", &["60"]);
    wait_for("a program in the tester's network", 5, || {
        std::fs::read_to_string(format!("/proc/{}/comm", holder.pid())).unwrap() == "sleep\n"
    });
    let here = take_pair(&holder, "10.77.0.1", 40_010);
    let range = ["--media-ports", "40000-40039", "--for", "2s"];
    let ended = lab
        .start_run("smoke", &agent, "tester-short", &range)
        .wait_within(8);
    assert_said(
        &ended,
        1,
        &[
            "no free pair of UDP ports",
            "40000-40039",
            "10.77.0.1",
            "--media-ports",
        ],
    );
    drop(here);

    let ended = lab
        .start_run("smoke", &agent, "run", &range)
        .wait_within(20);
    let run = RunFolder::of(lab.path("run"), ended);
    assert_judged(&run, "pass");
    assert_complete(&run, 10);
    drop(one);
}
