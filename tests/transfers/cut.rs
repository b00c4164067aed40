//! A connection that is cut while a file is on its way.

use super::{sum, transfers};
use crate::lab::{Lab, RunFolder, Side, pass_time, wait_for};

/// Octets of each made-up file, in all 10 s on their way, two at once.
const FILE: u64 = 4_000_000;

/// The tester's port of the connection that has received most: a file is on its way there.
fn busiest(lab: &Lab) -> Option<(u64, String)> {
    let listed = lab.execute(Side::Tester, "ss", &["-tinH", "state", "established"]);
    let lines: Vec<&str> = listed.lines().collect();
    let connections = lines.chunks_exact(2).filter_map(|pair| {
        let local = pair[0].split_whitespace().nth(2)?;
        let port = local.rsplit(':').next()?.to_owned();
        let received = pair[1].split("bytes_received:").nth(1)?;
        let octets = received.split_whitespace().next()?.parse().ok()?;
        Some((octets, port))
    });
    connections.max()
}

/// The tester's system is told, in the guest's name, that the connection is no more, and tells the guest's as more comes. Truth:
/// files have one length, so what was acknowledged beyond the files that count as done lies in those that were cut, and is sent
/// again from their beginning.
#[test]
fn a_file_that_was_cut_is_sent_again_and_never_counted_as_done() {
    let Some(lab) = Lab::open(&["ss"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let set = [
        "transfer.when=backlog",
        "transfer.rate=16 Mbit/s",
        "transfer.parallel=2",
        "transfer.size=4 MB",
    ];
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let program = lab.start_run("smoke", &agent, "run", &args);
    wait_for("half a file", 20, || {
        busiest(&lab).is_some_and(|(octets, _)| octets > FILE / 2)
    });
    let (_, port) = busiest(&lab).unwrap();
    let matching = format!("tcp sport {port} tcp flags & rst == 0 counter reject with tcp reset");
    let rules = format!(
        "add table inet cut; add chain inet cut leaving {{ type filter hook output priority 0; }};
         add rule inet cut leaving {matching}"
    );
    lab.execute(Side::Tester, "nft", &[&rules]);
    pass_time(500);
    lab.execute(Side::Tester, "nft", &["delete table inet cut"]);
    let run = RunFolder::of(lab.path("run"), program.wait());
    println!("{}", run.ended.stdout);
    let told = transfers(&run, "guest");
    println!("{told:?}");
    let [completed, broken] = [sum(&told, |s| s.completed), sum(&told, |s| s.broken)];
    let acknowledged: u64 = told.iter().map(|s| s.acknowledged_octets).sum();
    let recordings = run.count("/recordings/received");
    assert_eq!((recordings, broken > 0), (10, true));
    let files = completed - recordings;
    let beyond = acknowledged.saturating_sub(files * FILE);
    println!("{files} files done, {broken} cut, {beyond} octets beyond those");
    assert!(files > 0, "those after the cut");
    assert!(
        (FILE / 3..(broken + 2) * FILE).contains(&beyond),
        "{beyond} octets"
    );
}
