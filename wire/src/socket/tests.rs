//! Loopback only. The kernel delivers there within the send, so nothing waits but for the poller.

use super::*;
use crate::clock::{mono_now, wall_now};
use crate::time::{NS_PER_MS, NS_PER_SECOND};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;

const ANY_PORT: u16 = 0;

fn socket(ip: impl Into<IpAddr>, options: &SocketOptions) -> MediaSocket {
    MediaSocket::bind(SocketAddr::new(ip.into(), ANY_PORT), options).unwrap()
}

/// Two sockets, the first connected to the second.
fn connected(ip: impl Into<IpAddr> + Copy, options: &SocketOptions) -> (MediaSocket, MediaSocket) {
    let (sender, receiver) = (socket(ip, options), socket(ip, options));
    sender.connect(receiver.local_addr()).unwrap();
    (sender, receiver)
}

/// Waits for a batch that is not empty, at most 5 s.
fn receive(batch: &mut ReceiveBatch, receiver: &MediaSocket) -> usize {
    let mut poller = Poller::new().unwrap();
    poller.add(receiver, 0).unwrap();
    assert_eq!(poller.wait(Some(5 * NS_PER_SECOND)).unwrap(), [0]);
    batch.receive(receiver).unwrap()
}

#[test]
fn datagrams_arrive_in_order_with_their_source_over_several_batches() {
    for ip in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ] {
        let (sender, receiver) = connected(ip, &SocketOptions::default());
        for number in 0..40_u8 {
            assert_eq!(sender.send(&[number; 172]), SendOutcome::Sent);
        }
        let mut batch = ReceiveBatch::new(16);
        let mut next = 0;
        while next < 40 {
            for index in 0..receive(&mut batch, &receiver) {
                let datagram = batch.datagram(index);
                assert_eq!(datagram.octets, [next; 172]);
                assert_eq!(datagram.source, Some(sender.local_addr()));
                assert_eq!(datagram.length, datagram.octets.len());
                next += 1;
            }
        }
        assert_eq!(batch.receive(&receiver).unwrap(), 0);
    }
}

#[test]
fn kernel_stamps_lie_between_the_send_and_the_read() {
    let (sender, receiver) = connected(Ipv4Addr::LOCALHOST, &SocketOptions::default());
    assert!(receiver.kernel_timestamps());
    let mut batch = ReceiveBatch::new(1);
    let deadline = mono_now() + 5 * NS_PER_SECOND;
    // The kernel turns stamping on in the background: the first few may come without.
    let (before, stamp) = loop {
        let before = wall_now();
        assert_eq!(sender.send(b"stamp me"), SendOutcome::Sent);
        assert_eq!(receive(&mut batch, &receiver), 1);
        match batch.datagram(0).arrived_wall_ns {
            Some(stamp) => break (before, stamp),
            None => assert!(mono_now() < deadline, "no datagram was stamped within 5 s"),
        }
    };
    assert!(
        before <= stamp && stamp <= wall_now(),
        "{before} <= {stamp}"
    );
}

#[test]
fn the_dscp_that_was_set_arrives() {
    for ip in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ] {
        for dscp in [46, 0, 63] {
            let (sender, receiver) = connected(
                ip,
                &SocketOptions {
                    dscp,
                    ..SocketOptions::default()
                },
            );
            assert_eq!(sender.send(b"marked"), SendOutcome::Sent);
            let mut batch = ReceiveBatch::new(1);
            receive(&mut batch, &receiver);
            assert_eq!(batch.datagram(0).dscp, Some(dscp), "over {ip}");
        }
    }
}

