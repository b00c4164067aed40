//! Proof of a media address, on the very port: no media goes to an address that has not answered
//! a challenge from there, and a firewall in between is found before the run.
//!
//! The tester sends [`Probe::Open`] with the secret it got inside TLS; the agent answers to where
//! that came from with a challenge of its own; the tester returns it; the agent confirms. Each
//! message has the length of a media packet, so nothing is amplified and nothing smaller slips
//! through a filter. The tester repeats what it said last until the next answer comes.

/// Octets of every probe: as long as a G.711 packet.
pub const PROBE_OCTETS: usize = 172;
const MAGIC: &[u8; 3] = b"MWP";

/// One step of the exchange. All carry the line's index, so that a port translated on the way is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Tester: I know the secret.
    Open {
        /// The session's secret.
        secret: [u8; 16],
    },
    /// Agent: prove that you are there.
    Challenge {
        /// Random for this port.
        challenge: [u8; 16],
    },
    /// Tester: I got it.
    Answer {
        /// As it came.
        challenge: [u8; 16],
    },
    /// Agent: this address is proven.
    Confirm {
        /// As it was.
        challenge: [u8; 16],
    },
}

impl Probe {
    /// The datagram.
    #[must_use]
    pub fn encode(&self) -> [u8; PROBE_OCTETS] {
        let (step, value) = match self {
            Self::Open { secret } => (1, secret),
            Self::Challenge { challenge } => (2, challenge),
            Self::Answer { challenge } => (3, challenge),
            Self::Confirm { challenge } => (4, challenge),
        };
        let mut octets = [0; PROBE_OCTETS];
        octets[..3].copy_from_slice(MAGIC);
        octets[3] = step;
        octets[4..20].copy_from_slice(value);
        octets
    }

    /// Reads a datagram; none when it is no probe.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        if octets.len() != PROBE_OCTETS || &octets[..3] != MAGIC {
            return None;
        }
        let value: [u8; 16] = octets[4..20].try_into().ok()?;
        match octets[3] {
            1 => Some(Self::Open { secret: value }),
            2 => Some(Self::Challenge { challenge: value }),
            3 => Some(Self::Answer { challenge: value }),
            4 => Some(Self::Confirm { challenge: value }),
            _ => None,
        }
    }
}

/// The agent's side of one port.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    secret: [u8; 16],
    challenge: [u8; 16],
    /// Someone who knows the secret was heard.
    pub heard: bool,
}

impl Guard {
    /// Waits for the peer that knows `secret`; `challenge` is random and this port's own.
    #[must_use]
    pub fn new(secret: [u8; 16], challenge: [u8; 16]) -> Self {
        Self {
            secret,
            challenge,
            heard: false,
        }
    }

    /// Takes a datagram: what to answer to its source, and whether that source is now proven.
    pub fn take(&mut self, octets: &[u8]) -> (Option<Probe>, bool) {
        match Probe::decode(octets) {
            Some(Probe::Open { secret }) if secret == self.secret => {
                self.heard = true;
                (
                    Some(Probe::Challenge {
                        challenge: self.challenge,
                    }),
                    false,
                )
            }
            Some(Probe::Answer { challenge }) if self.heard && challenge == self.challenge => {
                (Some(Probe::Confirm { challenge }), true)
            }
            _ => (None, false),
        }
    }
}

/// The tester's side of one port.
#[derive(Clone, Copy, Debug)]
pub struct Prover {
    say: Probe,
    /// The agent confirmed this address.
    pub confirmed: bool,
    /// The agent was heard at all.
    pub heard: bool,
}

impl Prover {
    /// Opens with the secret.
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        Self {
            say: Probe::Open { secret },
            confirmed: false,
            heard: false,
        }
    }

    /// What to send, now and whenever nothing came for a while; none once confirmed.
    #[must_use]
    pub fn say(&self) -> Option<Probe> {
        (!self.confirmed).then_some(self.say)
    }

    /// Takes a datagram from the agent's port. True when there is something new to send.
    pub fn take(&mut self, octets: &[u8]) -> bool {
        match (Probe::decode(octets), self.say) {
            (Some(Probe::Challenge { challenge }), _) => {
                self.heard = true;
                let news = self.say != Probe::Answer { challenge };
                self.say = Probe::Answer { challenge };
                news
            }
            (Some(Probe::Confirm { challenge }), Probe::Answer { challenge: said })
                if challenge == said =>
            {
                self.confirmed = true;
                false
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn four_datagrams_prove_a_port_even_when_each_first_one_is_lost() {
        let (mut prover, mut guard) = (Prover::new([1; 16]), Guard::new([1; 16], [2; 16]));
        let mut done = false;
        for round in 0..6 {
            let Some(said) = prover.say() else { break };
            let (answer, now) = guard.take(&said.encode());
            done |= now;
            if let (Some(answer), true) = (answer, round % 2 == 1) {
                prover.take(&answer.encode());
            }
        }
        assert!(prover.confirmed && done);
    }

    #[test]
    fn who_does_not_know_the_secret_gets_no_answer_at_all() {
        let mut guard = Guard::new([1; 16], [2; 16]);
        assert_eq!(
            guard.take(&Probe::Open { secret: [9; 16] }.encode()),
            (None, false)
        );
        assert_eq!(
            guard.take(&Probe::Answer { challenge: [2; 16] }.encode()),
            (None, false)
        );
        assert!(!guard.heard);
    }

    #[test]
    fn a_spoofed_source_never_sees_the_challenge_and_so_is_never_proven() {
        let mut guard = Guard::new([1; 16], [2; 16]);
        guard.take(&Probe::Open { secret: [1; 16] }.encode());
        assert!(!guard.take(&Probe::Answer { challenge: [3; 16] }.encode()).1);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(probe) = Probe::decode(&octets) {
                prop_assert_eq!(&probe.encode()[..20], &octets[..20]);
            }
        }
    }
}
