//! Sockets and files of the sources, read on and on: what breaks is tried again a second later.

use super::Voice;
use super::azure::{PATH, ScheduledEvents};
use super::lines::Lines;
use super::log::{Followed, label};
use super::qmp::{Said, Session};
use anyhow::{Context, Result, anyhow, bail};
use milliwatt_agent::http::{ANSWER_MAX, body, request};
use regex_lite::Regex;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// From one try, or one question, to the next.
const AGAIN: Duration = Duration::from_secs(1);
/// From one look at a log to the next.
const LOOK: Duration = Duration::from_millis(200);
/// A connection may take so long.
const CONNECT: Duration = Duration::from_secs(5);
/// An answer may: the first question of a machine makes Azure start the service, which takes up to two minutes.
const ANSWER: Duration = Duration::from_secs(130);

/// Reads events from QEMU's monitor.
pub(super) async fn read_qmp(socket: PathBuf, mut voice: Voice) {
    loop {
        let Err(error) = listen_qmp(&socket, &mut voice).await;
        voice.lost(format!("{}: {error:#}", socket.display()));
        sleep(AGAIN).await;
    }
}

/// One session, to its end. QEMU serves one at a time: another's that has the monitor lets this one connect, and say nothing.
async fn listen_qmp(socket: &Path, voice: &mut Voice) -> Result<std::convert::Infallible> {
    let mut stream = timeout(CONNECT, UnixStream::connect(socket)).await??;
    let (greeted_by, mut ready) = (Instant::now() + CONNECT, false);
    let (mut session, mut lines) = (Session::default(), Lines::default());
    let mut octets = vec![0; 16 * 1024];
    loop {
        let reading = stream.read(&mut octets);
        let count = if ready {
            reading.await?
        } else {
            timeout_at(greeted_by, reading)
                .await
                .context("QEMU says nothing: another program may hold its monitor")??
        };
        if count == 0 {
            bail!("QEMU closed the connection");
        }
        let mut said = Vec::new();
        lines.push(&octets[..count], |line| said.extend(session.take(line)));
        for said in said {
            match said {
                Said::Send(message) => stream.write_all(message.as_bytes()).await?,
                Said::Ready => {
                    ready = true;
                    voice.works();
                }
                Said::Event(label) => voice.mark(&label),
                Said::Refused(why) => bail!("{why}"),
            }
        }
    }
}

/// Reads lines of a log that a pattern finds. A file may lie where looking takes long: no other task waits for that.
pub(super) async fn read_log(file: PathBuf, pattern: Regex, mut voice: Voice) {
    let mut followed = Followed::new(&file);
    loop {
        let pattern = pattern.clone();
        let look = move || {
            let mut found = Vec::new();
            let take = |line: &str| found.extend(label(&pattern, line).map(str::to_owned));
            let looked = followed.look(take);
            (followed, looked, found)
        };
        let Ok((back, looked, found)) = tokio::task::spawn_blocking(look).await else {
            return; // the run is over
        };
        followed = back;
        for label in &found {
            voice.mark(label);
        }
        match looked {
            Ok(()) => voice.works(),
            Err(error) => voice.lost(format!("{}: {error}", file.display())),
        }
        sleep(LOOK).await;
    }
}

/// Asks for Azure's scheduled events each second.
pub(super) async fn read_azure(host: String, port: u16, mut voice: Voice) {
    let mut events = ScheduledEvents::default();
    loop {
        let asked = ask(&host, port).await;
        let taken = asked.and_then(|document| events.take(&document).map_err(|why| anyhow!(why)));
        match taken {
            Ok(labels) => {
                voice.works();
                for label in &labels {
                    voice.mark(label);
                }
            }
            Err(error) => voice.lost(format!("http://{host}:{port}: {error:#}")),
        }
        sleep(AGAIN).await;
    }
}

async fn ask(host: &str, port: u16) -> Result<Vec<u8>> {
    let connecting = TcpStream::connect((host, port));
    let connected = timeout(CONNECT, connecting)
        .await
        .context("no connection in 5 s")?;
    let mut stream = connected?;
    let asking = async {
        stream.write_all(request(host, PATH).as_bytes()).await?;
        let mut answer = Vec::new();
        stream
            .take(ANSWER_MAX as u64)
            .read_to_end(&mut answer)
            .await?;
        body(&answer).map_err(|why| anyhow!(why))
    };
    timeout(ANSWER, asking)
        .await
        .context("no answer in 130 s")?
}
