//! Standard output and standard error, for programs and people at the other end of a pipe.

use crate::exit::Failure;
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::could_not_run(
            "standard output could not be written",
        )
        .detail(error.to_string())),
        _ => Ok(()),
    }
}

/// Writes `value` as indented JSON and a line end to standard output.
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(value).map_err(|error| {
        Failure::could_not_run("the result could not be written as JSON").detail(error.to_string())
    })?;
    print(&format!("{json}\n"))
}

/// Writes a line to standard error. When even that fails there is nobody left to tell.
pub fn complain(text: &str) {
    show(&format!("{text}\n"));
}

/// Writes to standard error as it is, such as a line that a later one overwrites. The terminal may be gone.
pub fn show(text: &str) {
    drop(std::io::stderr().lock().write_all(text.as_bytes()));
}

/// Each of `items` on a line of its own after `label`.
#[must_use]
pub fn lines(label: &str, items: &[impl AsRef<str>]) -> String {
    items
        .iter()
        .flat_map(|item| [label, item.as_ref(), "\n"])
        .collect()
}
