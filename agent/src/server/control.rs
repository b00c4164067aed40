//! The control connection: orders in, answers and blocks of facts out.

use super::Agent;
use crate::meter::Purpose;
use crate::session::Session;
use crate::telemetry::environment;
use anyhow::{Context, Result, anyhow};
use milliwatt_wire::clock::{boot_id, mono_now};
use milliwatt_wire::control::{Accept, FromAgent, ToAgent};
use milliwatt_wire::frame::{read_message, write_message};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

impl Agent {
    /// Serves a tester's control connection until the tester is done, gone, or silent for too long.
    pub(super) async fn control(
        &self,
        mut stream: TlsStream<TcpStream>,
        session: &Arc<Session>,
        resumed: bool,
        next_block: u64,
    ) -> Result<()> {
        let _guard = session
            .shared
            .meter
            .add(stream.get_ref().0, Purpose::Control)?;
        // Before the first block: the tester waits for this word.
        let accept = FromAgent::Accept(self.accept(session.local(), resumed));
        write_message(&mut stream, &accept).await?;
        let (mut reader, writer) = tokio::io::split(stream);
        let (answers, queue) = mpsc::channel(64);
        let writing = tokio::spawn(write_control(
            writer,
            queue,
            Arc::clone(session),
            next_block,
        ));
        let patience =
            Duration::from_nanos(u64::try_from(self.options.tester_lost_after).unwrap_or(0));
        let finished = loop {
            match timeout(patience, read_message::<ToAgent>(&mut reader)).await {
                Ok(Ok(Some(ToAgent::Finish))) => break Ok(true),
                Ok(Ok(Some(message))) => {
                    let received = mono_now();
                    let answered =
                        tokio::task::block_in_place(|| session.handle(message, received));
                    for answer in answered? {
                        answers.send(answer).await?;
                    }
                }
                Ok(Ok(None)) => break Ok(false),
                Ok(Err(error)) => break Err(error.into()),
                Err(_) => break Err(anyhow!("not a word for {} s", patience.as_secs())),
            }
        };
        writing.abort();
        if let Some(neighbour) = session.neighbour() {
            neighbour.let_go();
        }
        let started = session.has_started();
        if matches!(finished, Ok(true)) || !started {
            self.end(session).await;
        }
        let said = if started {
            "control connection lost, the run goes on"
        } else {
            "the tester left before the run began"
        };
        finished.map(|_| ()).context(said)
    }

    fn accept(&self, media: IpAddr, resumed: bool) -> Accept {
        Accept {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: boot_id(),
            engines: self.engines,
            // Programs and services are asked for it: not beside a run.
            environment: if resumed {
                Vec::new()
            } else {
                environment(Some(media))
            },
            resumed,
        }
    }
}

/// Writes answers as they come and facts blocks from `next_block` on, until both are at their end.
async fn write_control(
    mut writer: impl tokio::io::AsyncWrite + Unpin,
    mut answers: mpsc::Receiver<FromAgent>,
    session: Arc<Session>,
    mut next_block: u64,
) -> Result<()> {
    let (mut written, mut completed) = (
        session.shared.spool.written(),
        session.shared.spool.completed(),
    );
    let mut done = false;
    loop {
        while let Some(octets) = session.shared.spool.read(next_block)? {
            write_message(
                &mut writer,
                &FromAgent::Block {
                    sequence: next_block,
                    octets,
                },
            )
            .await?;
            next_block += 1;
        }
        if *completed.borrow() && !done && next_block >= *written.borrow() {
            write_message(&mut writer, &FromAgent::Done).await?;
            done = true;
        }
        tokio::select! {
            answer = answers.recv() => match answer {
                Some(answer) => write_message(&mut writer, &answer).await?,
                None => return Ok(()),
            },
            changed = written.changed(), if !done => changed?,
            changed = completed.changed(), if !done => changed?,
        }
    }
}
