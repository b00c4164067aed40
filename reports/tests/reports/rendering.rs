//! The text that people and machines read.

use crate::sample;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use milliwatt_reports::{
    RunContext, Scorecard, csv, events, excerpts, hlog, html, junit, plots, terminal,
};
use milliwatt_scoring::measured::Measured;

fn summary(measured: &Measured) -> String {
    terminal::render(
        &Scorecard::new(&sample::context(), measured),
        measured,
        &sample::context(),
    )
}

fn junit(measured: &Measured) -> String {
    junit::render(
        &Scorecard::new(&sample::context(), measured),
        &sample::context(),
    )
    .unwrap()
}

/// The page of a run whose recordings were taken away.
fn html(measured: &Measured, context: &RunContext) -> String {
    let plots = plots::draw_all(measured).unwrap();
    let excerpts = excerpts::of(measured, |_| Err(excerpts::NoAudio::NotThere)).unwrap();
    html::render(
        &Scorecard::new(context, measured),
        measured,
        context,
        (&plots, &excerpts),
    )
    .unwrap()
}

#[test]
fn the_summary_of_a_failed_run() {
    insta::assert_snapshot!(summary(&sample::fail()));
}

#[test]
fn the_summary_of_an_invalid_run_says_why_before_anything_else() {
    let text = summary(&sample::invalid());
    let head: Vec<&str> = text.lines().take(15).collect();
    insta::assert_snapshot!(head.join("\n"));
}

#[test]
fn summaries_fit_the_terminal_and_begin_with_the_verdict() {
    for (measured, verdict) in [
        (sample::pass(), "PASS"),
        (sample::fail(), "FAIL"),
        (sample::invalid(), "INVALID"),
        (sample::empty(), "INVALID"),
    ] {
        let text = summary(&measured);
        assert!(text.starts_with(verdict), "{text}");
        assert!(!text.contains('\u{1b}'), "a colour code");
        for line in text.lines() {
            assert!(line.chars().count() <= terminal::WIDTH, "{line}");
        }
        assert!(text.ends_with("Report: runs/250-calls-20231114-221320/report.html\n"));
    }
}

#[test]
fn a_broken_run_of_many_packets_fits_the_terminal_too() {
    let mut measured = sample::fail();
    for leg in [&mut measured.legs.receive, &mut measured.legs.sent] {
        leg.packets_expected = 250_000 * 12 * 3600;
        leg.pdv_ms.p999 = Some(12_345.678);
        leg.pdv_ms.max = Some(59_999.999);
        leg.dead_air.total_ms = 123_456_789.123;
    }
    let transfers = measured.transfers.sent.as_mut().unwrap();
    transfers.completed = 123_456;
    transfers.retransmissions = 123_456_789;
    transfers.stalled_ms = 59_999.0;
    for line in summary(&measured).lines() {
        assert!(line.chars().count() <= terminal::WIDTH, "{line}");
    }
}

/// A line for each direction in which anything was transferred, in the summary and on the page.
#[test]
fn transfers_stand_with_the_recordings_where_there_were_any() {
    let mut measured = sample::pass();
    let texts = |measured: &Measured| {
        let page = html(measured, &sample::context());
        let words: Vec<String> = summary(measured)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        [words.join(" "), page]
    };
    let sent = "350 files, 1 broken off; goodput mean / max 2.17 / 3.08 Mbit/s; 3 segments sent again; at most stalled 4 ms, \
                round trip 0.62 ms";
    for text in texts(&measured) {
        assert!(text.contains(sent), "{text}");
        assert!(!text.contains("transfer, receive"), "{text}");
    }
    let transfers = &mut measured.transfers;
    transfers.receive = transfers.sent.take();
    for text in texts(&measured) {
        assert!(text.contains("transfer, receive"), "{text}");
        assert!(!text.contains("transfer, sent"), "{text}");
    }
}

#[test]
fn where_nothing_was_measured_no_figure_stands() {
    let text = summary(&sample::empty());
    let line = text.lines().find(|line| line.contains("PDV p50")).unwrap();
    assert!(line.ends_with("- / -"), "{line}");
    let document = text
        .lines()
        .find(|line| line.contains("network receive"))
        .unwrap();
    assert!(document.ends_with(" -"), "{document}");
}

#[test]
fn the_junit_file_of_a_failed_run() {
    insta::assert_snapshot!(junit(&sample::fail()));
}

#[test]
fn junit_calls_what_an_invalid_run_found_errors_and_what_it_did_not_find_skipped() {
    // 13 thresholds and the validity: 6 failed and the validity are errors, the 7 others skipped.
    let xml = junit(&sample::invalid());
    assert!(
        xml.contains("tests=\"14\" skipped=\"7\" errors=\"7\" failures=\"0\""),
        "{xml}"
    );
}

#[test]
fn the_rows_of_streams() {
    insta::assert_snapshot!(csv::streams(&sample::pass()));
}

#[test]
fn the_rows_of_recordings() {
    insta::assert_snapshot!(csv::recordings(&sample::pass()));
}

#[test]
fn seconds_have_a_row_a_leg_and_every_row_has_every_column() {
    let text = csv::seconds(&sample::fail());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 70 * 2);
    assert!(
        lines
            .iter()
            .all(|line| line.split(',').count() == lines[0].split(',').count())
    );
    insta::assert_snapshot!([lines[0], lines[1], lines[1 + 31 * 2], lines[140]].join("\n"));
}

