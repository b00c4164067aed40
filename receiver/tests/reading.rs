//! What a reading of many sockets takes, and where it ends. Loopback only: the kernel delivers there within the send.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use milliwatt_receiver::driver::{Listener, Moment, SocketReader, Until};
use milliwatt_wire::capture::Channel;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::socket::{Datagram, MediaSocket, SendOutcome, SocketOptions, raise_file_limit};
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock};
use std::net::Ipv4Addr;

/// More port pairs than the system tells of at a time: 1024 sockets.
const PORTS: usize = 1100;

struct Port {
    rtp: MediaSocket,
    rtcp: MediaSocket,
}

fn socket() -> MediaSocket {
    MediaSocket::bind((Ipv4Addr::LOCALHOST, 0).into(), &SocketOptions::default()).unwrap()
}

fn open_ports(count: usize) -> Vec<Port> {
    let (_, files) = raise_file_limit();
    assert!(files > 4096, "{files} files may be open");
    let port = || {
        let [rtp, rtcp] = [socket(), socket()];
        Port { rtp, rtcp }
    };
    (0..count).map(|_| port()).collect()
}

/// Writes down what it takes. A packet of a port makes one come for another, `comes` ports on.
struct Taker<'p> {
    ports: &'p [Port],
    comes: Option<usize>,
    taken: Vec<(usize, u8)>,
}

impl<'p> Taker<'p> {
    fn of(ports: &'p [Port], comes: Option<usize>) -> Self {
        Self {
            ports,
            comes,
            taken: Vec::new(),
        }
    }
}

impl Listener for Taker<'_> {
    fn socket(&self, port: usize, channel: Channel) -> &MediaSocket {
        let Port { rtp, rtcp } = &self.ports[port];
        match channel {
            Channel::Rtp => rtp,
            Channel::Rtcp => rtcp,
        }
    }

    fn take(&mut self, port: usize, _: Channel, datagram: &Datagram<'_>, _: Moment) {
        self.taken.push((port, datagram.octets[0]));
        if let Some(comes) = self.comes {
            send(&self.ports[(port + comes) % PORTS], 99);
        }
    }
}

fn send(port: &Port, number: u8) {
    send_to(&port.rtp, number);
}

fn send_to(socket_of_it: &MediaSocket, number: u8) {
    let from = socket();
    from.connect(socket_of_it.local_addr()).unwrap();
    assert_eq!(from.send(&[number; 172]), SendOutcome::Sent);
}

fn reader(ports: &[Port], until: Until) -> SocketReader {
    let sockets = ports.iter().map(|port| (&port.rtp, &port.rtcp));
    let clock = RunClock { zero: mono_now() };
    SocketReader::new(sockets, 1, until, clock).unwrap()
}

fn later() -> MonoTime {
    mono_now() + 3600 * NS_PER_SECOND
}

/// All that waits, however much of one stream, in its order; what comes while it is read is left for the next reading.
#[test]
fn a_reading_takes_what_waited_as_it_began_and_leaves_what_came_since() {
    let ports = open_ports(PORTS);
    let mut reader = reader(&ports, Until::Begun);
    for number in 0..10 {
        send(&ports[7], number);
    }
    send(&ports[2], 50);
    let mut first = Taker::of(&ports, Some(100));
    assert!(reader.read(&mut first, later()));
    first.taken.sort_unstable();
    let bunch = (0..10).map(|number| (7, number));
    assert_eq!(
        first.taken,
        [(2, 50)].into_iter().chain(bunch).collect::<Vec<_>>()
    );
    let mut second = Taker::of(&ports, None);
    assert!(reader.read(&mut second, later()));
    second.taken.sort_unstable();
    let came = [(102, 99)].into_iter().chain([(107, 99); 10]);
    assert_eq!(second.taken, came.collect::<Vec<_>>());
}

