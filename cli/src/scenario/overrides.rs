//! `--set KEY=VALUE`: changes to a scenario before it is resolved.

use super::diagnostic::Source;
use crate::exit::Failure;
use toml::{Table, Value};

/// The source with every change applied, in order. The file itself must parse as TOML.
pub fn apply(source: Source, changes: &[String]) -> Result<Source, Failure> {
    if changes.is_empty() {
        return Ok(source);
    }
    let mut table: Table = toml::from_str(&source.text)
        .map_err(|error| super::diagnostic::unreadable(&source, &error))?;
    for change in changes {
        set(&mut table, change)?;
    }
    let text = toml::to_string(&table).map_err(|error| {
        Failure::usage("--set makes a scenario that cannot be written").detail(error.to_string())
    })?;
    Ok(Source {
        name: format!("{} with --set {}", source.name, changes.join(" --set ")),
        text,
    })
}

fn set(table: &mut Table, change: &str) -> Result<(), Failure> {
    let Some((path, written)) = change.split_once('=') else {
        return Err(
            Failure::usage(format!("--set {change}: there is no `=` in it"))
                .hint("write KEY=VALUE, such as --set calls.concurrent=100"),
        );
    };
    let mut root = Value::Table(std::mem::take(table));
    let done = place(&mut root, path.trim()).map(|slot| *slot = value(written.trim()));
    if let Value::Table(changed) = root {
        *table = changed;
    }
    done.ok_or_else(|| {
        Failure::usage(format!("--set {change}: there is no `{path}` to set"))
            .hint("write keys as in the file with dots between, array entries by their place from 0: threshold.0.max")
    })
}

/// The place at `path`; tables on the way, and a last key, are made when they are not there.
fn place<'v>(root: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(root, |value, key| match value {
        Value::Table(table) => Some(
            table
                .entry(key)
                .or_insert_with(|| Value::Table(Table::new())),
        ),
        Value::Array(array) => array.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// TOML when it is that (`100`, `true`, `"5m"`), else the text itself (`5m`).
fn value(written: &str) -> Value {
    written
        .parse()
        .unwrap_or_else(|_| Value::String(written.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(changes: &[&str]) -> Result<Table, Failure> {
        let text = "name = \"x\"\n[calls]\nhold = \"2m..5m\"\n[[threshold]]\nmax = 1\n".to_owned();
        let changes: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
        apply(
            Source {
                name: "x".to_owned(),
                text,
            },
            &changes,
        )
        .map(|source| source.text.parse().unwrap())
    }

    #[test]
    fn numbers_words_and_array_entries_are_set_and_tables_are_made() {
        let table = applied(&[
            "calls.hold=9s",
            "calls.concurrent=3",
            "threshold.0.max=2.5",
            "media.codec=PCMA",
        ])
        .unwrap();
        assert_eq!(table["calls"]["hold"].as_str(), Some("9s"));
        assert_eq!(table["calls"]["concurrent"].as_integer(), Some(3));
        assert_eq!(table["threshold"][0]["max"].as_float(), Some(2.5));
        assert_eq!(table["media"]["codec"].as_str(), Some("PCMA"));
    }

    #[test]
    fn what_is_no_assignment_or_leads_nowhere_is_refused_by_name() {
        for wrong in ["calls.hold", "threshold.7.max=1", "name.first=1"] {
            let failure = applied(&[wrong]).unwrap_err();
            assert!(failure.message.contains(wrong), "{failure}");
            assert_eq!(failure.exit as u8, 2);
        }
    }
}
