//! The control connection as the tester sees it: dialled, kept, dialled again. Media never waits
//! for it.

use super::dial::{Connected, Dial, DialError};
use crate::exit::Failure;
use crate::output;
use anyhow::{Context, Result, anyhow};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::control::{FromAgent, ToAgent};
use milliwatt_wire::frame::{read_message, write_message};
use milliwatt_wire::time::MonoTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

const REDIAL: Duration = Duration::from_millis(500);
/// The agent answers a clock exchange each second: after so long without a word its connection is
/// dialled anew, since TCP alone may take a quarter of an hour to notice that nobody is there.
const SILENT: Duration = Duration::from_secs(5);

/// What the link tells the controller.
#[derive(Debug)]
pub(super) enum LinkEvent {
    /// The agent said something, read at this time.
    Message(FromAgent, MonoTime),
    /// The connection broke; it is being dialled again.
    Lost(String),
    /// It stands again.
    Resumed,
    /// The agent could not be reached for too long, or knows nothing of this run any more.
    GaveUp(String),
}

/// The living link: send messages, receive events.
pub(super) struct Link {
    pub(super) to_agent: mpsc::UnboundedSender<ToAgent>,
    pub(super) events: mpsc::Receiver<LinkEvent>,
    pub(super) next_block: Arc<AtomicU64>,
}

impl Link {
    /// Keeps `connected` alive from now on.
    pub(super) fn keep(dial: Dial, connected: Connected, lost_after: Duration) -> Self {
        let (to_agent, outbox) = mpsc::unbounded_channel();
        let (inbox, events) = mpsc::channel(256);
        let next_block = Arc::new(AtomicU64::new(0));
        let keeper = Keeper {
            dial,
            lost_after,
            outbox,
            inbox,
            next_block: Arc::clone(&next_block),
            standing: Vec::new(),
            heard: AtomicI64::new(mono_now().0),
        };
        tokio::spawn(keeper.keep(connected));
        Self {
            to_agent,
            events,
            next_block,
        }
    }

    /// Sends; a link that has given up says so by its event.
    pub(super) fn send(&self, message: ToAgent) {
        drop(self.to_agent.send(message));
    }

    /// The next message that `wanted` accepts, while the run is being set up.
    pub(super) async fn expect<T>(
        &mut self,
        what: &str,
        wanted: impl Fn(FromAgent, MonoTime) -> Option<T>,
    ) -> Result<T, Failure> {
        let waiting = async {
            while let Some(event) = self.events.recv().await {
                match event {
                    LinkEvent::Message(FromAgent::Refuse { reason, hint }, _) => {
                        return Err(
                            Failure::could_not_run(format!("the agent refuses: {reason}"))
                                .hint(hint),
                        );
                    }
                    LinkEvent::Message(message, at) => {
                        if let Some(value) = wanted(message, at) {
                            return Ok(value);
                        }
                    }
                    LinkEvent::Resumed => {}
                    LinkEvent::Lost(why) | LinkEvent::GaveUp(why) => {
                        return Err(Failure::could_not_run(format!(
                            "the agent went away while {what}: {why}"
                        )));
                    }
                }
            }
            Err(Failure::could_not_run(format!(
                "the agent went away while {what}"
            )))
        };
        let silent =
            || Failure::could_not_run(format!("the agent said nothing for 30 s while {what}"));
        timeout(Duration::from_secs(30), waiting)
            .await
            .unwrap_or_else(|_| Err(silent()))
    }
}

/// A connection that is kept, and what must not be lost with it.
struct Keeper {
    dial: Dial,
    lost_after: Duration,
    outbox: mpsc::UnboundedReceiver<ToAgent>,
    inbox: mpsc::Sender<LinkEvent>,
    next_block: Arc<AtomicU64>,
    /// Orders that hold for the rest of the run: said again on each new connection, since the last
    /// one may have swallowed them.
    standing: Vec<ToAgent>,
    /// When the agent was last heard, by our monotonic clock, ns.
    heard: AtomicI64,
}

impl Keeper {
    fn complain(&self, text: &str) {
        match self.dial.neighbour {
            None => output::complain(text),
            Some(number) => output::complain(&format!("neighbour {number}: {text}")),
        }
    }

