//! What a test needs of the machine. Where something is missing the test is skipped: it says so,
//! returns, and is counted in the file that `MILLIWATT_SKIPS` names, since the runner would count
//! it as passed. Under `MILLIWATT_REQUIRE=all` a missing need is a failure.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// True, and the test is to return, when one of `needs` is missing: `root`, `namespaces`, `virtual machine` (what
/// tests/vm/fetch brings), or the name of a program.
#[track_caller]
pub(crate) fn missing(needs: &[&str]) -> bool {
    let Some(missing) = needs.iter().find(|need| !is_there(need)) else {
        return false;
    };
    // On a test runner's only thread a test has no name, but always a place.
    let place = std::panic::Location::caller();
    let test = std::env::var("NEXTEST_TEST_NAME").unwrap_or_else(|_| place.to_string());
    let required = std::env::var("MILLIWATT_REQUIRE").is_ok_and(|value| value == "all");
    assert!(
        !required,
        "{test} needs {missing}, and MILLIWATT_REQUIRE=all is set"
    );
    eprintln!("skipped: needs {missing}");
    if let Some(path) = std::env::var_os("MILLIWATT_SKIPS") {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(format!("{test}: needs {missing}\n").as_bytes())
            .unwrap();
    }
    true
}

fn is_there(need: &str) -> bool {
    match need {
        "root" => rustix::process::geteuid().is_root(),
        "namespaces" => succeeds("unshare", &["--net", "true"]),
        "virtual machine" => {
            Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/vm/complete")).exists()
        }
        program => {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&folders)
                .chain([Path::new("/usr/sbin").to_owned()])
                .any(|f| f.join(program).is_file())
        }
    }
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
