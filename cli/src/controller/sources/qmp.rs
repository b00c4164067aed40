//! QEMU's machine protocol (QMP), as far as events need it: greeting, negotiation, events. A line is a message.

use serde_json::Value;

/// The first command of a session: without it QEMU tells nothing.
const CAPABILITIES: &str = "{\"execute\":\"qmp_capabilities\"}\n";
/// QEMU tells of a migration only when it was asked to. It refuses while one is under way.
const MIGRATION_EVENTS: &str = "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":\
    [{\"capability\":\"events\",\"state\":true}]}}\n";

/// Events that say something of the guest's time, place or disk. `BLOCK_JOB_...` do too.
const TOLD: [&str; 17] = [
    "STOP",
    "RESUME",
    "SUSPEND",
    "SUSPEND_DISK",
    "WAKEUP",
    "RESET",
    "SHUTDOWN",
    "POWERDOWN",
    "GUEST_PANICKED",
    "GUEST_CRASHLOADED",
    "MIGRATION",
    "JOB_STATUS_CHANGE",
    "BLOCK_IO_ERROR",
    "WATCHDOG",
    "BALLOON_CHANGE",
    "DUMP_COMPLETED",
    "MEMORY_FAILURE",
];

/// What comes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// This is to be sent.
    Send(&'static str),
    /// The session stands: events come from now on.
    Ready,
    /// An event, as a label.
    Event(String),
    /// This leads to nothing: why.
    Refused(String),
}

/// A session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Session {
    /// QEMU speaks first.
    #[default]
    Greeting,
    /// It was asked to leave negotiation.
    Negotiating,
    /// It was asked to tell of migrations too: what it says to that does not matter.
    Asked,
    /// Events come.
    Open,
}

impl Session {
    /// Takes a line; what is no message of the protocol, and what says nothing here, is passed over.
    pub(super) fn take(&mut self, line: &str) -> Option<Said> {
        let message: Option<Value> = serde_json::from_str(line).ok();
        let Some(message) = message.filter(Value::is_object) else {
            let greeted = *self != Self::Greeting;
            let shown: String = line.chars().take(60).collect();
            let refused =
                || Said::Refused(format!("it does not speak QMP: `{}`", shown.escape_debug()));
            return (!greeted && !line.trim().is_empty()).then(refused);
        };
        match self {
            Self::Greeting => self.greeted(&message),
            Self::Negotiating => self.negotiated(&message),
            Self::Asked if message.get("event").is_none() => {
                *self = Self::Open;
                Some(Said::Ready)
            }
            Self::Asked | Self::Open => event(&message).map(Said::Event),
        }
    }

    fn greeted(&mut self, message: &Value) -> Option<Said> {
        message.get("QMP")?;
        *self = Self::Negotiating;
        Some(Said::Send(CAPABILITIES))
    }

    fn negotiated(&mut self, message: &Value) -> Option<Said> {
        if let Some(error) = message.get("error") {
            let why = error
                .get("desc")
                .and_then(Value::as_str)
                .unwrap_or("no reason given");
            return Some(Said::Refused(format!("QEMU refuses: {why}")));
        }
        message.get("return")?;
        *self = Self::Asked;
        Some(Said::Send(MIGRATION_EVENTS))
    }
}

/// The label of an event that says something, with what makes it plain: a state, a job, a device.
fn event(message: &Value) -> Option<String> {
    let name = message.get("event")?.as_str()?;
    if !TOLD.contains(&name) && !name.starts_with("BLOCK_JOB_") {
        return None;
    }
    let said = |key: &str| message.get("data")?.get(key)?.as_str();
    let more: Vec<&str> = match name {
        "JOB_STATUS_CHANGE" => ["id", "status"].map(said).into_iter().flatten().collect(),
        "MIGRATION" => said("status").into_iter().collect(),
        "SHUTDOWN" | "RESET" => said("reason").into_iter().collect(),
        _ => said("device").into_iter().collect(),
    };
    Some([&[name], &more[..]].concat().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GREETING: &str = r#"{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 8}, "package": ""}, "capabilities": ["oob"]}}"#;

    /// An open session.
    fn open() -> Session {
        let mut session = Session::default();
        assert_eq!(session.take(GREETING), Some(Said::Send(CAPABILITIES)));
        assert_eq!(
            session.take(r#"{"return": {}}"#),
            Some(Said::Send(MIGRATION_EVENTS))
        );
        assert_eq!(session.take(r#"{"return": {}}"#), Some(Said::Ready));
        session
    }

    /// Messages as QEMU 8.2 writes them.
    #[test]
    fn events_of_a_move_a_pause_and_a_backup_become_labels() {
        let at = r#""timestamp": {"seconds": 1764357000, "microseconds": 123456}"#;
        let cases = [
            (r#""event": "STOP""#, Some("STOP")),
            (r#""event": "RESUME""#, Some("RESUME")),
            (
                r#""event": "MIGRATION", "data": {"status": "completed"}"#,
                Some("MIGRATION completed"),
            ),
            (
                r#""event": "JOB_STATUS_CHANGE", "data": {"status": "concluded", "id": "backup0"}"#,
                Some("JOB_STATUS_CHANGE backup0 concluded"),
            ),
            (
                r#""event": "BLOCK_JOB_COMPLETED", "data": {"device": "drive0", "len": 1, "offset": 1, "type": "backup"}"#,
                Some("BLOCK_JOB_COMPLETED drive0"),
            ),
            (
                r#""event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}"#,
                Some("SHUTDOWN host-qmp-quit"),
            ),
            (r#""event": "VNC_CONNECTED", "data": {}"#, None),
            (r#""event": 7"#, None),
        ];
        let mut session = open();
        for (message, label) in cases {
            let said = session.take(&format!("{{{at}, {message}}}"));
            assert_eq!(
                said,
                label.map(|label| Said::Event(label.into())),
                "{message}"
            );
        }
    }

    /// A migration under way, or an old QEMU: events come all the same.
    #[test]
    fn a_refusal_to_tell_of_migrations_ends_nothing() {
        let mut session = Session::Asked;
        assert_eq!(
            session.take(r#"{"event": "STOP"}"#),
            Some(Said::Event("STOP".into()))
        );
        let refused = r#"{"error": {"class": "GenericError", "desc": "There's a migration process in progress"}}"#;
        assert_eq!(session.take(refused), Some(Said::Ready));
    }

    #[test]
    fn what_is_no_qmp_is_refused_by_its_words() {
        let refused = Session::default().take("QEMU 8.2.0 monitor - type 'help'");
        assert!(
            matches!(&refused, Some(Said::Refused(why)) if why.contains("QEMU 8.2.0 monitor")),
            "{refused:?}"
        );
        let denied = Session::Negotiating.take(r#"{"error": {"desc": "not now"}}"#);
        assert_eq!(denied, Some(Said::Refused("QEMU refuses: not now".into())));
    }

    proptest! {
        /// Nothing that comes ends the tester.
        #[test]
        fn any_line_is_taken(lines in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "\\{\"(QMP|return|error|event|data)\": ?(\\{\\}|null|7|\"STOP\"|\\[\\])\\}",
            ],
            0..8,
        )) {
            let mut session = Session::default();
            for line in &lines {
                session.take(line);
            }
        }
    }
}
