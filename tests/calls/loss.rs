//! Packets that the kernel drops, counted by the kernel, and milliwatt's own count of them.

use super::LEGS;
use crate::lab::{Lab, Side, long};

/// G.711 packets of RTP version 2 and nothing else: the address proof weighs the same, but its
/// first octet is no RTP header's.
const RTP: &str = "udp length 180 @th,64,2 2";

/// The machine at which a leg's packets arrive, and where they are dropped.
fn receiver_of(leg: &str) -> Side {
    if leg == "receive" {
        Side::Guest
    } else {
        Side::Tester
    }
}

/// The kernel drops one packet in 7 at random (long form: also one in 50), on one leg, from before
/// the first to after the last: heads and tails of streams are among them. The leg's loss is the
/// kernel's count exactly; the other leg lost nothing.
fn assert_loss_is_exact(leg: &str) {
    let one_in: &[u32] = if long() { &[7, 50] } else { &[7] };
    for one_in in one_in {
        let Some(lab) = Lab::open(&[]) else { return };
        let other = LEGS.into_iter().find(|other| *other != leg).unwrap();
        lab.drop_arriving(
            receiver_of(leg),
            &format!("{RTP} numgen random mod {one_in} == 0"),
        );
        let run = lab.run("smoke", &["--for", "4s", "--no-abort"]);
        let (dropped, expected) = (
            lab.dropped(receiver_of(leg)),
            run.count(&format!("/legs/{leg}/packets_expected")),
        );
        println!("{leg}: one in {one_in}: the kernel dropped {dropped} of {expected}");
        assert!(dropped > 0);
        assert_eq!(run.count(&format!("/legs/{leg}/packets_lost")), dropped);
        assert_eq!(
            run.count(&format!("/legs/{leg}/packets_received")),
            expected - dropped
        );
        assert_eq!(run.count(&format!("/legs/{other}/packets_lost")), 0);
        assert_eq!(run.scorecard["legs"][leg]["expected_from"], "ledger");
        let lost = |row: &crate::lab::Row| row["packets_lost"].parse::<u64>().unwrap();
        for file in ["streams.csv", "seconds.csv"] {
            let rows = run.rows(file);
            assert_eq!(
                rows.iter()
                    .filter(|row| row["leg"] == leg)
                    .map(lost)
                    .sum::<u64>(),
                dropped,
                "{file}"
            );
        }
        let judged = run.scorecard["thresholds"].as_array().unwrap();
        let failed = judged
            .iter()
            .filter(|judged| judged["metric"] == "loss_percent" && judged["outcome"] == "fail");
        assert_eq!(
            failed.map(|judged| &judged["leg"]).collect::<Vec<_>>(),
            [leg],
            "0.1 % is allowed"
        );
    }
}

#[test]
fn loss_on_the_receive_leg_is_the_kernels_count() {
    assert_loss_is_exact("receive");
}

#[test]
fn loss_on_the_sent_leg_is_the_kernels_count() {
    assert_loss_is_exact("sent");
}
