//! The lab itself: it counts exactly, it freezes, it leaves nothing behind.

use super::{Frozen, Lab, Side, wait_for};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::time::NS_PER_MS;
use std::path::Path;
use std::process::Command;

/// Sends so many UDP packets of 172 octets from the tester to the guest, as G.711 packets weigh.
fn send(lab: &Lab, packets: u32) {
    let to = format!("/dev/udp/{}/9", Side::Guest.address());
    let script = format!("for i in $(seq {packets}); do printf '%0172d' $i > {to}; done");
    lab.execute(Side::Tester, "bash", &["-c", &script]);
}

/// 40 packets as long as a G.711 packet, every fourth dropped: the rule, its counter and the
/// interface agree to the packet.
#[test]
fn dropping_and_counters_are_exact() {
    let Some(lab) = Lab::open(&["bash"]) else {
        return;
    };
    let send = |packets| send(&lab, packets);
    send(1); // Whoever needs an address resolved has it now.
    lab.drop_arriving(Side::Guest, "udp length 180 numgen inc mod 4 == 0");
    let before = lab.octets(Side::Guest).received;
    send(40);
    assert_eq!(lab.dropped(Side::Guest), 10);
    // 172 octets of payload, 8 UDP, 20 IP, 14 Ethernet; less than one packet more for ARP.
    let octets = lab.octets(Side::Guest).received - before;
    assert!((40 * 214..41 * 214).contains(&octets), "{octets}");
    assert_eq!(
        lab.octets(Side::Guest).received,
        lab.octets(Side::Tester).sent
    );
    lab.stop_dropping(Side::Guest);
    send(1);
}

/// 200 packets through 1 Mbit/s, of which 10 may go at once: 190 x 214 octets take 325 ms.
#[test]
fn a_shaped_cable_takes_its_time() {
    let Some(lab) = Lab::open(&["bash", "tc"]) else {
        return;
    };
    send(&lab, 1);
    lab.shape(Side::Tester, "tbf rate 1mbit burst 2140 limit 100000");
    let (from, before) = (mono_now(), lab.octets(Side::Guest).received);
    send(&lab, 200);
    wait_for("the last packet", 10, || {
        lab.octets(Side::Guest).received - before >= 200 * 214
    });
    let took_ms = (mono_now() - from) / NS_PER_MS;
    assert!(took_ms >= 320, "{took_ms} ms");
}

#[test]
fn a_frozen_program_stands_and_goes_on() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let stood = Frozen::for_ms(&agent.program, 50);
    assert!((50.0..1000.0).contains(&stood), "{stood} ms");
    let state = || std::fs::read_to_string(format!("/proc/{}/stat", agent.program.pid())).unwrap();
    wait_for("the agent to go on", 5, || !state().contains(") T"));
}

#[test]
fn a_failed_test_leaves_no_namespace_and_no_process() {
    let Some(lab) = Lab::open(&[]) else { return };
    let sleeper = lab.start(Side::Guest, "sleep", &["600"]);
    let (pid, folder) = (sleeper.pid(), lab.path(""));
    let names = [Side::Tester, Side::Guest].map(|side| lab.namespaces.name(side).to_owned());
    let failed = std::thread::spawn(move || {
        let _held = (sleeper, lab);
        std::panic::resume_unwind(Box::new("the test fails"));
    });
    assert!(failed.join().is_err());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    assert!(
        folder.is_dir(),
        "the folder of a failed test stays, to be looked at"
    );
    std::fs::remove_dir_all(folder).unwrap();
    let listed = Command::new("ip").args(["netns", "list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(names.iter().all(|name| !listed.contains(name)), "{listed}");
}
