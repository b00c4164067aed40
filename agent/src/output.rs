//! The agent's own output, for whoever looks after the guest.

use std::io::Write;

/// Writes a line to standard error. An agent may outlive the terminal that it was started at: then there is nobody to tell, and it
/// goes on.
pub(crate) fn complain(text: &str) {
    drop(
        std::io::stderr()
            .lock()
            .write_all(format!("milliwatt agent: {text}\n").as_bytes()),
    );
}
