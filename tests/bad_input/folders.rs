//! The folder for the results.

use super::{assert_said, milliwatt};

#[test]
fn a_folder_with_something_in_it_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("scorecard.json");
    std::fs::write(&kept, "of another run").unwrap();
    let out = folder.path().to_str().unwrap();
    let ended = milliwatt(&["run", "smoke", "--out", out]);
    assert_said(
        &ended,
        1,
        &[
            out,
            "is not empty",
            "--out",
            "nothing recorded is overwritten",
        ],
    );
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "of another run");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_in_the_folders_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("results");
    std::fs::write(&file, "mine").unwrap();
    let ended = milliwatt(&["run", "smoke", "--out", file.to_str().unwrap()]);
    assert_said(&ended, 1, &["results", "Not a directory", "--out"]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
}
