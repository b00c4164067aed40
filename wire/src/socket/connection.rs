//! Options of TCP connections.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// A connection whose other end answers nothing, or takes nothing of what it is sent, for so long is broken: longer than a machine is paused for, shorter than a run
/// should wait for one that lost the connection, or was taken away.
const SILENCE_MOST: Duration = Duration::from_secs(30);
/// The other end is asked first after this time without a word, and then this often.
const ASKED_AFTER: Duration = Duration::from_secs(10);
const ASKED_EVERY: Duration = Duration::from_secs(5);

/// Has a connection take no more when so many octets of it wait for their first transmission
/// (`TCP_NOTSENT_LOWAT`): what is in its buffer can no longer be taken back.
pub fn bound_unsent(connection: &impl AsFd, octets: u32) -> io::Result<()> {
    SockRef::from(connection).set_tcp_notsent_lowat(octets)
}

/// Has a connection break when its other end answers nothing, or has no room for what it is sent, for 30 s, whether octets wait
/// for an answer (RFC 5482) or none were sent (RFC 9293, 3.8.4): one that is open at this end alone is not waited for.
pub fn bound_silence(connection: &impl AsFd) -> io::Result<()> {
    let connection = SockRef::from(connection);
    let asking = TcpKeepalive::new()
        .with_time(ASKED_AFTER)
        .with_interval(ASKED_EVERY);
    connection.set_tcp_keepalive(&asking)?;
    connection.set_tcp_user_timeout(Some(SILENCE_MOST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_connection_asks_whether_its_other_end_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        bound_silence(&connection).unwrap();
        let set = SockRef::from(&connection);
        assert!(set.keepalive().unwrap());
        assert_eq!(set.tcp_keepalive_time().unwrap(), ASKED_AFTER);
        assert_eq!(set.tcp_keepalive_interval().unwrap(), ASKED_EVERY);
        assert_eq!(set.tcp_user_timeout().unwrap(), Some(SILENCE_MOST));
    }
}
