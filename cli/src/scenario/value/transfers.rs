//! Values that say when files are transferred and how large they are.

use super::{Duration, Octets, ValueError, refused};
use milliwatt_wire::load;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// When files are transferred: `at-call-end`, `every 5m`, `backlog` or `continuous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransferWhen(pub load::TransferWhen);

const WHEN: &str =
    "\"at-call-end\", \"every 5m\" (a time of 1s or more), \"backlog\" or \"continuous\"";

impl FromStr for TransferWhen {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let when = match text {
            "at-call-end" => Some(load::TransferWhen::AtCallEnd),
            "backlog" => Some(load::TransferWhen::Backlog),
            "continuous" => Some(load::TransferWhen::Continuous),
            other => other
                .strip_prefix("every ")
                .and_then(|time| time.parse::<Duration>().ok())
                .map(|Duration(ns)| load::TransferWhen::Every(ns)),
        };
        when.map(Self)
            .ok_or_else(|| refused(text, "a time to transfer", WHEN))
    }
}

impl fmt::Display for TransferWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            load::TransferWhen::AtCallEnd => f.write_str("at-call-end"),
            load::TransferWhen::Every(ns) => write!(f, "every {}", Duration(ns)),
            load::TransferWhen::Backlog => f.write_str("backlog"),
            load::TransferWhen::Continuous => f.write_str("continuous"),
        }
    }
}

as_string!(
    TransferWhen,
    "When files are transferred: at-call-end, every 5m, backlog or continuous",
    "^(at-call-end|backlog|continuous|every [0-9.]+ *(ns|us|ms|s|m|min|h).*)$"
);

/// How large made-up files are: `recording`, `2 MB`, or uniform `1 MB..5 MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileSize(pub load::FileSize);

const SIZE: &str =
    "\"recording\", a size such as \"2 MB\", or two of them, uniform between: \"1 MB..5 MB\"";

impl FromStr for FileSize {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let octets = |part: &str| {
            part.parse::<Octets>()
                .map(|Octets(octets)| octets)
                .map_err(|_| refused(text, "a size of files", SIZE))
        };
        if text == "recording" {
            return Ok(Self(load::FileSize::Recording));
        }
        let Some((low, high)) = text.split_once("..") else {
            return Ok(Self(load::FileSize::Fixed(octets(text)?)));
        };
        let (low, high) = (octets(low)?, octets(high)?);
        if low > high {
            let allowed = "the smaller one comes first, such as \"1 MB..5 MB\"";
            return Err(refused(text, "a size of files", allowed));
        }
        Ok(Self(load::FileSize::Uniform(low, high)))
    }
}

impl fmt::Display for FileSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            load::FileSize::Recording => f.write_str("recording"),
            load::FileSize::Fixed(octets) => write!(f, "{}", Octets(octets)),
            load::FileSize::Uniform(low, high) => write!(f, "{}..{}", Octets(low), Octets(high)),
        }
    }
}

as_string!(
    FileSize,
    "How large made-up files are: recording, a size, or two with .. between",
    "^(recording|[0-9.]+ *[kMGT]?i?B( *\\.\\. *[0-9.]+ *[kMGT]?i?B)?)$"
);

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::NS_PER_SECOND;

    #[test]
    fn times_to_transfer_survive_being_written_and_read_again() {
        let read = |text: &str| text.parse::<TransferWhen>().map(|when| when.0);
        assert_eq!(read("backlog"), Ok(load::TransferWhen::Backlog));
        assert_eq!(
            read("every 5m"),
            Ok(load::TransferWhen::Every(300 * NS_PER_SECOND))
        );
        for text in ["at-call-end", "every 90s", "backlog", "continuous"] {
            let when: TransferWhen = text.parse().unwrap();
            assert_eq!(when.to_string(), text);
        }
        for wrong in ["", "every", "every 5", "every backlog", "Backlog"] {
            let said = read(wrong).unwrap_err().to_string();
            assert!(
                said.contains("\"every 5m\" (a time of 1s or more)"),
                "{said}"
            );
        }
    }

    #[test]
    fn sizes_are_a_recordings_fixed_or_uniform() {
        let read = |text: &str| text.parse::<FileSize>().map(|size| size.0);
        assert_eq!(read("recording"), Ok(load::FileSize::Recording));
        assert_eq!(read("2 MB"), Ok(load::FileSize::Fixed(2_000_000)));
        assert_eq!(
            read("1MiB..5 MB"),
            Ok(load::FileSize::Uniform(1_048_576, 5_000_000))
        );
        let again = "1 kB..2 kB".parse::<FileSize>().unwrap().to_string();
        assert_eq!(read(&again), Ok(load::FileSize::Uniform(1000, 2000)));
        let turned = read("5 MB..1 MB").unwrap_err().to_string();
        assert!(turned.contains("the smaller one comes first"), "{turned}");
        for wrong in ["", "2", "2 MB..", "..2 MB", "2 Mbit", "1 MB..recording"] {
            let said = read(wrong).unwrap_err().to_string();
            assert!(said.contains("\"1 MB..5 MB\""), "{said}");
        }
    }
}
