//! `scorecard.schema.json`, `comparison.schema.json` and what is written agree in both directions.

use crate::{comparison, sample};
use milliwatt_reports::Scorecard;
use milliwatt_reports::comparison::{Compared, Document};
use milliwatt_scoring::comparison::Change;
use milliwatt_scoring::measured::Measured;
use serde_json::{Map, Value, json};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../scorecard.schema.json")).unwrap()
}

fn comparison_schema() -> Value {
    serde_json::from_str(include_str!("../../comparison.schema.json")).unwrap()
}

fn document(compared: &Compared) -> Value {
    serde_json::to_value(Document::of(compared)).unwrap()
}

fn scorecard(measured: &Measured) -> Value {
    serde_json::to_value(Scorecard::new(&sample::context(), measured)).unwrap()
}

/// What is wrong with `value`: the part of JSON Schema that the schema uses, with objects closed,
/// so that a field that the schema does not know is an error too.
fn errors(root: &Value, schema: &Value, value: &Value, path: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return errors(
            root,
            root.pointer(reference.trim_start_matches('#')).unwrap(),
            value,
            path,
        );
    }
    let mut found = Vec::new();
    if schema
        .get("const")
        .is_some_and(|constant| constant != value)
    {
        found.push(format!("{path}: not the constant"));
    }
    if schema["enum"]
        .as_array()
        .is_some_and(|values| !values.contains(value))
    {
        found.push(format!("{path}: {value} is none of the values"));
    }
    if schema
        .get("type")
        .is_some_and(|types| !has_type(types, value))
    {
        found.push(format!("{path}: {value} is no {}", schema["type"]));
    }
    if schema["maxItems"].as_u64().is_some_and(|most| {
        value
            .as_array()
            .is_some_and(|items| items.len() as u64 > most)
    }) {
        found.push(format!("{path}: too many items"));
    }
    for item in value.as_array().into_iter().flatten() {
        found.extend(errors(root, &schema["items"], item, &format!("{path}[]")));
    }
    if let (Some(properties), Some(fields)) = (schema["properties"].as_object(), value.as_object())
    {
        found.extend(field_errors(root, schema, properties, fields, path));
    }
    found
}

fn field_errors(
    root: &Value,
    schema: &Value,
    properties: &Map<String, Value>,
    fields: &Map<String, Value>,
    path: &str,
) -> Vec<String> {
    let required = schema["required"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str);
    let mut found: Vec<String> = required
        .filter(|name| !fields.contains_key(*name))
        .map(|name| format!("{path}.{name}: missing"))
        .collect();
    for (name, field) in fields {
        match properties.get(name) {
            Some(property) => {
                found.extend(errors(root, property, field, &format!("{path}.{name}")));
            }
            None => found.push(format!("{path}.{name}: not in the schema")),
        }
    }
    found
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        other => panic!("type {other} is not one that this check knows"),
    };
    match types {
        Value::Array(types) => types.iter().filter_map(Value::as_str).any(is),
        types => is(types.as_str().unwrap()),
    }
}

#[test]
fn scorecards_with_everything_and_with_nothing_measured_satisfy_the_schema() {
    let schema = schema();
    let runs: [fn() -> Measured; 11] = [
        sample::pass,
        sample::fail,
        sample::invalid,
        sample::empty,
        sample::steps::sent_broke,
        sample::steps::both_broke,
        sample::steps::tester_limited,
        sample::disruptions::moved,
        sample::disruptions::gone,
        sample::neighbours::contended,
        sample::disruptions::repeated,
    ];
    for run in runs {
        assert_eq!(
            errors(&schema, &schema, &scorecard(&run()), "$"),
            Vec::<String>::new()
        );
    }
}

/// With the test above: the schema holds each field that is written, and no field that is not.
#[test]
fn every_property_of_the_schemas_is_always_written() {
    for schema in [schema(), comparison_schema()] {
        requires_all(&schema);
    }
}