#[test]
fn what_was_received_and_what_was_dropped_make_up_what_was_sent() {
    let small = SocketOptions {
        receive_buffer: Some(16_384),
        ..SocketOptions::default()
    };
    let (sender, receiver) = connected(Ipv4Addr::LOCALHOST, &small);
    let mut batch = ReceiveBatch::new(32);
    let (mut count, mut told) = (0, None);
    for _ in 0..2000 {
        assert_eq!(sender.send(&[0; 172]), SendOutcome::Sent);
    }
    let deadline = mono_now() + 5 * NS_PER_SECOND;
    while count + receiver.dropped() < 2000 {
        assert!(
            mono_now() < deadline,
            "{count} received, {} dropped",
            receiver.dropped()
        );
        count += batch.receive(&receiver).unwrap() as u64;
    }
    assert_eq!(count + receiver.dropped(), 2000);
    assert!(count > 0 && receiver.dropped() > 0);
    // A datagram that is let in after the overflow tells of all of it.
    assert_eq!(sender.send(b"after"), SendOutcome::Sent);
    while told.is_none() {
        let last = receive(&mut batch, &receiver);
        told = batch.datagram(last - 1).drops;
    }
    assert_eq!(told.map(u64::from), Some(receiver.dropped()));
}

#[test]
fn a_datagram_longer_than_the_memory_is_cut_and_says_so() {
    let (sender, receiver) = connected(Ipv4Addr::LOCALHOST, &SocketOptions::default());
    assert_eq!(sender.send(&[7; DATAGRAM_OCTETS + 1]), SendOutcome::Sent);
    let mut batch = ReceiveBatch::new(4);
    assert_eq!(receive(&mut batch, &receiver), 1);
    assert_eq!(batch.datagram(0).length, DATAGRAM_OCTETS + 1);
    assert_eq!(batch.datagram(0).octets, [7; DATAGRAM_OCTETS]);
}

#[test]
fn of_each_datagram_the_first_octets_can_be_asked_for_and_its_length_is_told() {
    let (sender, receiver) = connected(Ipv4Addr::LOCALHOST, &SocketOptions::default());
    let sent: Vec<u8> = (0..172).collect();
    for length in [172, 12, 5] {
        assert_eq!(sender.send(&sent[..length]), SendOutcome::Sent);
    }
    let mut batch = ReceiveBatch::of_connected(4);
    assert_eq!(batch.receive_up_to((4, 12), &receiver).unwrap(), 3);
    for (index, (length, kept)) in [(172, 12), (12, 12), (5, 5)].into_iter().enumerate() {
        let datagram = batch.datagram(index);
        assert_eq!((datagram.length, datagram.octets), (length, &sent[..kept]));
    }
}

#[test]
fn the_dscp_is_told_only_while_it_is_asked_for() {
    for ip in [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        Ipv6Addr::LOCALHOST.into(),
    ] {
        let (sender, receiver) = connected(ip, &SocketOptions::default());
        let mut batch = ReceiveBatch::new(1);
        for asked in [true, false, true] {
            receiver.tell_dscp(asked).unwrap();
            assert_eq!(sender.send(b"marked"), SendOutcome::Sent);
            receive(&mut batch, &receiver);
            assert_eq!(batch.datagram(0).dscp.is_some(), asked, "over {ip}");
        }
    }
}

#[test]
fn a_peer_without_a_socket_disturbs_neither_sending_nor_receiving() {
    let (sender, receiver) = connected(Ipv4Addr::LOCALHOST, &SocketOptions::default());
    drop(receiver);
    // Each of these provokes an ICMP error, which is pending at the next call.
    assert_eq!(sender.send(b"one"), SendOutcome::Sent);
    assert_eq!(sender.send(b"two"), SendOutcome::Sent);
    assert_eq!(ReceiveBatch::new(1).receive(&sender).unwrap(), 0);
}

#[test]
fn a_datagram_too_long_for_udp_is_refused_with_the_systems_number() {
    let sender = socket(Ipv4Addr::LOCALHOST, &SocketOptions::default());
    let outcome = sender.send_to(&vec![0; 65_508], sender.local_addr()); // 65,535 less 28 of headers, plus 1
    assert_eq!(outcome, SendOutcome::Refused(libc::EMSGSIZE));
}

/// A pair outside the system's own (ephemeral) ports, so that no other test gets it, and its first port.
fn free_pair() -> (u16, (MediaSocket, MediaSocket)) {
    let (ip, options) = (Ipv4Addr::LOCALHOST.into(), SocketOptions::default());
    let pair = MediaSocket::bind_pair(ip, 10_000..=16_383, &mut 0, &options).unwrap();
    (pair.0.local_addr().port(), pair)
}

