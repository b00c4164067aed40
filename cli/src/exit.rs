//! How a command ends: the exit codes, which scripts rely on, and what is said when it fails.

use milliwatt_scoring::measured::Verdict;
use std::fmt;

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done; for a run: every threshold that could be judged passed.
    Pass = 0,
    /// It could not be done: the machine, the network or the other end is in the way.
    CouldNotRun = 1,
    /// What was asked for is wrong: the command line or the scenario.
    Usage = 2,
    /// A threshold failed, or a scored recording has a silence.
    ThresholdFailed = 3,
    /// The tester itself, not the guest, decided the outcome.
    Invalid = 4,
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::ThresholdFailed,
            Verdict::Invalid => Self::Invalid,
        }
    }
}

/// Why a command did not do what was asked. Shown on standard error as
/// `error: message`, the indented detail, `hint: ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong: one line, no full stop.
    pub message: String,
    /// What is known about it, any number of lines.
    pub detail: Option<String>,
    /// What to do now: one line.
    pub hint: Option<String>,
    /// The process's exit code.
    pub exit: ExitCode,
}

impl Failure {
    /// The machine, the network or the other end is in the way: exit code 1.
    #[must_use]
    pub fn could_not_run(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            detail: None,
            hint: None,
            exit: ExitCode::CouldNotRun,
        }
    }

    /// What was asked for is wrong: exit code 2.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: ExitCode::Usage,
            ..Self::could_not_run(message)
        }
    }

    /// The same with what is known about it.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// The same with what to do now.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for line in self.detail.iter().flat_map(|detail| detail.lines()) {
            write!(f, "\n{}", format!("  {line}").trim_end())?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_detail_and_hint_stand_in_that_order_with_the_detail_indented() {
        let failure = Failure::could_not_run("no answer from 192.0.2.1:7700")
            .detail("tried for 10 s\n\nlast: connection refused")
            .hint("start `milliwatt agent` there");
        let expected = "error: no answer from 192.0.2.1:7700\n  tried for 10 s\n\n  last: connection refused\n\
                        hint: start `milliwatt agent` there";
        assert_eq!(failure.to_string(), expected);
    }

    #[test]
    fn codes_are_the_documented_ones() {
        let codes = [Verdict::Pass, Verdict::Fail, Verdict::Invalid]
            .map(|verdict| ExitCode::from(verdict) as u8);
        assert_eq!(codes, [0, 3, 4]);
        assert_eq!(Failure::could_not_run("x").exit as u8, 1);
        assert_eq!(Failure::usage("x").exit as u8, 2);
    }
}
