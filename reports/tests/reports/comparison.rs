//! The report of two runs, one before and one after a change of the network adapter.

use crate::sample;
use milliwatt_reports::comparison::{
    Compared, ComparedRun, Document, EnvironmentDifference, html, junit, terminal, write_all,
};
use milliwatt_scoring::comparison::{
    Change, Comparison, Location, MetricComparison, Needed, compared_metrics,
};
use milliwatt_wire::id::Leg;

fn metric(path: &str, leg: Option<Leg>) -> MetricComparison {
    let of = compared_metrics()
        .iter()
        .find(|metric| metric.path == path)
        .unwrap();
    MetricComparison {
        metric: of.path,
        leg,
        unit: of.unit,
        higher_is_better: of.higher_is_better,
        decides: of.decides,
        baseline: None,
        run: None,
        difference: None,
        interval_95: None,
        interval_of_all: None,
        least_difference: None,
        verdict: None,
        streams: Some([40, 40]),
        location: None,
        reason: None,
        needed: None,
    }
}

/// Of a difference, an interval about it, and a verdict.
fn found(
    metric: MetricComparison,
    [baseline, run]: [f64; 2],
    reach: f64,
    (least, verdict): (f64, Change),
) -> MetricComparison {
    let difference = run - baseline;
    MetricComparison {
        baseline: Some(baseline),
        run: Some(run),
        difference: Some(difference),
        interval_95: Some([difference - reach, difference + reach]),
        interval_of_all: Some([difference - 1.5 * reach, difference + 1.5 * reach]),
        least_difference: Some(least),
        verdict: Some(verdict),
        ..metric
    }
}

pub(crate) fn compared() -> Compared {
    let (receive, sent) = (Some(Leg::Receive), Some(Leg::Sent));
    let metrics = vec![
        found(
            metric("loss_percent", receive),
            [0.0, 0.01],
            0.01,
            (0.05, Change::Same),
        ),
        MetricComparison {
            location: Some(Location {
                shift: 170.4,
                u: 1590.0,
                share: 0.993_75,
                p: 1e-12,
            }),
            ..found(
                metric("pdv_ms.p99", sent),
                [7.7, 181.2],
                40.0,
                (1.925, Change::Worse),
            )
        },
        MetricComparison {
            needed: Some(Needed {
                times: 4.2,
                streams: Some(168),
            }),
            ..found(
                metric("dead_air.per_1000_call_minutes", sent),
                [0.0, 2.5],
                2.5,
                (1.0, Change::CannotTell),
            )
        },
        MetricComparison {
            reason: Some("4 recordings, and at least 8 are needed".to_owned()),
            needed: Some(Needed {
                times: 2.0,
                streams: Some(8),
            }),
            ..found(
                metric("recordings.silence_per_1000_call_minutes", None),
                [0.0, 0.0],
                0.0,
                (1.0, Change::CannotTell),
            )
        },
        found(
            metric("mos_lq.median", sent),
            [4.33, 4.31],
            0.01,
            (0.1, Change::Same),
        ),
        found(
            metric("guest.cpu_percent", None),
            [31.0, 47.0],
            2.0,
            (3.1, Change::Worse),
        ),
        metric("guest.tick_lateness_us.p99", None),
    ];
    let run = |directory: &str, measured| ComparedRun {
        directory: directory.to_owned(),
        started: 1_700_000_000_000_000_000,
        measured,
    };
    let difference = |name: &str, baseline: &str, run: &str, incidental| EnvironmentDifference {
        name: name.to_owned(),
        baseline: vec![Some(baseline.to_owned())],
        run: vec![Some(run.to_owned())],
        incidental,
    };
    Compared {
        scenario: "250-calls".to_owned(),
        comparison: Comparison {
            verdict: Change::Worse,
            runs: [1, 1],
            metrics,
            judged: 5,
        },
        baseline: vec![run("runs/virtio", sample::pass())],
        runs: vec![run("runs/e1000", sample::fail())],
        environment: vec![
            difference("guest: nic_driver", "virtio_net", "e1000", false),
            difference("guest: boot_id", "13566f07", "c0ffee00", true),
        ],
        forced: Vec::new(),
    }
}

#[test]
fn the_summary_of_a_comparison() {
    insta::assert_snapshot!(terminal::render(&compared()));
}

#[test]
fn the_junit_of_a_comparison() {
    insta::assert_snapshot!(junit(&compared()).unwrap());
}

#[test]
fn summaries_of_comparisons_fit_the_terminal_and_begin_with_the_verdict() {
    for (verdict, word) in [
        (Change::Worse, "WORSE"),
        (Change::Better, "BETTER"),
        (Change::Same, "SAME"),
        (Change::CannotTell, "CANNOT TELL"),
    ] {
        let mut compared = compared();
        compared.comparison.verdict = verdict;
        let text = terminal::render(&compared);
        assert!(text.starts_with(word), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }
}

#[test]
fn what_was_forced_stands_under_the_verdict() {
    let mut compared = compared();
    compared.forced = vec!["milliwatt: 0.1.0 in a, 0.2.0 in b".to_owned()];
    let forced = "FORCED: milliwatt: 0.1.0 in a, 0.2.0 in b";
    assert!(terminal::render(&compared).contains(forced));
    assert!(html(&compared).unwrap().contains(forced));
}

/// Worse first, the change of the environment above the figures, nothing from elsewhere.
#[test]
fn the_page_of_a_comparison_needs_no_network() {
    let page = html(&compared()).unwrap();
    for away in ["src=\"http", "href=\"http", "url(http", "@import"] {
        assert!(!page.contains(away), "{away}");
    }
    let place = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("{text} is missing"))
    };
    assert!(place("WORSE") < place("virtio_net"));
    assert!(place("virtio_net") < place("pdv_ms.p99, sent leg"));
    assert!(place("pdv_ms.p99, sent leg") < place("loss_percent, receive leg"));
    assert_eq!(page.matches("<svg").count(), 3);
}

#[test]
fn the_json_of_a_comparison_names_what_scripts_need() {
    let compared = compared();
    let json: serde_json::Value =
        serde_json::from_str(&Document::of(&compared).to_json().unwrap()).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["verdict"], "worse");
    assert_eq!(json["environment"][0]["name"], "guest: nic_driver");
    assert_eq!(json["runs"][0]["directory"], "runs/e1000");
    assert_eq!(json["metrics"][1]["metric"], "pdv_ms.p99");
    assert_eq!(json["metrics"][1]["leg"], "sent");
    assert_eq!(json["metrics"][1]["verdict"], "worse");
    assert_eq!(json["metrics"][2]["verdict"], "cannot-tell");
    assert_eq!(json["metrics"][2]["needed"]["streams"], 168);
    assert_eq!(json["metrics"][6]["verdict"], serde_json::Value::Null);
}

#[test]
fn every_file_of_a_comparison_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new");
    write_all(&out, &compared()).unwrap();
    for file in [
        "comparison.html",
        "comparison.json",
        "junit.xml",
        "plots/pdv-distribution.svg",
        "plots/pdv.svg",
        "plots/interarrival-jitter.svg",
    ] {
        assert!(out.join(file).is_file(), "{file}");
    }
}
