//! The secrets of a run's encrypted media. They exist at both ends and on the control connection, inside TLS, and
//! nowhere else: no fact, file or message shows them, and [`std::fmt::Debug`] hides them.

use crate::id::{Leg, Party, StreamId};
use ring::hkdf;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroize;

/// Octets of a master key (`n_e` of RFC 3711 8.2).
const KEY_OCTETS: usize = 16;
/// Octets of a master salt.
const SALT_OCTETS: usize = 14;

/// The system gave no random octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers for the keys of encrypted media")]
pub struct NoRandomness;

/// What the master keys of a leg's streams are derived from.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegSecret([u8; 32]);

impl LegSecret {
    fn draw() -> Result<Self, NoRandomness> {
        let mut secret = Self([0; 32]);
        let filled = SystemRandom::new().fill(&mut secret.0);
        filled.map(|()| secret).map_err(|_| NoRandomness)
    }

    /// The master key and salt of a stream. Each stream has its own, since a leg's thousands of SSRCs are drawn at random
    /// and two may be equal: under one master key both would be encrypted with the same octets (RFC 3711 9.1). They
    /// are what HKDF-Expand (RFC 5869 2.3) of SHA-256 makes of the secret and the stream's identity.
    #[must_use]
    pub fn stream_key(&self, stream: StreamId) -> MasterKey {
        let leg = [u8::from(stream.leg == Leg::Sent)];
        let party = [u8::from(stream.party == Party::B)];
        let call = stream.call.0.to_be_bytes();
        let info: [&[u8]; 4] = [b"milliwatt srtp stream", &leg, &party, &call];
        let secret = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &self.0);
        let mut octets = [0; KEY_OCTETS + SALT_OCTETS];
        let filled = secret
            .expand(&info, Material)
            .and_then(|made| made.fill(&mut octets));
        // It refuses lengths that do not match and those of over 8160 octets only.
        debug_assert!(filled.is_ok());
        let key = MasterKey::from_octets(&octets);
        octets.zeroize();
        key
    }
}

impl Drop for LegSecret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for LegSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LegSecret(hidden)")
    }
}

/// How much is derived for a stream.
struct Material;

impl hkdf::KeyType for Material {
    fn len(&self) -> usize {
        KEY_OCTETS + SALT_OCTETS
    }
}

/// The secrets of a run, one a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaKeys {
    receive: LegSecret,
    sent: LegSecret,
}

impl MediaKeys {
    /// Draws them from the system's randomness.
    pub fn draw() -> Result<Self, NoRandomness> {
        Ok(Self {
            receive: LegSecret::draw()?,
            sent: LegSecret::draw()?,
        })
    }

    /// Those of one leg.
    #[must_use]
    pub fn leg(&self, leg: Leg) -> &LegSecret {
        match leg {
            Leg::Receive => &self.receive,
            Leg::Sent => &self.sent,
        }
    }

    /// The master key and salt of a stream.
    #[must_use]
    pub fn stream(&self, stream: StreamId) -> MasterKey {
        self.leg(stream.leg).stream_key(stream)
    }

    /// The same but for one bit of a leg's secret: what an end has that was given another key.
    #[must_use]
    pub fn altered(mut self, leg: Leg) -> Self {
        match leg {
            Leg::Receive => self.receive.0[0] ^= 1,
            Leg::Sent => self.sent.0[0] ^= 1,
        }
        self
    }
}

/// Master key and master salt of one stream (RFC 3711 3.2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    pub(super) key: [u8; KEY_OCTETS],
    pub(super) salt: [u8; SALT_OCTETS],
}

impl MasterKey {
    /// The key, and the salt after it: the order of RFC 4568's `inline`.
    #[must_use]
    pub fn from_octets(octets: &[u8; KEY_OCTETS + SALT_OCTETS]) -> Self {
        let mut master = Self {
            key: [0; KEY_OCTETS],
            salt: [0; SALT_OCTETS],
        };
        master.key.copy_from_slice(&octets[..KEY_OCTETS]);
        master.salt.copy_from_slice(&octets[KEY_OCTETS..]);
        master
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(hidden)")
    }
}