#[test]
fn pairs_are_even_and_odd_skip_what_is_in_use_and_end_with_the_range() {
    let (first, held) = free_pair();
    assert_eq!((first % 2, held.1.local_addr().port()), (0, first + 1));
    let ip = Ipv4Addr::LOCALHOST.into();
    drop(held.0); // RTP free, RTCP in use: the pair is still not to be had
    let mut from = first;
    let (only, options) = (first..=first + 1, SocketOptions::default());
    let error = MediaSocket::bind_pair(ip, only.clone(), &mut from, &options).unwrap_err();
    assert_eq!(from, first + 2);
    assert!(
        error
            .to_string()
            .contains(&format!("{first}-{} on 127.0.0.1", first + 1)),
        "{error}"
    );
    drop(held.1);
    let mut odd_start = 0;
    let pair = MediaSocket::bind_pair(ip, only, &mut odd_start, &options).unwrap();
    assert_eq!(
        [pair.0.local_addr().port(), pair.1.local_addr().port()],
        [first, first + 1]
    );
}

#[test]
fn the_search_ends_with_the_last_of_all_ports() {
    let (ip, options) = (Ipv4Addr::LOCALHOST.into(), SocketOptions::default());
    let mut from = 65_535;
    let error = MediaSocket::bind_pair(ip, 65_534..=65_535, &mut from, &options).unwrap_err();
    assert!(matches!(
        error,
        SocketError::RangeExhausted {
            first: 65_534,
            last: 65_535,
            ..
        }
    ));
}

#[test]
fn a_local_address_that_is_not_ours_is_named_and_not_taken_for_a_full_range() {
    let documentation = Ipv4Addr::new(192, 0, 2, 1).into(); // RFC 5737
    let error = MediaSocket::bind_pair(
        documentation,
        20_000..=20_010,
        &mut 0,
        &SocketOptions::default(),
    );
    let text = error.unwrap_err().to_string();
    assert!(
        text.starts_with("cannot bind the UDP socket of 192.0.2.1:20000: "),
        "{text}"
    );
}

#[test]
fn the_poller_names_the_sockets_with_something_to_read_until_they_are_read() {
    let (quiet, receiver) = connected(Ipv4Addr::LOCALHOST, &SocketOptions::default());
    let mut poller = Poller::new().unwrap();
    poller.add(&quiet, 1).unwrap();
    poller.add(&receiver, u32::MAX).unwrap();
    assert!(poller.wait(Some(0)).unwrap().is_empty());
    let before = mono_now();
    assert!(poller.wait(Some(NS_PER_MS / 4)).unwrap().is_empty());
    assert!(mono_now() - before >= NS_PER_MS / 4);
    assert_eq!(quiet.send(b"read me"), SendOutcome::Sent);
    assert_eq!(poller.wait(None).unwrap(), [u32::MAX]);
    assert_eq!(poller.wait(Some(0)).unwrap(), [u32::MAX]);
    assert_eq!(ReceiveBatch::new(2).receive(&receiver).unwrap(), 1);
    assert!(poller.wait(Some(0)).unwrap().is_empty());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a socket that is not TCP")]
fn tcp_counters_count_octets_both_ways_and_udp_has_none() {
    use std::io::{Read, Write};
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ANY_PORT)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    client.write_all(&[1; 5000]).unwrap();
    server.read_exact(&mut [0; 5000]).unwrap();
    let sent = tcp_counters(client.as_fd()).unwrap();
    assert_eq!(
        (sent.octets_sent, sent.octets_received, sent.retransmissions),
        (5000, 0, 0)
    );
    assert!(sent.segments_out >= 3, "SYN, ACK and data: {sent:?}");
    assert_eq!(tcp_counters(server.as_fd()).unwrap().octets_received, 5000);
    let udp = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, ANY_PORT)).unwrap();
    assert_eq!(tcp_counters(udp.as_fd()), None);
}
