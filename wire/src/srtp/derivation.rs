//! From a master key to session keys (RFC 3711 4.3), and the key stream of AES in counter mode (4.1.1).

use super::key::MasterKey;
use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;

/// What a session key is for: the label of 4.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// The session key of `N` octets that `label` says, of key derivation rate 0.
pub(super) fn derive<const N: usize>(master: &MasterKey, label: Label) -> [u8; N] {
    let mut iv = [0; 16];
    iv[..14].copy_from_slice(&master.salt);
    iv[7] ^= label as u8;
    let mut octets = [0; N];
    apply_key_stream(&Aes128Enc::new(&master.key.into()), &iv, &mut octets);
    octets
}

/// The counter at the first block of a packet: the session salt, the SSRC and the packet's index, each in its place.
#[inline]
pub(super) fn counter(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let salt = salt
        .iter()
        .fold(0, |value: u128, octet| value << 8 | u128::from(*octet));
    let value = salt << 16 ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16;
    value.to_be_bytes()
}

/// Adds the key stream to `octets`: encrypts them, or decrypts them.
#[inline]
pub(super) fn apply_key_stream(cipher: &Aes128Enc, iv: &[u8; 16], octets: &mut [u8]) {
    let core = CtrCore::<&Aes128Enc, Ctr128BE>::inner_iv_init(cipher, iv.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(octets);
}