/// The sent leg of second 1 is the fourth row.
#[test]
fn what_was_transferred_in_a_second_is_its_last_columns() {
    let mut measured = sample::pass();
    let row = &mut measured.seconds[3];
    row.transfer_goodput_mbps = Some(2.5);
    row.transfer_stalled_ms = Some(40.0);
    row.transfer_retransmissions = Some(3);
    let text = csv::seconds(&measured);
    let lines: Vec<&str> = text.lines().collect();
    let names = ",transfer_goodput_mbps,transfer_stalled_ms,transfer_retransmissions";
    assert!(lines[0].ends_with(names), "{}", lines[0]);
    assert!(lines[4].ends_with(",2.5,40,3"), "{}", lines[4]);
    assert!(lines[3].ends_with(",,,"), "{}", lines[3]);
}

#[test]
fn events_are_a_json_object_a_line() {
    let text = events::render(&sample::fail()).unwrap();
    let rows: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // A stall, a dead-air event for each of 1000 streams and one more, a silence on each of 500 channels and 7 more.
    assert_eq!(rows.len(), 1509);
    let stalled = rows.iter().position(|row| row["kind"] == "stall").unwrap();
    let dead = &rows[stalled + 1];
    assert_eq!(dead["kind"], "dead-air");
    assert_eq!(dead["stream"]["leg"], "receive");
    assert_eq!(dead["cause"], "guest-playout");
    for absent in ["origin", "file", "start_s"] {
        assert!(dead.get(absent).is_none(), "{absent} of dead air");
    }
    let known = &rows[0];
    assert_eq!(known["kind"], "silence");
    assert_eq!(
        (&known["origin"], &known["file"], &known["start_s"]),
        (&"known".into(), &"call-00003.wav".into(), &12.0.into())
    );
    let words: std::collections::BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["origin"].as_str())
        .collect();
    assert_eq!(Vec::from_iter(words), ["dead-air", "known", "unexplained"]);
}

/// Headings, verdict and the texts of the first table: layout may change without a new snapshot.
#[test]
fn the_skeleton_of_the_page() {
    let page = html(&sample::fail(), &sample::context());
    let lines = page.lines().filter(|line| {
        [
            "<h1>",
            "<h2>",
            "- milliwatt</title>",
            "<div class=\"verdict",
            "<td class=\"mark fail",
        ]
        .iter()
        .any(|tag| line.contains(tag))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_page_needs_no_network() {
    let page = html(&sample::invalid(), &sample::context())
        .replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for foreign in [
        "http:", "https:", "<script", "<link", "<img", "url(", "@import",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert_eq!(page.matches("<svg").count(), 8);
}

#[test]
fn the_page_escapes_what_a_scenario_says() {
    let context = RunContext {
        title: "<b>bold</b> & co".into(),
        ..sample::context()
    };
    let page = html(&sample::pass(), &context);
    assert!(!page.contains("<b>bold"));
    assert!(page.contains("&#60;b&#62;bold") || page.contains("&lt;b&gt;bold"));
}

#[test]
fn the_page_lists_the_first_200_events_and_counts_the_rest() {
    let page = html(&sample::fail(), &sample::context());
    // The first two silences are earlier than the stall: the known one, and that of lost packets.
    assert_eq!(page.matches("<td>dead-air</td>").count(), 198);
    assert_eq!(page.matches("<td>silence</td>").count(), 2);
    assert!(page.contains("recording of call 3, channel 0, 12.000 s in"));
    assert!(page.contains("data-label=\"cause\">known silence<"));
    assert!(page.contains("1,308 more in events.jsonl"));
}

#[test]
fn interval_logs_hold_an_interval_a_second_and_the_exact_second() {
    let logs = hlog::render(sample::context().started, &sample::pass()).unwrap();
    let names: Vec<&str> = logs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["receive-pdv.hlog", "sent-pdv.hlog"]);
    let intervals: Vec<(u64, f64)> = IntervalLogIterator::new(&logs[0].1)
        .filter_map(|entry| match entry.unwrap() {
            LogEntry::Interval(interval) => {
                Some((interval.start_timestamp().as_secs(), interval.max()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        intervals
            .iter()
            .map(|interval| interval.0)
            .collect::<Vec<_>>(),
        (5..65).collect::<Vec<_>>()
    );
    // The largest value is 980,000 ns; three digits are kept, told in ms.
    assert!(
        intervals
            .iter()
            .all(|interval| (interval.1 - 0.98).abs() < 0.001),
        "{intervals:?}"
    );
}

/// Only where there is one of them: most runs are not encrypted.
#[test]
fn packets_that_did_not_authenticate_have_a_row_of_the_legs() {
    let label = "packets that did not authenticate";
    let row = |measured: &Measured| {
        let rows = milliwatt_reports::tables::legs(&measured.legs);
        let row = rows.into_iter().find(|row| row.label == label);
        row.map(|row| (row.receive, row.sent))
    };
    let mut run = sample::pass();
    assert_eq!(row(&run), None);
    run.legs.receive.packets_unauthentic = 1_234;
    assert_eq!(row(&run), Some(("1,234".to_owned(), "0".to_owned())));
}
