//! Sources against a monitor, a log and an endpoint of our own. What is waited for comes, however long it takes.

use super::*;
use std::io::Write;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener, UnixStream};

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(test)
}

async fn next_mark(sources: &mut Sources) -> String {
    loop {
        if let Some((_, Heard::Mark(label))) = sources.next().await {
            return label;
        }
    }
}

/// Speaks QMP as QEMU does, to one that asks in the right order; then tells `event`.
async fn speak_qmp(stream: UnixStream, event: &str) {
    let mut stream = BufReader::new(stream);
    let greeting = r#"{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 8}}, "capabilities": []}}"#;
    stream
        .write_all(format!("{greeting}\r\n").as_bytes())
        .await
        .unwrap();
    for command in ["qmp_capabilities", "migrate-set-capabilities"] {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        assert!(line.contains(command), "{line}");
        stream.write_all(b"{\"return\": {}}\r\n").await.unwrap();
    }
    stream
        .write_all(format!("{{\"event\": \"{event}\"}}\r\n").as_bytes())
        .await
        .unwrap();
}

fn qmp(socket: &Path) -> Sources {
    Sources::start(&[SourcePlan::Qmp {
        socket: socket.to_owned(),
    }])
}

#[test]
fn a_monitor_is_read_and_read_again_when_it_comes_back() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("qmp");
        let mut sources = qmp(&socket);
        // Nobody is there yet.
        let first = sources.next().await;
        assert!(matches!(first, Some(("qmp", Heard::Lost(_)))), "{first:?}");
        let listener = UnixListener::bind(&socket).unwrap();
        for event in ["STOP", "RESUME"] {
            let (stream, _) = listener.accept().await.unwrap();
            speak_qmp(stream, event).await;
            assert_eq!(sources.next().await, Some(("qmp", Heard::Back)));
            assert_eq!(
                sources.next().await,
                Some(("qmp", Heard::Mark(event.into())))
            );
            let gone = sources.next().await;
            assert!(matches!(gone, Some((_, Heard::Lost(_)))), "{gone:?}");
        }
    });
}

#[test]
fn a_monitor_for_people_is_told_of_and_tried_again() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("hmp");
        let listener = UnixListener::bind(&socket).unwrap();
        let mut sources = qmp(&socket);
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"QEMU 8.2.0 monitor - type 'help'\r\n")
            .await
            .unwrap();
        let word = sources.next().await;
        assert!(
            matches!(&word, Some((_, Heard::Lost(why))) if why.contains("does not speak QMP")),
            "{word:?}"
        );
        listener.accept().await.unwrap();
    });
}

/// As QEMU's does that another program holds: the system connects, and nobody reads.
#[test]
fn a_monitor_that_says_nothing_is_told_of_and_tried_again() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("qmp");
        let listener = UnixListener::bind(&socket).unwrap();
        let mut sources = qmp(&socket);
        let (_held, _) = listener.accept().await.unwrap();
        let word = sources.next().await;
        assert!(
            matches!(&word, Some((_, Heard::Lost(why))) if why.contains("another program may hold its monitor")),
            "{word:?}"
        );
        let (stream, _) = listener.accept().await.unwrap();
        speak_qmp(stream, "STOP").await;
        assert_eq!(next_mark(&mut sources).await, "STOP");
    });
}

#[test]
fn lines_of_a_log_are_marks() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup.log");
        let mut sources = Sources::start(&[SourcePlan::Log {
            file: file.clone(),
            pattern: "Task: (.*)".into(),
        }]);
        // Not there yet: so all of it is new.
        let first = sources.next().await;
        assert!(matches!(first, Some(("log", Heard::Lost(_)))), "{first:?}");
        let mut log = std::fs::File::create(&file).unwrap();
        writeln!(log, "noise\nTask: backup started\nmore noise").unwrap();
        assert_eq!(next_mark(&mut sources).await, "backup started");
        writeln!(log, "Task: backup ended").unwrap();
        assert_eq!(next_mark(&mut sources).await, "backup ended");
    });
}

/// Answers each connection once.
async fn answer(listener: &TcpListener, body: &str) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut stream = BufReader::new(stream);
    let (mut head, mut asked) = (String::new(), Vec::new());
    while head != "\r\n" {
        head.clear();
        stream.read_line(&mut head).await.unwrap();
        asked.push(head.trim_end().to_owned());
    }
    assert_eq!(
        asked[0],
        "GET /metadata/scheduledevents?api-version=2020-07-01 HTTP/1.1"
    );
    assert!(asked.contains(&"Metadata: true".to_owned()), "{asked:?}");
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.unwrap();
}

#[test]
fn scheduled_events_are_asked_for_again_and_again() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut sources = Sources::start(&[SourcePlan::Azure {
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
        }]);
        let event = |status| {
            format!(
                r#"{{"Events": [{{"EventId": "a", "EventType": "Freeze", "EventStatus": "{status}"}}]}}"#
            )
        };
        answer(&listener, &event("Scheduled")).await;
        assert_eq!(next_mark(&mut sources).await, "Freeze scheduled");
        answer(&listener, "no JSON").await;
        let lost = sources.next().await;
        assert!(
            matches!(&lost, Some(("azure", Heard::Lost(why))) if why.contains("no list of events")),
            "{lost:?}"
        );
        answer(&listener, &event("Started")).await;
        assert_eq!(sources.next().await, Some(("azure", Heard::Back)));
        assert_eq!(next_mark(&mut sources).await, "Freeze started");
        answer(&listener, r#"{"Events": []}"#).await;
        assert_eq!(next_mark(&mut sources).await, "Freeze ended");
    });
}

/// Past so many, one word says that there are more.
#[test]
fn a_source_that_floods_is_cut_off() {
    let (out, mut words) = mpsc::unbounded_channel();
    let mut voice = Voice::new("log", out);
    for _ in 0..WORDS_MAX + 10 {
        voice.mark("again");
    }
    drop(voice);
    let said: Vec<Word> = std::iter::from_fn(|| words.blocking_recv()).collect();
    assert_eq!(said.len(), WORDS_MAX as usize + 1);
    assert_eq!(said.last(), Some(&("log", Heard::Full)));
}

#[test]
fn a_label_is_one_line_of_bounded_length() {
    assert_eq!(as_label(" a\tb\u{1b}[2J "), "a b [2J");
    assert_eq!(as_label(&"x".repeat(1000)).len(), NAME_MAX);
}