/// Also where the system does not tell of all sockets at once.
#[test]
fn a_reading_of_more_sockets_than_are_told_at_once_takes_a_packet_of_each() {
    let ports = open_ports(PORTS);
    let mut reader = reader(&ports, Until::Begun);
    for port in &ports {
        send(port, 1);
    }
    let mut taker = Taker::of(&ports, None);
    assert!(reader.read(&mut taker, later()));
    taker.taken.sort_unstable();
    assert_eq!(
        taker.taken,
        (0..PORTS).map(|port| (port, 1)).collect::<Vec<_>>()
    );
}

/// Port by port, whether or not something waits there, and a report where one does. What comes meanwhile at a port that had
/// its turn is left for the next reading.
#[test]
fn a_reading_of_each_socket_takes_what_waits_port_by_port() {
    let ports = open_ports(PORTS);
    let mut reader = reader(&ports, Until::Each);
    for number in 0..10 {
        send(&ports[7], number);
    }
    send(&ports[1000], 50);
    send_to(&ports[3].rtcp, 200);
    let mut first = Taker::of(&ports, Some(PORTS - 1));
    assert!(reader.read(&mut first, later()));
    let bunch = (0..10).map(|number| (7, number));
    let [one, report] = [(1000, 50), (3, 200)];
    let expected = [(7, 0), one, report].into_iter().chain(bunch.skip(1));
    assert_eq!(first.taken, expected.collect::<Vec<_>>());
    let mut second = Taker::of(&ports, None);
    assert!(reader.read(&mut second, later()));
    second.taken.sort_unstable();
    let came = [(2, 99)]
        .into_iter()
        .chain([(6, 99); 10])
        .chain([(999, 99)]);
    assert_eq!(second.taken, came.collect::<Vec<_>>());
}

/// Twenty packets to each, one to each in turn.
fn send_twenty(ports: &[Port]) {
    for number in 0..20 {
        for port in ports {
            send(port, number);
        }
    }
}

/// Twenty packets at each of three ports, and a reading whose time is over as it begins: it takes one packet, and the next
/// reading goes on at the next port, one after the other until each is empty.
#[test]
fn a_reading_that_did_not_get_through_goes_on_where_it_ended() {
    for until in [Until::Each, Until::Begun] {
        goes_on_where_it_ended(until);
    }
}

fn goes_on_where_it_ended(until: Until) {
    let ports = open_ports(3);
    let mut reader = reader(&ports, until);
    send_twenty(&ports);
    let mut taker = Taker::of(&ports, None);
    assert!(!reader.read(&mut taker, mono_now()));
    assert_eq!(taker.taken.len(), 1);
    assert!(reader.read(&mut taker, later()));
    let mut places: Vec<usize> = taker.taken.iter().map(|(port, _)| *port).collect();
    places.dedup();
    let first = places[0];
    assert_eq!((places.len(), places[3]), (4, first));
    for port in 0..3 {
        let of = taker.taken.iter().filter(|(of, _)| *of == port);
        let numbers: Vec<u8> = of.map(|(_, number)| *number).collect();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    }
}

/// One port out of its turn, whatever waits at the others: whole, though its time is over.
#[test]
fn a_port_is_read_out_of_its_turn_until_it_is_empty() {
    let ports = open_ports(3);
    let mut reader = reader(&ports, Until::Begun);
    send_twenty(&ports);
    let mut taker = Taker::of(&ports, None);
    assert!(!reader.read_port(2, &mut taker, mono_now()));
    assert_eq!(taker.taken.len(), 20);
    assert!(
        reader.read_port(2, &mut taker, mono_now()),
        "it is empty, and took no time"
    );
    let numbers = (0..20).map(|number| (2, number));
    assert_eq!(taker.taken, numbers.collect::<Vec<_>>());
}

/// An echo answers what comes while it reads: here each packet makes another come, so that the reading ends by its time.
#[test]
fn a_reading_until_nothing_comes_goes_on_while_something_does() {
    let ports = open_ports(PORTS);
    let mut reader = reader(&ports, Until::Empty);
    send(&ports[0], 1);
    let mut taker = Taker::of(&ports, Some(1));
    assert!(!reader.read(&mut taker, later()), "there is always more");
    assert!(taker.taken.len() >= 64, "{}", taker.taken.len());
}
