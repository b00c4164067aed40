//! Facts first, judgement later: what a run wrote is judged again from its facts alone.

use crate::lab::{Lab, MILLIWATT, RunFolder, Side};

/// `milliwatt report` makes the same scorecard from the same facts. With a log cut in the middle, it
/// renders what there is and says that it is partial.
#[test]
fn a_report_is_reproduced_from_the_facts() {
    let Some(lab) = Lab::open(&[]) else { return };
    let run = lab.run("smoke", &["--for", "3s"]);
    std::fs::remove_file(run.path.join("scorecard.json")).unwrap();
    let again = report(&lab);
    assert_eq!(again.verdict(), run.verdict());
    assert_eq!(again.scorecard, run.scorecard);
    for end in ["tester", "guest"] {
        let log = run.path.join(format!("facts/{end}.facts"));
        let whole = std::fs::read(&log).unwrap();
        std::fs::write(&log, &whole[..whole.len() / 2]).unwrap();
        let cut = report(&lab);
        assert_eq!(cut.scorecard["partial"], true, "{end}");
        assert_ne!(
            cut.verdict(),
            "pass",
            "{end}: half of the facts prove nothing"
        );
        std::fs::write(&log, &whole).unwrap();
    }
    assert_eq!(report(&lab).scorecard, run.scorecard);
}

fn report(lab: &Lab) -> RunFolder {
    let folder = lab.path("run");
    let ended = lab
        .start(
            Side::Tester,
            MILLIWATT,
            &["report", folder.to_str().unwrap()],
        )
        .wait();
    RunFolder::of(folder, ended)
}
