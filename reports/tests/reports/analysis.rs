//! The report of captures.

use crate::sample;
use milliwatt_reports::{ReportError, analysis, plots};
use milliwatt_scoring::analysis::Analysis;
use serde_json::Value;
use std::fs;

fn file(analysis: &Analysis, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    analysis::write_all(folder.path(), analysis).unwrap();
    fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The words of a page without its style and its plots, a cell or paragraph a line.
fn words(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1;
    let (mut text, mut rest) = (String::new(), body);
    while let Some((before, after)) = rest.split_once("<svg") {
        text.push_str(before);
        rest = after.split_once("</svg>").unwrap().1;
    }
    text.push_str(rest);
    for end in ["</td>", "</th>", "<br>"] {
        text = text.replace(end, " | ");
    }
    text = text.replace("&#39;", "'");
    let mut plain = String::new();
    for part in text.split('<') {
        plain.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    let lines = plain.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_folder_holds_the_page_the_plots_and_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let analysis = sample::capture();
    analysis::write_all(folder.path(), &analysis).unwrap();
    let plots = [
        "interarrival-jitter",
        "pdv",
        "pdv-distribution",
        "mbps",
        "dead-air",
    ];
    for name in plots {
        assert!(
            folder.path().join(format!("plots/{name}.svg")).is_file(),
            "{name}"
        );
    }
    let json = fs::read_to_string(folder.path().join("analysis.json")).unwrap();
    assert_eq!(
        json,
        serde_json::to_string_pretty(&analysis).unwrap() + "\n"
    );
    // 5 plots in a folder, the page, two tables and the JSON: nothing temporary.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    assert_eq!(
        fs::read_dir(folder.path().join("plots")).unwrap().count(),
        5
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("seconds.csv/in-the-way")).unwrap();
    let error = analysis::write_all(folder.path(), &sample::capture()).unwrap_err();
    assert!(
        matches!(&error, ReportError::Write { path, .. } if path.ends_with("seconds.csv")),
        "{error}"
    );
    assert!(!folder.path().join("analysis.json").exists());
}

#[test]
fn the_words_of_the_page() {
    insta::assert_snapshot!(words(&file(&sample::capture(), "report.html")));
}

#[test]
fn what_is_missing_of_damaged_captures_is_said_at_the_top() {
    let page = words(&file(&sample::nothing(), "report.html"));
    insta::assert_snapshot!(page);
}

/// The figures of a captured run stand as in the run's own report.
#[test]
fn the_legs_of_a_captured_run_have_their_table() {
    let page = words(&file(&sample::captured_run(), "report.html"));
    let section = page.split_once("The run that was captured").unwrap().1;
    let lines: Vec<&str> = section.lines().take(9).collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert!(page.contains("the senders' own count"));
    assert!(!page.contains("No sender's own count"));
}

#[test]
fn the_page_needs_no_network_and_escapes_what_captures_say() {
    let page = file(&sample::nothing(), "report.html") + &file(&sample::capture(), "report.html");
    let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for foreign in [
        "http:",
        "https:",
        "<script",
        "<link",
        "<img",
        "url(",
        "@import",
        "<tuesday>",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<svg").count(), 5, "none without a stream");
}

#[test]
fn plots_name_the_directions_and_what_their_zero_is() {
    for plot in plots::draw_all(&sample::capture()).unwrap() {
        assert!(
            !plot.svg.contains("tester") && !plot.svg.contains("run time"),
            "{}",
            plot.name
        );
        assert!(!plot.svg.contains("nothing measured"), "{}", plot.name);
        if plot.name == "pdv" {
            assert!(plot.svg.contains("receive leg (to 192.0.2.10)"));
            assert!(plot.svg.contains("sent leg (from 192.0.2.10)"));
        }
        if plot.name != "pdv-distribution" {
            let zero = "time since the first frame, 2023-11-14 22:13:20.250 UTC (s)";
            assert!(plot.svg.contains(zero), "{}", plot.name);
        }
    }
}

#[test]
fn frames_that_lie_a_century_apart_are_drawn() {
    let mut analysis = sample::capture();
    analysis.seconds[119].second = u32::MAX;
    for plot in plots::draw_all(&analysis).unwrap() {
        assert!(
            plot.svg.len() < 300_000,
            "{}: {}",
            plot.name,
            plot.svg.len()
        );
    }
}

#[test]
fn the_rows_of_streams() {
    let text = file(&sample::capture(), "streams.csv");
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 1 + 8);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()));
    // The name and the worst stream's figure, a line each.
    let pairs = lines[0].iter().zip(&lines[6]);
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    insta::assert_snapshot!(pairs.join("\n"));
}

/// Every number and word of a stream in the JSON has a column: nothing is left out when the model grows.
#[test]
fn a_stream_has_a_column_for_every_field_of_the_json() {
    let analysis = sample::capture();
    let full = serde_json::to_value(&analysis.streams[5]).unwrap();
    let text = file(&analysis, "streams.csv");
    let mut columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let mut expected = Vec::new();
    for (name, value) in full.as_object().unwrap() {
        flatten(name, value, &mut expected);
    }
    columns.sort_unstable();
    expected.sort_unstable();
    assert_eq!(columns, expected);
}

/// `pdv_ms.p99` is `pdv_p99_ms`; other groups stand before their figures' names.
fn flatten(name: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = match name.strip_suffix("_ms") {
                    Some(group) => format!("{group}_{field}_ms"),
                    None => format!("{name}_{field}"),
                };
                flatten(&name, value, into);
            }
        }
        Value::Array(buffers) if name == "playout_buffers" => {
            for fields in buffers.iter().map(|buffer| buffer.as_object().unwrap()) {
                let depth_ms = fields["depth_ms"].as_f64().unwrap();
                let names = fields.keys().filter(|field| *field != "depth_ms");
                into.extend(names.map(|field| format!("playout_buffer_{depth_ms}ms_{field}")));
            }
        }
        _ => into.push(name.to_owned()),
    }
}

#[test]
fn the_rows_of_seconds() {
    let text = file(&sample::capture(), "seconds.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 2 * 60);
    insta::assert_snapshot!([lines[0], lines[1], lines[1 + 31 * 2 + 1]].join("\n"));
}