fn requires_all(schema: &Value) {
    let objects = schema["$defs"]
        .as_object()
        .unwrap()
        .values()
        .chain([schema]);
    for object in objects {
        let names: Vec<&str> = object["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut required: Vec<&str> = object["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        required.sort_unstable();
        assert_eq!(names, required, "{}", object["description"]);
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let schema = schema();
    let good = scorecard(&sample::fail());
    let broken = |pointer: &str, value: Value| {
        let mut card = good.clone();
        *card.pointer_mut(pointer).unwrap() = value;
        errors(&schema, &schema, &card, "$")
    };
    assert_eq!(
        broken("/verdict", json!("passed")),
        ["$.verdict: \"passed\" is none of the values"]
    );
    assert_eq!(
        broken("/legs/sent/packets_lost", json!(null)),
        ["$.legs.sent.packets_lost: null is no \"integer\""]
    );
    assert_eq!(
        broken("/thresholds/0/leg", json!("both")),
        ["$.thresholds[].leg: \"both\" is none of the values"]
    );
    assert_eq!(broken("/guests", json!([{}])), ["$.guests: too many items"]);
    let searched = scorecard(&sample::steps::sent_broke());
    let mut wrong = searched.clone();
    wrong["breaking_point"]["sent"]["reached"] = json!("broken");
    wrong["steps"][3]["kind"] = json!("step");
    wrong["steps"][3]["sent"]["offered"] = json!(1.0);
    assert_eq!(
        errors(&schema, &schema, &wrong, "$"),
        [
            "$.breaking_point.sent.reached: \"broken\" is none of the values",
            "$.steps[].kind: \"step\" is none of the values",
            "$.steps[].sent.offered: not in the schema"
        ]
    );
    let misnamed = broken("/breaking_point", json!({"receive": null, "send": null}));
    assert_eq!(
        misnamed,
        [
            "$.breaking_point.sent: missing",
            "$.breaking_point.send: not in the schema"
        ]
    );
}

/// With every verdict, with and without what was forced, with nothing measured in the runs, and with nothing compared.
#[test]
fn comparisons_satisfy_their_schema() {
    let schema = comparison_schema();
    let whole = comparison::compared();
    let words = [
        (Change::Better, "better"),
        (Change::Same, "same"),
        (Change::Worse, "worse"),
        (Change::CannotTell, "cannot-tell"),
    ];
    for (verdict, word) in words {
        let mut compared = whole.clone();
        compared.comparison.verdict = verdict;
        compared.forced = vec!["milliwatt: 0.1.0 in a, 0.2.0 in b".to_owned()];
        let written = document(&compared);
        assert_eq!(
            errors(&schema, &schema, &written, "$"),
            Vec::<String>::new()
        );
        assert_eq!(written["verdict"], json!(word));
    }
    let mut nothing = whole;
    nothing.comparison.metrics.clear();
    nothing.environment[0].run = vec![None];
    nothing.runs[0].measured = sample::empty();
    let written = document(&nothing);
    assert_eq!(
        errors(&schema, &schema, &written, "$"),
        Vec::<String>::new()
    );
}

#[test]
fn the_check_finds_what_is_wrong_in_a_comparison() {
    let schema = comparison_schema();
    let mut wrong = document(&comparison::compared());
    wrong["verdict"] = json!("cannot_tell");
    wrong["metrics"][0]["leg"] = json!("both");
    wrong["metrics"][1]["location"]["q"] = json!(0.5);
    wrong["metrics"][1]["interval_95"] = json!([1.0, 2.0, 3.0]);
    wrong["baseline"][0]["calls"] = json!(null);
    let mut found = errors(&schema, &schema, &wrong, "$");
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "$.baseline[].calls: null is no \"integer\"",
            "$.metrics[].interval_95: too many items",
            "$.metrics[].leg: \"both\" is none of the values",
            "$.metrics[].location.q: not in the schema",
            "$.verdict: \"cannot_tell\" is none of the values"
        ]
    );
}

