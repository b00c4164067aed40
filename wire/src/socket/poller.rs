//! Waiting for any of many sockets, without allocating.

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// Most sockets told of by one wait; the others come with the next.
const EVENTS: usize = 1024;

/// Tells which sockets have something to read: level-triggered, so a socket that is not read empty
/// is told of again. A socket leaves when it is closed.
pub struct Poller {
    epoll: OwnedFd,
    tokens: Vec<u32>,
}

impl Poller {
    /// Most sockets that one [`Poller::wait`] tells of.
    pub const MOST: usize = EVENTS;

    /// A poller of nothing yet.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self {
            epoll,
            tokens: Vec::with_capacity(EVENTS),
        })
    }

    /// Watches a socket; [`Poller::wait`] calls it `token`.
    pub fn add(&self, socket: impl AsFd, token: u32) -> io::Result<()> {
        Ok(epoll::add(
            &self.epoll,
            socket,
            EventData::new_u64(token.into()),
            EventFlags::IN,
        )?)
    }

    /// Waits until a socket can be read, for at most `timeout_ns`: 0 only looks, none has no end.
    /// Empty when the time passed or a signal came.
    pub fn wait(&mut self, timeout_ns: Option<i64>) -> io::Result<&[u32]> {
        self.tokens.clear();
        match self.collect(timeout_ns) {
            Ok(()) | Err(Errno::INTR) => Ok(&self.tokens),
            Err(error) => Err(error.into()),
        }
    }

    /// `epoll_wait` rounds up to milliseconds, `ppoll` on the epoll itself does not.
    fn collect(&mut self, timeout_ns: Option<i64>) -> rustix::io::Result<()> {
        if timeout_ns != Some(0) {
            let timeout = timeout_ns.map(timespec);
            poll(
                &mut [PollFd::new(&self.epoll, PollFlags::IN)],
                timeout.as_ref(),
            )?;
        }
        // On the stack: an event holds a raw pointer, which would tie the poller to one thread.
        let mut room = [MaybeUninit::<Event>::uninit(); EVENTS];
        let (events, _) = epoll::wait(&self.epoll, &mut room, Some(&timespec(0)))?;
        let tokens = events
            .iter()
            .map(|event| u32::try_from(event.data.u64()).unwrap_or(u32::MAX));
        self.tokens.extend(tokens);
        Ok(())
    }
}

fn timespec(ns: i64) -> Timespec {
    let ns = ns.max(0);
    Timespec {
        tv_sec: ns / crate::time::NS_PER_SECOND,
        tv_nsec: ns % crate::time::NS_PER_SECOND,
    }
}
