//! What tells of the guest at its hypervisor, with nothing left to choose.

use super::file::{Source, SourceKind};
use std::path::PathBuf;

/// Where Azure's Metadata Service answers.
pub const METADATA: &str = "http://169.254.169.254";

/// What tells of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePlan {
    /// QEMU's monitor.
    Qmp {
        /// Its socket.
        socket: PathBuf,
    },
    /// A log file.
    Log {
        /// The file.
        file: PathBuf,
        /// What finds lines in it; a regular expression.
        pattern: String,
    },
    /// Azure's Metadata Service.
    Azure {
        /// Its host.
        host: String,
        /// Its port.
        port: u16,
    },
}

impl SourcePlan {
    /// As the scenario names it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Qmp { .. } => "qmp",
            Self::Log { .. } => "log",
            Self::Azure { .. } => "azure",
        }
    }
}

/// A source that was found right.
pub(super) fn source(source: &Source) -> Option<SourcePlan> {
    Some(match source.kind {
        SourceKind::Qmp => SourcePlan::Qmp {
            socket: source.socket.clone()?,
        },
        SourceKind::Log => SourcePlan::Log {
            file: source.file.clone()?,
            pattern: source.pattern.clone()?,
        },
        SourceKind::Azure => {
            let (host, port) = endpoint(source.address.as_deref().unwrap_or(METADATA))?;
            SourcePlan::Azure { host, port }
        }
    })
}

/// Host and port of `http://HOST[:PORT]`; none of anything else.
#[must_use]
pub fn endpoint(address: &str) -> Option<(String, u16)> {
    let rest = address.strip_prefix("http://")?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (rest, 80),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let named = !host.is_empty() && host.chars().all(plain);
    named.then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port_of_http() {
        let of = |address| endpoint(address);
        assert_eq!(of(METADATA), Some(("169.254.169.254".into(), 80)));
        assert_eq!(
            of("http://localhost:8169/"),
            Some(("localhost".into(), 8169))
        );
        for wrong in [
            "https://a",
            "http://",
            "http://a:b",
            "http://a:99999",
            "http://a/path",
            "http://[::1]",
            "a:80",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
