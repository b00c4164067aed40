//! Media ports of one end: bound in pairs, proven, connected.

use crate::engine::PortPair;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::id::Lane;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::probe::{Guard, Prover};
use milliwatt_wire::socket::{
    MediaSocket, Poller, ReceiveBatch, SendOutcome, SocketError, SocketOptions,
};
use milliwatt_wire::time::MonoTime;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

/// Octets the kernel may queue for a socket: some seconds of a stream, so that a frozen reader
/// finds what arrived meanwhile.
const RECEIVE_BUFFER: usize = 256 * 1024;
/// A probe is repeated this often.
const REPEAT_NS: i64 = 200_000_000;

/// Binds a pair for every lane and party.
pub fn bind_ports(
    load: &LoadSpec,
    ip: IpAddr,
    range: &RangeInclusive<u16>,
) -> Result<Vec<PortPair>, SocketError> {
    let options = SocketOptions {
        dscp: load.dscp,
        receive_buffer: Some(RECEIVE_BUFFER),
    };
    let mut from = *range.start();
    let mut ports = Vec::new();
    for lane in (0..load.concurrent).map(Lane) {
        for party in load.parties() {
            let (rtp, rtcp) = MediaSocket::bind_pair(ip, range.clone(), &mut from, &options)?;
            ports.push(PortPair {
                lane,
                party: *party,
                rtp,
                rtcp,
            });
        }
    }
    Ok(ports)
}

/// All sockets of the pairs: RTP, RTCP, RTP, RTCP...
fn sockets(ports: &[PortPair]) -> Vec<&MediaSocket> {
    ports.iter().flat_map(|p| [&p.rtp, &p.rtcp]).collect()
}

/// The port numbers, in the order that both ends know.
#[must_use]
pub fn port_numbers(ports: &[PortPair]) -> Vec<u16> {
    sockets(ports)
        .iter()
        .map(|s| s.local_addr().port())
        .collect()
}

/// How far the proof got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Ports that heard the other end at all.
    pub heard: u32,
    /// The proven address of each port.
    pub peers: Vec<Option<SocketAddr>>,
}

impl Proof {
    /// Ports whose peer is proven.
    #[must_use]
    pub fn proven(&self) -> u32 {
        u32::try_from(self.peers.iter().flatten().count()).unwrap_or(u32::MAX)
    }
}

/// The agent's side: answers probes of `host` on every port until `done`. Blocks.
pub fn answer_probes(
    ports: &[PortPair],
    host: IpAddr,
    secret: [u8; 16],
    done: &AtomicBool,
) -> io::Result<Proof> {
    let sockets = sockets(ports);
    let mut guards: Vec<Guard> = sockets
        .iter()
        .map(|_| Guard::new(secret, rand::random()))
        .collect();
    let mut peers = vec![None; sockets.len()];
    let mut watch = Watch::new(&sockets)?;
    while !done.load(Ordering::Relaxed) {
        watch.read(&sockets, |index, octets, source| {
            let Some(source) = source.filter(|s| s.ip().to_canonical() == host.to_canonical())
            else {
                return;
            };
            let (answer, proven) = guards[index].take(octets);
            if let Some(answer) = answer {
                send_probe(sockets[index].send_to(&answer.encode(), source));
            }
            if proven {
                peers[index] = Some(source);
            }
        })?;
    }
    let heard = u32::try_from(guards.iter().filter(|g| g.heard).count()).unwrap_or(u32::MAX);
    Ok(Proof { heard, peers })
}

/// The tester's side: proves its own ports to the agent's, which it has connected. Blocks until
/// all are confirmed or `until`.
pub fn prove_ports(ports: &[PortPair], secret: [u8; 16], until: MonoTime) -> io::Result<Proof> {
    let sockets = sockets(ports);
    let mut provers = vec![Prover::new(secret); sockets.len()];
    let mut watch = Watch::new(&sockets)?;
    let mut repeat = mono_now();
    while mono_now() < until && provers.iter().any(|p| !p.confirmed) {
        if mono_now() >= repeat {
            for (prover, socket) in provers.iter().zip(&sockets) {
                if let Some(say) = prover.say() {
                    send_probe(socket.send(&say.encode()));
                }
            }
            repeat = mono_now() + REPEAT_NS;
        }
        watch.read(&sockets, |index, octets, _| {
            if provers[index].take(octets)
                && let Some(say) = provers[index].say()
            {
                send_probe(sockets[index].send(&say.encode()));
            }
        })?;
    }
    let heard = u32::try_from(provers.iter().filter(|p| p.heard).count()).unwrap_or(u32::MAX);
    let peers = provers
        .iter()
        .zip(&sockets)
        .map(|(p, s)| p.confirmed.then(|| s.local_addr()))
        .collect();
    Ok(Proof { heard, peers })
}

/// Connects each socket of the pairs to its peer.
pub fn connect_ports(
    ports: &[PortPair],
    peers: impl IntoIterator<Item = SocketAddr>,
) -> Result<(), SocketError> {
    sockets(ports)
        .into_iter()
        .zip(peers)
        .try_for_each(|(socket, peer)| socket.connect(peer))
}

/// A lost probe is repeated, a refused one too: nothing to do here.
fn send_probe(_: SendOutcome) {}

/// Reads what comes on many sockets, 20 ms at a time.
struct Watch {
    poller: Poller,
    batch: ReceiveBatch,
}

impl Watch {
    fn new(sockets: &[&MediaSocket]) -> io::Result<Self> {
        let poller = Poller::new()?;
        for (token, socket) in (0..).zip(sockets) {
            poller.add(*socket, token)?;
        }
        Ok(Self {
            poller,
            batch: ReceiveBatch::new(16),
        })
    }

    fn read(
        &mut self,
        sockets: &[&MediaSocket],
        mut take: impl FnMut(usize, &[u8], Option<SocketAddr>),
    ) -> io::Result<()> {
        for token in self.poller.wait(Some(20_000_000))? {
            let index = *token as usize;
            // An ICMP error of a peer not yet there reads as an error once: the next probe tries again.
            let count = self.batch.receive(sockets[index]).unwrap_or(0);
            for i in 0..count {
                let datagram = self.batch.datagram(i);
                take(index, datagram.octets, datagram.source);
            }
        }
        Ok(())
    }
}
