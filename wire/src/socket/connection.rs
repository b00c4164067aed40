//! Options of TCP connections.

use socket2::SockRef;
use std::io;
use std::os::fd::AsFd;

/// Has a connection take no more when so many octets of it wait for their first transmission
/// (`TCP_NOTSENT_LOWAT`): what is in its buffer can no longer be taken back.
pub fn bound_unsent(connection: &impl AsFd, octets: u32) -> io::Result<()> {
    SockRef::from(connection).set_tcp_notsent_lowat(octets)
}
