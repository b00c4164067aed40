//! Whose turn it is: the sockets that are to be read, one after the other.

/// Sockets by token: the RTP socket of port pair `n` is `2 n`, its RTCP socket `2 n + 1`.
pub(super) struct Turns {
    /// Those that are to be read in this round.
    waiting: Vec<u32>,
    /// How many of them had their turn: the others have theirs first in the next round, or the next reading.
    taken: usize,
    /// Those that had their turn and have more.
    more: Vec<u32>,
    /// By token, whether a socket is one of those.
    is_known: Vec<bool>,
}

impl Turns {
    /// None yet, of so many sockets.
    pub(super) fn of(sockets: usize) -> Self {
        Self {
            waiting: Vec::with_capacity(sockets),
            taken: 0,
            more: Vec::with_capacity(sockets),
            is_known: vec![false; sockets],
        }
    }

    /// Those that had no turn have theirs, and after them those that have more.
    pub(super) fn begin_round(&mut self) {
        self.waiting.drain(..self.taken);
        self.waiting.append(&mut self.more);
        self.taken = 0;
    }

    /// Adds those of these that are not there yet; gives how many.
    pub(super) fn add(&mut self, tokens: &[u32]) -> usize {
        let before = self.waiting.len();
        for token in tokens {
            self.add_one(*token);
        }
        self.waiting.len() - before
    }

    /// Adds each RTP socket that is not there yet.
    pub(super) fn add_each_rtp(&mut self) {
        let sockets = u32::try_from(self.is_known.len()).unwrap_or(u32::MAX);
        for token in (0..sockets).step_by(2) {
            self.add_one(token);
        }
    }

    fn add_one(&mut self, token: u32) {
        if let Some(is_known) = self.is_known.get_mut(token as usize)
            && !std::mem::replace(is_known, true)
        {
            self.waiting.push(token);
        }
    }

    /// The next, whose turn it is now.
    pub(super) fn next(&mut self) -> Option<u32> {
        let token = self.waiting.get(self.taken).copied()?;
        self.taken += 1;
        Some(token)
    }

    /// Ends the turn of one that has more, or has not.
    pub(super) fn end(&mut self, token: u32, has_more: bool) {
        if has_more {
            self.more.push(token);
        } else if let Some(is_known) = self.is_known.get_mut(token as usize) {
            *is_known = false;
        }
    }

    /// Those whose turn comes, from so many after the next on.
    pub(super) fn ahead(&self, from: usize) -> &[u32] {
        self.waiting.get(self.taken + from..).unwrap_or_default()
    }

    /// How many had their turn in this round.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// None is to be read in this round.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// All of this round had their turn.
    pub(super) fn are_over(&self) -> bool {
        self.taken == self.waiting.len()
    }
}
