//! What is wrong in a scenario: the file, the line, the column, the text, and what is allowed.

use crate::exit::Failure;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use std::fmt;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The text of a scenario and what it is called: a file's path, a built-in's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// For people.
    pub name: String,
    /// The TOML.
    pub text: String,
}

/// Something wrong with the value at `path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Keys and array positions from the top, with dots: `threshold.2.metric`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What is allowed.
    pub allowed: String,
}

/// A failure (exit code 2) that shows every problem in its place.
#[must_use]
pub fn failure(source: &Source, problems: &[Problem]) -> Failure {
    let found = problems.iter().map(|problem| Finding {
        message: format!("{}: {}", problem.path, problem.message),
        help: Some(problem.allowed.clone()),
        at: place(&source.text, &problem.path),
    });
    render(source, &found.collect::<Vec<_>>())
}

/// A failure (exit code 2) for what the TOML reader refused.
#[must_use]
pub fn unreadable(source: &Source, error: &toml::de::Error) -> Failure {
    let (message, help) = explain(error.message());
    let at = error.span().unwrap_or(0..0);
    render(source, &[Finding { message, help, at }])
}

/// The word of `candidates` that `word` most likely meant, if any is near.
#[must_use]
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let scored = candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate));
    let (steps, best) = scored.min_by_key(|(steps, _)| *steps)?;
    (steps <= word.len().div_ceil(3)).then_some(best)
}

/// Levenshtein distance over octets: names here are ASCII.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

/// Puts a message of serde's into this program's words, with what is allowed apart.
fn explain(message: &str) -> (String, Option<String>) {
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let Some((first, allowed)) = names.split_first() else {
        return (message.to_owned(), None);
    };
    let said = if message.starts_with("unknown field") {
        format!("unknown key `{first}`")
    } else if message.starts_with("unknown variant") {
        format!("`{first}` is not possible here")
    } else if message.starts_with("missing field") {
        return (format!("the key `{first}` is missing"), None);
    } else {
        return (message.to_owned(), None);
    };
    let meant = nearest(first, allowed.iter().copied());
    let question = meant
        .map(|name| format!("did you mean `{name}`? "))
        .unwrap_or_default();
    (
        said,
        Some(format!("{question}allowed: {}", allowed.join(", "))),
    )
}

/// Where the value at `path` stands in `text`, or else the nearest thing around it.
fn place(text: &str, path: &str) -> Range<usize> {
    let Ok(table) = DeTable::parse(text) else {
        return 0..0;
    };
    let mut found = 0..0;
    let mut keys = path.split('.');
    let mut inside = keys
        .next()
        .and_then(|key| step_in(table.get_ref(), key, &mut found));
    for key in keys {
        inside = match inside {
            Some(DeValue::Table(table)) => step_in(table, key, &mut found),
            Some(DeValue::Array(array)) => key
                .parse()
                .ok()
                .and_then(|index: usize| array.get(index))
                .map(|value| {
                    found = value.span();
                    value.get_ref()
                }),
            _ => None,
        };
    }
    first_line(text, found)
}

/// Takes one step and notes the place: a table's is its name, a value's its text.
fn step_in<'t>(
    table: &'t DeTable<'_>,
    key: &str,
    found: &mut Range<usize>,
) -> Option<&'t DeValue<'t>> {
    let (name, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    let value_of_its_own = !matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_));
    *found = if value_of_its_own {
        value.span()
    } else {
        name.span()
    };
    Some(value.get_ref())
}

fn first_line(text: &str, found: Range<usize>) -> Range<usize> {
    let length = text
        .get(found.clone())
        .and_then(|part| part.lines().next())
        .map_or(0, str::len);
    found.start..found.start + length
}

/// Line and column of an offset, both from 1; columns in characters.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

fn render(source: &Source, findings: &[Finding]) -> Failure {
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let shown = findings.iter().filter_map(|finding| {
        let placed = Placed {
            finding,
            code: NamedSource::new(&source.name, source.text.clone()),
        };
        let mut text = String::new();
        handler.render_report(&mut text, &placed).ok()?;
        Some(text)
    });
    let detail = shown.collect::<Vec<_>>().join("\n");
    let first = findings.first().map_or(0, |finding| finding.at.start);
    let (line, column) = line_and_column(&source.text, first);
    let message = format!(
        "scenario {}: line {line}, column {column} is not right",
        source.name
    );
    Failure::usage(message).detail(detail.trim_end())
}

struct Finding {
    message: String,
    help: Option<String>,
    at: Range<usize>,
}

#[derive(Debug)]
struct Placed<'f> {
    finding: &'f Finding,
    code: NamedSource<String>,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.finding.message)
    }
}

impl std::error::Error for Placed<'_> {}

impl Diagnostic for Placed<'_> {
    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        self.finding
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.code)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = LabeledSpan::new_with_span(Some("here".to_owned()), self.finding.at.clone());
        Some(Box::new(std::iter::once(here)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"x\"\n[calls]\nhold = \"9s\"\n[[threshold]]\nmetric = \"a\"\n[[threshold]]\nmetric = \"b\"\n";

    #[test]
    fn a_path_leads_to_the_text_of_its_value() {
        assert_eq!(&TEXT[place(TEXT, "calls.hold")], "\"9s\"");
        assert_eq!(&TEXT[place(TEXT, "threshold.1.metric")], "\"b\"");
        assert_eq!(
            line_and_column(TEXT, place(TEXT, "threshold.1.metric").start),
            (7, 10)
        );
    }

    #[test]
    fn a_key_that_is_not_there_leads_to_its_table() {
        assert_eq!(&TEXT[place(TEXT, "calls.legs")], "calls");
        assert_eq!(place(TEXT, "media.ptime"), 0..0);
    }

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let names = ["concurrent", "total", "hold"];
        assert_eq!(nearest("conncurent", names), Some("concurrent"));
        assert_eq!(nearest("totl", names), Some("total"));
        assert_eq!(nearest("frequency", names), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