/// Users' scripts read these names.
#[test]
fn the_names_that_scripts_rely_on_are_there() {
    let card = scorecard(&sample::pass());
    let top = "schema_version verdict scenario partial validity legs recordings transfers thresholds document breaking_point steps \
               disruptions marks hooks disruption_summary guest host clock timers attribution guests";
    let validity = "valid reasons tainted_seconds departures_planned departures_sent departures_not_sent socket_drops lateness_us";
    let leg = "streams packets_expected packets_received packets_lost packets_duplicated packets_reordered \
               packets_discarded packets_not_sent loss_percent interarrival_jitter_ms ipdv_ms pdv_ms mos_lq dead_air mbps \
               rtp_mbps transfer_mbps";
    let attribution = "pdv_mean_ms tester_percent guest_percent path_percent path_common_percent path_stream_percent worst";
    let worst =
        "at_s tainted origin pdv_ms tester_ms guest_ms path_ms path_common_ms path_stream_ms";
    let recordings = "expected received scored with_silence silence_events upper_bound_95_percent";
    let transfers = "completed broken acknowledged_octets goodput_mbps retransmissions stalled_ms round_trip_ms";
    for (pointer, names) in [
        ("", top),
        ("/validity", validity),
        ("/validity/lateness_us", "p50 p99 p999 max"),
        ("/legs/receive", leg),
        ("/legs/sent", leg),
        ("/legs/sent/interarrival_jitter_ms", "mean max"),
        ("/legs/sent/ipdv_ms", "p50 p99 p999 max"),
        ("/legs/sent/pdv_ms", "p50 p95 p99 p999 max"),
        ("/legs/sent/mos_lq", "min p5 median"),
        (
            "/legs/sent/dead_air",
            "events longest_ms total_ms streams_affected",
        ),
        ("/legs/sent/mbps", "mean max"),
        ("/recordings", recordings),
        (
            "/thresholds/0",
            "metric leg limit unit measured outcome basis source",
        ),
        ("/document/0", "figure published measured unit"),
        ("/breaking_point", "receive sent"),
        ("/transfers", "receive sent"),
        ("/transfers/sent", transfers),
        ("/attribution/receive", attribution),
        ("/attribution/sent", attribution),
        ("/attribution/sent/worst", worst),
    ] {
        for name in names.split_whitespace() {
            assert!(
                card.pointer(&format!("{pointer}/{name}")).is_some(),
                "{pointer}/{name}"
            );
        }
    }
    let searched = scorecard(&sample::steps::sent_broke());
    let point = "reached last_good_mbps first_bad_mbps carried_mbps calls metric at_s after_s";
    let step = "index kind from_s until_s calls target_mbps receive sent";
    let of_leg = "outcome offered_mbps carried_mbps transfer_mbps loss_percent discarded_percent dead_air_events \
                  pdv_p999_ms transfer_goodput_percent metric at_s";
    for (pointer, names) in [
        ("/breaking_point/receive", point),
        ("/breaking_point/sent", point),
        ("/steps/0", step),
        ("/steps/0/receive", of_leg),
        ("/steps/0/sent", of_leg),
    ] {
        for name in names.split_whitespace() {
            let path = format!("{pointer}/{name}");
            assert!(searched.pointer(&path).is_some(), "{path}");
        }
    }
    let moved = scorecard(&sample::disruptions::moved());
    let disruption = "at kind blackout_ms brownout_ms streams_affected streams packets_lost packets_late recovered_ms legs mark \
                      calls_affected calls calls_lost by_leg";
    for (pointer, names) in [
        ("/disruptions/0", disruption),
        (
            "/disruption_summary/0",
            "label repeats found blackout_ms recovered_ms not_recovered streams_affected",
        ),
        ("/marks/0", "label at source effect disruptions_at"),
        (
            "/hooks/0",
            "label started ended outcome exit_code output effect",
        ),
    ] {
        for name in names.split_whitespace() {
            let path = format!("{pointer}/{name}");
            assert!(moved.pointer(&path).is_some(), "{path}");
        }
    }
    assert_eq!(moved["disruptions"][0]["legs"], json!(["receive", "sent"]));
    assert_eq!(card["steps"], json!([]));
    assert_eq!(card["disruptions"], json!([]));
    assert_eq!(card["guests"], json!([]));
    assert_eq!(
        card["breaking_point"],
        json!({"receive": null, "sent": null})
    );
}

#[test]
fn the_upper_bound_is_told_in_percent() {
    // The sample's share is 0.71.
    let bound = scorecard(&sample::fail())["recordings"]["upper_bound_95_percent"]
        .as_f64()
        .unwrap();
    assert!((bound - 71.0).abs() < 1e-9, "{bound}");
    assert_eq!(
        scorecard(&sample::empty())["recordings"]["upper_bound_95_percent"],
        json!(null)
    );
}
