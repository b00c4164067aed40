//! Commands that are named already, so that scripts can be written, and whose machinery is not in
//! this version.

use crate::exit::Failure;

/// What to do meanwhile, a command each.
const MEANWHILE: [(&str, &str); 1] = [(
    "preflight",
    "check the guest by hand against `milliwatt capacity --engines N`, then run `milliwatt run smoke --guest JOIN`",
)];

/// Says that `command` is not in this version, and what to use instead.
#[must_use]
pub fn failure(command: &str) -> Failure {
    let failure = Failure::could_not_run(format!("`milliwatt {command}` is not in this version"));
    match MEANWHILE.iter().find(|(name, _)| *name == command) {
        Some((_, meanwhile)) => failure.hint(format!("meanwhile: {meanwhile}")),
        None => failure,
    }
}
