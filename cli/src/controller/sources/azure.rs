//! Azure's scheduled events (Metadata Service, api-version 2020-07-01): what is about to happen to this machine and its
//! neighbours of one availability set, scale set or placement group.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The document that is asked for.
pub(super) const PATH: &str = "/metadata/scheduledevents?api-version=2020-07-01";
/// Events of a document that are looked at.
const EVENTS_MAX: usize = 1000;

/// The answer.
#[derive(Debug, Deserialize)]
struct Document {
    #[serde(rename = "Events", default)]
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "EventId")]
    id: String,
    /// `Freeze`, `Reboot`, `Redeploy`, `Preempt` or `Terminate`.
    #[serde(rename = "EventType", default)]
    kind: String,
    /// `Scheduled`, then `Started`; one that is over is not in the document any more.
    #[serde(rename = "EventStatus", default)]
    status: String,
}

/// The events that are known, by their identity: kind and status.
#[derive(Debug, Default)]
pub(super) struct ScheduledEvents {
    known: BTreeMap<String, (String, String)>,
}

impl ScheduledEvents {
    /// Takes a document and gives a label for each event that is new, has another status, or is over: `Freeze scheduled`,
    /// `Freeze started`, `Freeze ended`. The error says what the document is not.
    pub(super) fn take(&mut self, document: &[u8]) -> Result<Vec<String>, String> {
        let document: Document = serde_json::from_slice(document)
            .map_err(|error| format!("its answer is no list of events: {error}"))?;
        let mut labels = Vec::new();
        let mut listed = BTreeMap::new();
        for Event { id, kind, status } in document.events.into_iter().take(EVENTS_MAX) {
            let state = (kind, status);
            if self.known.get(&id) != Some(&state) {
                labels.push(format!("{} {}", state.0, state.1.to_lowercase()));
            }
            listed.insert(id, state);
        }
        let over = self
            .known
            .iter()
            .filter(|(id, _)| !listed.contains_key(*id));
        labels.extend(over.map(|(_, (kind, _))| format!("{kind} ended")));
        self.known = listed;
        Ok(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Azure's documentation has it.
    fn document(events: &[(&str, &str, &str)]) -> String {
        let event = |(id, kind, status): &(&str, &str, &str)| {
            format!(
                r#"{{"EventId": "{id}", "EventStatus": "{status}", "EventType": "{kind}", "ResourceType": "VirtualMachine",
                "Resources": ["guest7"], "NotBefore": "Mon, 19 Sep 2026 18:29:47 GMT", "Description": "", "EventSource": "Platform",
                "DurationInSeconds": 9}}"#
            )
        };
        let events: Vec<String> = events.iter().map(event).collect();
        format!(
            r#"{{"DocumentIncarnation": 1, "Events": [{}]}}"#,
            events.join(",")
        )
    }

    #[test]
    fn an_event_is_told_when_it_is_new_when_it_starts_and_when_it_is_over() {
        let mut known = ScheduledEvents::default();
        let mut told = |events: &[_]| known.take(document(events).as_bytes()).unwrap();
        assert!(told(&[]).is_empty());
        assert_eq!(told(&[("a", "Freeze", "Scheduled")]), ["Freeze scheduled"]);
        assert!(told(&[("a", "Freeze", "Scheduled")]).is_empty());
        let two = [("a", "Freeze", "Started"), ("b", "Reboot", "Scheduled")];
        assert_eq!(told(&two), ["Freeze started", "Reboot scheduled"]);
        assert_eq!(told(&two[1..]), ["Freeze ended"]);
    }

    #[test]
    fn what_is_no_document_is_refused_and_changes_nothing() {
        let mut known = ScheduledEvents::default();
        known
            .take(document(&[("a", "Freeze", "Started")]).as_bytes())
            .unwrap();
        assert!(
            known
                .take(b"<html>")
                .unwrap_err()
                .contains("no list of events")
        );
        assert!(known.take(br#"{"Events": [7]}"#).is_err());
        assert!(
            known
                .take(document(&[("a", "Freeze", "Started")]).as_bytes())
                .unwrap()
                .is_empty()
        );
    }

    proptest! {
        #[test]
        fn any_answer_is_taken(answer in any::<Vec<u8>>()) {
            let _taken = ScheduledEvents::default().take(&answer);
        }
    }
}
