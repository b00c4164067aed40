//! The first command of the README, as a newcomer types it, with less time.

use super::{assert_nothing_lost, assert_pass_as_witnessed};
use crate::lab::{MILLIWATT, RunFolder, Turn, Witness};
use std::process::Command;

/// It needs no root, no guest and no second machine: it starts an agent of its own and passes.
#[test]
fn the_first_command_of_the_readme_works() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let typed = readme
        .lines()
        .find_map(|line| line.strip_prefix("cargo run --release -- "));
    let args: Vec<&str> = typed
        .unwrap()
        .split_whitespace()
        .take_while(|word| *word != "#")
        .collect();
    assert_eq!(args, ["run", "250-calls", "--for", "30s"]);
    let _turn = Turn::wait();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut command = Command::new(MILLIWATT);
    command
        .args(["run", "250-calls", "--for", "5s", "--out"])
        .arg(&out)
        .current_dir(folder.path());
    let witness = Witness::start();
    let run = RunFolder::of(out, command.output().unwrap().into());
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    assert!(run.path.join("report.html").is_file());
}
