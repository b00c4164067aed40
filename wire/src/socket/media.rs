//! The UDP socket of one media port.

use super::{SendOutcome, SocketError, SocketOptions, linux, parse_ancillary};
use rustix::io::Errno;
use rustix::net::{SendFlags, send, sendto, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use std::hint::black_box;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A nonblocking UDP socket that tells of each datagram when the kernel received it, with which
/// DSCP, and how many were dropped before it.
#[derive(Debug)]
pub struct MediaSocket {
    socket: Socket,
    local: SocketAddr,
    kernel_timestamps: bool,
}

impl MediaSocket {
    /// Opens a socket at `address`; port 0 takes a free one.
    pub fn bind(address: SocketAddr, options: &SocketOptions) -> Result<Self, SocketError> {
        let failed = |operation| {
            move |source| SocketError::System {
                operation,
                address,
                source,
            }
        };
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM,
            Some(Protocol::UDP),
        )
        .map_err(failed("open"))?;
        socket.set_nonblocking(true).map_err(failed("unblock"))?;
        mark(&socket, address, options.dscp).map_err(failed("set the DSCP of"))?;
        if let Some(octets) = options.receive_buffer {
            size_receive_buffer(&socket, octets).map_err(failed("set the receive buffer of"))?;
        }
        linux::tell_drops(socket.as_fd()).map_err(failed("count the drops of"))?;
        let kernel_timestamps = linux::stamp_arrivals(socket.as_fd());
        socket.bind(&address.into()).map_err(failed("bind"))?;
        let local = socket
            .local_addr()
            .map_err(failed("read the address of"))?
            .as_socket()
            .unwrap_or(address);
        Ok(Self {
            socket,
            local,
            kernel_timestamps,
        })
    }

    /// Whether each datagram tells the DSCP that it arrived with: at first it does. It costs a tenth of what receiving costs.
    ///
    /// # Errors
    /// What the system says.
    pub fn tell_dscp(&self, tells: bool) -> io::Result<()> {
        if self.local.is_ipv4() {
            self.socket.set_recv_tos_v4(tells)
        } else {
            self.socket.set_recv_tclass_v6(tells)
        }
    }

    /// Opens the next free pair of ports at or after `from` in the range: even for RTP, the odd
    /// one above for RTCP (RFC 3550 section 11). Pairs of which one is in use are skipped; `from`
    /// moves behind the pair, so that calling again walks the range once.
    pub fn bind_pair(
        ip: IpAddr,
        range: RangeInclusive<u16>,
        from: &mut u16,
        options: &SocketOptions,
    ) -> Result<(Self, Self), SocketError> {
        let (first, last) = range.into_inner();
        let start = first.max(*from);
        let mut next = start.checked_add(start % 2);
        while let Some(even) = next.filter(|even| *even < last) {
            next = even.checked_add(2);
            *from = next.unwrap_or(u16::MAX);
            if let Some(pair) = Self::try_pair(ip, even, options)? {
                return Ok(pair);
            }
        }
        Err(SocketError::RangeExhausted { ip, first, last })
    }

    /// None when a port of the pair is in use.
    fn try_pair(
        ip: IpAddr,
        even: u16,
        options: &SocketOptions,
    ) -> Result<Option<(Self, Self)>, SocketError> {
        let pair = Self::bind((ip, even).into(), options)
            .and_then(|rtp| Ok((rtp, Self::bind((ip, even + 1).into(), options)?)));
        match pair {
            Err(SocketError::System { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse =>
            {
                Ok(None)
            }
            pair => pair.map(Some),
        }
    }

    /// Ties the socket to one peer: only its datagrams are received from now on.
    pub fn connect(&self, peer: SocketAddr) -> Result<(), SocketError> {
        let failed = |source| SocketError::System {
            operation: "connect",
            address: peer,
            source,
        };
        self.socket.connect(&peer.into()).map_err(failed)
    }

    /// Touches what sending needs of it, so that it is in the processor's cache by then.
    #[inline]
    pub fn touch(&self) {
        black_box(self.socket.as_fd().as_raw_fd());
    }

    /// The address it was bound to, with the port it got.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The peer that it is connected to; none before it is.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.socket.peer_addr().ok()?.as_socket()
    }

    /// The kernel stamps arrivals: [`super::Datagram::arrived_wall_ns`] is to be expected.
    #[must_use]
    pub fn kernel_timestamps(&self) -> bool {
        self.kernel_timestamps
    }

    /// Datagrams the kernel dropped at this socket since it was opened, because its buffer was
    /// full; unlike [`super::Datagram::drops`] also those after the last one received.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        linux::drops(self.as_fd()).map_or(0, u64::from)
    }

    /// Has the kernel stamp what leaves from now on as well: [`Self::departures`] tells. False when it will not. It
    /// costs a fifth of the sending rate, so a sample of the sockets is asked.
    #[must_use]
    pub fn stamp_departures(&self) -> bool {
        linux::stamp_departures(self.as_fd())
    }

    /// Stamps of datagrams that left: the number of each, from 0 since [`Self::stamp_departures`], and when the
    /// kernel handed it to the driver, wall clock, ns since 1970. Ends when no more are waiting.
    pub fn departures(&self) -> impl Iterator<Item = (u32, i64)> + '_ {
        let mut control = [0; 192];
        std::iter::from_fn(move || {
            let length = linux::take_error(self.as_fd(), &mut control)?;
            Some(parse_ancillary(control.get(..length)?))
        })
        .filter_map(|told| told.departure.zip(told.stamped_wall_ns))
    }

    /// Sends one datagram to the connected peer.
    #[must_use]
    pub fn send(&self, octets: &[u8]) -> SendOutcome {
        outcome(|| send(self, octets, SendFlags::DONTWAIT | SendFlags::NOSIGNAL))
    }

    /// Sends one datagram to `peer`.
    #[must_use]
    pub fn send_to(&self, octets: &[u8], peer: SocketAddr) -> SendOutcome {
        outcome(|| {
            sendto(
                self,
                octets,
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
                &peer,
            )
        })
    }
}

impl AsFd for MediaSocket {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A refused connection is the ICMP answer to an earlier datagram, told in place of sending this
/// one: telling clears it, so this one gets its own attempt.
fn outcome(attempt: impl Fn() -> rustix::io::Result<usize>) -> SendOutcome {
    let result = match attempt() {
        Err(Errno::CONNREFUSED) => attempt(),
        result => result,
    };
    match result {
        Ok(_) => SendOutcome::Sent,
        Err(Errno::AGAIN) => SendOutcome::WouldBlock,
        Err(error) => SendOutcome::Refused(error.raw_os_error()),
    }
}

/// The traffic class octet is the DSCP above two bits of ECN (RFC 2474 section 3, RFC 3168).
fn mark(socket: &Socket, address: SocketAddr, dscp: u8) -> io::Result<()> {
    let class = u32::from(dscp) << 2;
    if address.is_ipv4() {
        socket.set_recv_tos_v4(true)?;
        socket.set_tos_v4(class)
    } else {
        socket.set_only_v6(true)?;
        socket.set_recv_tclass_v6(true)?;
        socket.set_tclass_v6(class)
    }
}

/// Past the system's limit where this process may, within it otherwise.
fn size_receive_buffer(socket: &Socket, octets: usize) -> io::Result<()> {
    sockopt::set_socket_recv_buffer_size_force(socket, octets)
        .or_else(|_| socket.set_recv_buffer_size(octets))
}
