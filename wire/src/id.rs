//! Names for the things that both ends talk about.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A call's number in the plan, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u32);

/// A place for one call at a time: a lane keeps its ports for the whole run, calls follow each
/// other on it. There are as many lanes as concurrent calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lane(pub u32);

/// One of the two people of a call, each with a tone and a channel of the recording of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Party {
    /// The first party: left channel.
    A,
    /// The second party: right channel.
    B,
}

impl Party {
    /// Both parties, in channel order.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The channel of the recording: A is 0 (left), B is 1 (right).
    #[must_use]
    pub fn channel(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// A direction, named from the guest as the document does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// Tester to guest.
    Receive,
    /// Guest to tester.
    Sent,
}

impl Leg {
    /// Both legs, receive first.
    pub const BOTH: [Self; 2] = [Self::Receive, Self::Sent];

    /// The written name with its direction, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Receive => "receive leg (tester -> guest)",
            Self::Sent => "sent leg (guest -> tester)",
        }
    }

    /// The key used in files: `receive` or `sent`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Sent => "sent",
        }
    }
}

/// One RTP stream of the run. On the receive leg `party` is the one who speaks; on the sent leg it
/// is the one who **listens** (the stream carries the other party's audio to it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamId {
    /// The call.
    pub call: CallId,
    /// Whose leg of the call: the peer at the tester's end of the port pair.
    pub party: Party,
    /// The direction.
    pub leg: Leg,
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "call {} party {:?} {}",
            self.call.0,
            self.party,
            self.leg.key()
        )
    }
}

/// One of the two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// Runs `milliwatt run`.
    Tester,
    /// Runs `milliwatt agent`: the machine under test.
    Guest,
}

impl End {
    /// The leg whose packets this end sends.
    #[must_use]
    pub fn sends(self) -> Leg {
        match self {
            Self::Tester => Leg::Receive,
            Self::Guest => Leg::Sent,
        }
    }

    /// The leg whose packets this end receives.
    #[must_use]
    pub fn receives(self) -> Leg {
        match self {
            Self::Tester => Leg::Sent,
            Self::Guest => Leg::Receive,
        }
    }
}