    async fn keep(mut self, mut connected: Connected) {
        while let Err(error) = self.serve(connected).await {
            let why = format!("{error:#}");
            if self.standing.is_empty() {
                // Nothing has been started: whoever waits for the set-up says it.
                drop(self.inbox.send(LinkEvent::Lost(why)).await);
                return;
            }
            self.complain(&format!("control connection lost, dialling again: {why}"));
            if self.inbox.send(LinkEvent::Lost(why.clone())).await.is_err() {
                return;
            }
            match self.dial_again(&why).await {
                Ok(again) => connected = again,
                Err(why) => {
                    match self.dial.neighbour {
                        None => self.complain(&format!("the guest is lost: {why}")),
                        Some(_) => self.complain(&format!("it is lost: {why}")),
                    }
                    drop(self.inbox.send(LinkEvent::GaveUp(why)).await);
                    return;
                }
            }
            self.complain("control connection is back");
            if self.inbox.send(LinkEvent::Resumed).await.is_err() {
                return;
            }
        }
    }

    /// Until the agent takes the run up again, refuses it, or has been silent for too long.
    async fn dial_again(&self, why: &str) -> Result<Connected, String> {
        let mut last = why.to_owned();
        let dialling = async {
            loop {
                match self
                    .dial
                    .control(self.next_block.load(Ordering::Relaxed))
                    .await
                {
                    Ok((connected, accept)) if accept.resumed => return Ok(connected),
                    Ok(_) => {
                        return Err(
                            "its program was started anew and knows nothing of this run".into()
                        );
                    }
                    Err(unreached) => {
                        if let Some(refused @ DialError::Refused { .. }) = unreached.telling() {
                            return Err(format!("{refused} (was its program started anew?)"));
                        }
                        last = unreached.to_string();
                    }
                }
                sleep(REDIAL).await;
            }
        };
        let left = self.lost_after.saturating_sub(self.silence());
        match timeout(left, dialling).await {
            Ok(dialled) => dialled,
            Err(_) => Err(format!(
                "not a word for {} s (last: {last})",
                self.lost_after.as_secs()
            )),
        }
    }

    /// How long the agent has said nothing.
    fn silence(&self) -> Duration {
        let ns = mono_now().0 - self.heard.load(Ordering::Relaxed);
        Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
    }

    /// One connection until it breaks (an error) or the controller is done (no error).
    async fn serve(&mut self, connected: Connected) -> Result<()> {
        let Connected {
            stream,
            guard: _guard,
            ..
        } = connected;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let started = AtomicBool::new(!self.standing.is_empty());
        let Self {
            outbox,
            inbox,
            standing,
            heard,
            lost_after,
            ..
        } = self;
        heard.store(mono_now().0, Ordering::Relaxed);
        let reading = async {
            loop {
                let message = read_message::<FromAgent>(&mut reader)
                    .await?
                    .context("the agent closed the connection")?;
                let now = mono_now();
                heard.store(now.0, Ordering::Relaxed);
                if inbox.send(LinkEvent::Message(message, now)).await.is_err() {
                    return Ok(());
                }
            }
        };
        let writing = async {
            for order in standing.iter() {
                write_message(&mut writer, order).await?;
            }
            while let Some(message) = outbox.recv().await {
                if matches!(
                    message,
                    ToAgent::Start { .. }
                        | ToAgent::Step { .. }
                        | ToAgent::EndStep { .. }
                        | ToAgent::Stop { .. }
                        | ToAgent::StopNow
                ) {
                    standing.push(message.clone());
                    started.store(true, Ordering::Relaxed);
                }
                write_message(&mut writer, &stamped(&message)).await?;
                if message == ToAgent::Finish {
                    // The agent ends the session first and closes; until then its folder is in use.
                    break;
                }
            }
            Ok(())
        };
        let silent = watch_silence(heard, &started, SILENT.min(*lost_after / 3));
        let mut done = false;
        tokio::pin!(reading, writing, silent);
        loop {
            tokio::select! {
                read = &mut reading => return if done { Ok(()) } else { read },
                wrote = &mut writing, if !done => {
                    let wrote: Result<()> = wrote;
                    wrote?;
                    done = true;
                }
                error = &mut silent, if !done => return Err(error),
            }
        }
    }
}

/// An exchange that waited for its connection begins when it is sent.
fn stamped(message: &ToAgent) -> ToAgent {
    match message {
        ToAgent::Clock { .. } => ToAgent::Clock { t1: mono_now() },
        other => other.clone(),
    }
}

/// Ends when a run that was started has heard nothing for so long.
async fn watch_silence(heard: &AtomicI64, started: &AtomicBool, limit: Duration) -> anyhow::Error {
    let limit_ns = i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX);
    loop {
        sleep(REDIAL).await;
        if started.load(Ordering::Relaxed)
            && mono_now().0 - heard.load(Ordering::Relaxed) > limit_ns
        {
            return anyhow!("not a word for {} s", limit.as_secs());
        }
    }
}
