//! The session keys of one stream's packets, or of its reports.

use super::TAG_OCTETS;
use super::derivation::{Label, apply_key_stream, counter, derive};
use super::key::MasterKey;
use aes::Aes128Enc;
use aes::cipher::KeyInit;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Encryption key, salt and authentication key.
///
/// The cipher's round keys are worked out for each packet: that takes a fifth of what a packet's tag takes, and kept they
/// would be 704 octets of each stream each way, out of the processor's cache by the time of the stream's next packet.
pub(super) struct Session {
    key: [u8; 16],
    salt: [u8; 14],
    authentication: Hmac<Sha1>,
}

impl Session {
    pub(super) fn of_rtp(master: &MasterKey) -> Self {
        let labels = [
            Label::RtpEncryption,
            Label::RtpAuthentication,
            Label::RtpSalt,
        ];
        Self::new(master, labels)
    }

    pub(super) fn of_rtcp(master: &MasterKey) -> Self {
        let labels = [
            Label::RtcpEncryption,
            Label::RtcpAuthentication,
            Label::RtcpSalt,
        ];
        Self::new(master, labels)
    }

    fn new(master: &MasterKey, [encryption, authentication, salt]: [Label; 3]) -> Self {
        let mut key: [u8; 20] = derive(master, authentication);
        // HMAC pads a key shorter than a block of 64 octets with zeros (RFC 2104 2).
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(&key);
        let session = Self {
            key: derive(master, encryption),
            salt: derive(master, salt),
            authentication: KeyInit::new(&block.into()),
        };
        key.zeroize();
        block.zeroize();
        session
    }

    /// Encrypts or decrypts what packet `index` of `ssrc` carries.
    #[inline]
    pub(super) fn apply_key_stream(&self, ssrc: u32, index: u64, octets: &mut [u8]) {
        let iv = counter(&self.salt, ssrc, index);
        apply_key_stream(&Aes128Enc::new(&self.key.into()), &iv, octets);
    }

    /// The tag of `octets` with `beside` after them.
    #[inline]
    pub(super) fn tag(&self, octets: &[u8], beside: &[u8]) -> [u8; TAG_OCTETS] {
        let mut mac = self.authentication.clone();
        mac.update(octets);
        mac.update(beside);
        let whole = mac.finalize().into_bytes();
        let mut tag = [0; TAG_OCTETS];
        tag.copy_from_slice(&whole[..TAG_OCTETS]);
        tag
    }

    /// Whether `tag` is that of `octets` with `beside` after them, in a time that does not tell where it differs.
    #[inline]
    pub(super) fn is_authentic(&self, octets: &[u8], beside: &[u8], tag: &[u8]) -> bool {
        self.tag(octets, beside).ct_eq(tag).into()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}
