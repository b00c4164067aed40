//! Batched receiving: up to 32 datagrams a system call, into memory allocated once.

use super::ancillary::{Ancillary, parse_ancillary};
use super::{MediaSocket, linux};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsFd;

/// Longest datagram that is received whole, octets: more than any Ethernet frame of 1500 holds.
pub const DATAGRAM_OCTETS: usize = 2048;
/// Most datagrams a call.
pub(super) const BATCH_MAX: usize = 32;

/// Where one datagram and what the kernel says beside it are put.
pub(super) struct Slot {
    pub(super) octets: [u8; DATAGRAM_OCTETS],
    /// A `sockaddr_in` or `sockaddr_in6`.
    pub(super) source: [u8; size_of::<libc::sockaddr_in6>()],
    /// Stamps (64 octets), drop count (24) and traffic class (24) fit with room to spare.
    pub(super) control: [u8; 192],
    /// Octets of the datagram as it came: more than are there where it was cut.
    pub(super) length: usize,
    /// Octets that are there.
    pub(super) kept: usize,
    pub(super) source_length: usize,
    pub(super) control_length: usize,
}

impl Slot {
    fn empty() -> Self {
        Self {
            octets: [0; DATAGRAM_OCTETS],
            source: [0; size_of::<libc::sockaddr_in6>()],
            control: [0; 192],
            length: 0,
            kept: 0,
            source_length: 0,
            control_length: 0,
        }
    }
}

/// One received datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Its payload, cut to what was asked for, at most [`DATAGRAM_OCTETS`].
    pub octets: &'a [u8],
    /// Octets of its payload as it came.
    pub length: usize,
    /// Who sent it; none in a batch [of connected sockets](ReceiveBatch::of_connected).
    pub source: Option<SocketAddr>,
    /// When the kernel received it, wall clock, ns since 1970. None for the first few after the
    /// machine's first socket asked for stamps: the kernel turns them on in the background.
    pub arrived_wall_ns: Option<i64>,
    /// The DSCP it arrived with, 0 to 63.
    pub dscp: Option<u8>,
    /// Datagrams dropped at the socket before this one, since it was opened, modulo 2^32; none
    /// while there are none.
    pub drops: Option<u32>,
}

/// Memory for a batch of datagrams, used again by each [`ReceiveBatch::receive`].
pub struct ReceiveBatch {
    slots: Box<[Slot]>,
    received: usize,
    with_sources: bool,
}

impl ReceiveBatch {
    /// Memory for `capacity` datagrams a call, 1 to 32; other values are moved to the nearest.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let slots = (0..capacity.clamp(1, BATCH_MAX))
            .map(|_| Slot::empty())
            .collect();
        Self {
            slots,
            received: 0,
            with_sources: true,
        }
    }

    /// The same for sockets that are connected: who sent a datagram is known, and not asked.
    #[must_use]
    pub fn of_connected(capacity: usize) -> Self {
        Self {
            with_sources: false,
            ..Self::new(capacity)
        }
    }

    /// Receives what is waiting, without blocking: how many datagrams came, in order of arrival;
    /// 0 when nothing waits. A full batch means that there may be more.
    pub fn receive(&mut self, socket: &MediaSocket) -> io::Result<usize> {
        self.receive_up_to((self.slots.len(), DATAGRAM_OCTETS), socket)
    }

    /// The same, at most `most` of them, and of each the first `octets`: where one is to be expected, asking for more costs
    /// half as much again, and what is not looked at need not be fetched.
    #[inline]
    pub fn receive_up_to(
        &mut self,
        (most, octets): (usize, usize),
        socket: &MediaSocket,
    ) -> io::Result<usize> {
        self.received = 0;
        let most = most.min(self.slots.len());
        self.received = loop {
            let wanted = (octets, self.with_sources);
            match linux::receive(socket.as_fd(), &mut self.slots[..most], wanted) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break 0,
                // A pending ICMP error of an earlier send is told once, in place of a datagram.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionRefused | io::ErrorKind::Interrupted
                    ) => {}
                result => break result?,
            }
        };
        Ok(self.received)
    }

    /// Datagram `index` of the last [`ReceiveBatch::receive`].
    ///
    /// # Panics
    /// When `index` is not below what it returned.
    #[must_use]
    #[inline]
    pub fn datagram(&self, index: usize) -> Datagram<'_> {
        let slot = &self.slots[..self.received][index];
        let Ancillary {
            stamped_wall_ns,
            dscp,
            drops,
            departure: _,
        } = parse_ancillary(&slot.control[..slot.control_length]);
        Datagram {
            octets: &slot.octets[..slot.kept],
            length: slot.length,
            source: parse_source(&slot.source[..slot.source_length]),
            arrived_wall_ns: stamped_wall_ns,
            dscp,
            drops,
        }
    }
}

/// Reads a `sockaddr_in` or `sockaddr_in6`; none for anything else or less.
#[inline]
fn parse_source(name: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = name.split_first_chunk::<2>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => Some(SocketAddr::from((
            Ipv4Addr::from(*rest.first_chunk::<4>()?),
            port,
        ))),
        libc::AF_INET6 => {
            let (flow, rest) = rest.split_first_chunk()?;
            let (ip, scope) = rest.split_first_chunk::<16>()?;
            let scope = u32::from_ne_bytes(*scope.first_chunk()?);
            Some(
                SocketAddrV6::new(Ipv6Addr::from(*ip), port, u32::from_be_bytes(*flow), scope)
                    .into(),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_source_address_is_read_without_panic(name: Vec<u8>) {
            parse_source(&name);
        }
    }
}
