//! What a run left: its folder, read as its users read it.

use super::Ended;
use milliwatt_wire::time::NS_PER_SECOND;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A row of a CSV file, by column name.
pub(crate) type Row = BTreeMap<String, String>;

/// A finished run.
#[derive(Debug)]
pub(crate) struct RunFolder {
    /// The folder.
    pub(crate) path: PathBuf,
    /// How `milliwatt run` ended.
    pub(crate) ended: Ended,
    /// `scorecard.json`.
    pub(crate) scorecard: Value,
}

impl RunFolder {
    /// Reads it; a run without a scorecard is a failure that shows what the program said.
    pub(crate) fn of(path: PathBuf, ended: Ended) -> Self {
        let text = std::fs::read_to_string(path.join("scorecard.json"));
        let text = text.unwrap_or_else(|e| panic!("no scorecard: {e}: {ended:#?}"));
        Self {
            scorecard: serde_json::from_str(&text).unwrap(),
            path,
            ended,
        }
    }

    /// The number at a pointer of the scorecard, such as `/legs/sent/packets_lost` (RFC 6901).
    pub(crate) fn number(&self, pointer: &str) -> f64 {
        let value = self.scorecard.pointer(pointer).unwrap_or(&Value::Null);
        value
            .as_f64()
            .unwrap_or_else(|| panic!("{pointer} is {value}: {}", self.ended.stdout))
    }

    /// The whole number at a pointer of the scorecard.
    pub(crate) fn count(&self, pointer: &str) -> u64 {
        let value = self.scorecard.pointer(pointer).unwrap_or(&Value::Null);
        value
            .as_u64()
            .unwrap_or_else(|| panic!("{pointer} is {value}: {}", self.ended.stdout))
    }

    /// The verdict, which the exit code must agree with.
    pub(crate) fn verdict(&self) -> &str {
        let verdict = self.scorecard["verdict"].as_str().unwrap();
        let code = match verdict {
            "pass" => 0,
            "fail" => 3,
            "invalid" => 4,
            other => panic!("verdict {other}"),
        };
        assert_eq!(
            self.ended.code,
            Some(code),
            "verdict {verdict}: {}",
            self.ended.stderr
        );
        verdict
    }

    /// Begin and end of full load, ns since 1970.
    pub(crate) fn full_load(&self) -> [i64; 2] {
        let second = |index: usize| self.scorecard["full_load"][index].as_i64().unwrap();
        [0, 1].map(|index| run_zero(&self.path).unwrap() + second(index) * NS_PER_SECOND)
    }

    /// A CSV file of the folder; none of ours quotes what is read here.
    pub(crate) fn rows(&self, name: &str) -> Vec<Row> {
        let text = std::fs::read_to_string(self.path.join(name)).unwrap();
        let mut lines = text.lines();
        let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
        let row = |line: &str| {
            columns
                .iter()
                .zip(line.split(','))
                .map(|(c, v)| ((*c).to_owned(), v.to_owned()))
                .collect()
        };
        lines.map(row).collect()
    }
}

/// Run time zero of the run in `folder`, ns since 1970; none before the folder says so.
pub(crate) fn run_zero(folder: &Path) -> Option<i64> {
    let text = std::fs::read_to_string(folder.join("run.json")).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["started"].as_i64()
}
