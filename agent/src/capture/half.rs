//! One end's packets on their way to its file: put in order of time, and given their headers.

use super::headers::Route;
use super::pcapng::{self, PacketHead};
use milliwatt_wire::capture::note::{Note, PacketNote};
use milliwatt_wire::capture::{CapturedPacket, Way, interface_name};
use milliwatt_wire::id::End;
use milliwatt_wire::time::RunTime;

/// What a reader should know of such a file.
pub const COMMENT: &str = "Headers of the RTP and RTCP packets of a milliwatt run; no audio. Every packet is in it where it \
left and where it arrived, on interfaces of their own: look at one by frame.interface_name. Stamps: departures by the \
sending program, arrivals by the kernel. IP headers hold what a socket tells: not the time to live, nor the identification.";

/// Which half of which run, and how its stamps are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfOf {
    /// The run.
    pub run: u64,
    /// Whose half.
    pub end: End,
    /// Run time zero by this end's wall clock, ns since 1970.
    pub wall_at_zero: i64,
    /// DSCP of what it sends.
    pub dscp: u8,
}

/// The routes of a port pair's RTP and RTCP, from here to the peer.
pub type PortRoutes = [Route; 2];

/// Packets of one end, from several threads.
#[derive(Debug)]
pub struct Half {
    of: HalfOf,
    sources: Vec<Vec<PortRoutes>>,
    /// Of each source and socket, the latest arrival: packets of a stream stay in the order in which
    /// they were taken, even where their stamps are not.
    latest: Vec<Vec<[RunTime; 2]>>,
    pending: Vec<Pending>,
    headers: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    place: RunTime,
    source: u16,
    packet: CapturedPacket,
}

impl Half {
    /// No packets yet; of each thread, the routes of its ports by their number.
    #[must_use]
    pub fn new(of: HalfOf, sources: Vec<Vec<PortRoutes>>) -> Self {
        let unheard = |ports: &Vec<PortRoutes>| vec![[RunTime(i64::MIN); 2]; ports.len()];
        Self {
            of,
            latest: sources.iter().map(unheard).collect(),
            sources,
            pending: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// What a file begins with: interface 0 is what leaves, 1 what arrives.
    pub fn preamble(&self, out: &mut Vec<u8>) {
        pcapng::section(out, COMMENT);
        for way in [Way::Departure, Way::Arrival] {
            describe(out, self.of.end, way);
        }
        let HalfOf {
            run,
            end,
            wall_at_zero,
            ..
        } = self.of;
        let note = Note::Half {
            run,
            end,
            wall_at_zero,
        };
        pcapng::custom(out, &note);
    }

    /// Takes a packet from the thread of this number.
    pub fn take(&mut self, source: usize, packet: CapturedPacket) {
        let port = usize::try_from(packet.port).unwrap_or(usize::MAX);
        let Some(latest) = self.latest.get_mut(source).and_then(|p| p.get_mut(port)) else {
            return; // no thread of ours has such a port
        };
        let mut place = packet.at;
        if packet.way == Way::Arrival {
            let latest = &mut latest[packet.channel as usize];
            *latest = packet.at.max(*latest);
            place = *latest;
        }
        self.pending.push(Pending {
            place,
            source: u16::try_from(source).unwrap_or(0),
            packet,
        });
    }

    /// Appends the packets up to a time, in its order; gives how many departures and arrivals.
    pub fn write_until(&mut self, until: RunTime, out: &mut Vec<u8>) -> [u64; 2] {
        let ripe = |(_, pending): &(usize, &Pending)| pending.place <= until;
        let mut order: Vec<(RunTime, usize)> = self
            .pending
            .iter()
            .enumerate()
            .filter(ripe)
            .map(|(index, pending)| (pending.place, index))
            .collect();
        order.sort_unstable();
        let mut written = [0; 2];
        for (_, index) in order {
            let pending = self.pending[index];
            written[pending.packet.way as usize] += 1;
            self.write(&pending, out);
        }
        self.pending.retain(|pending| pending.place > until);
        written
    }

    fn write(&mut self, pending: &Pending, out: &mut Vec<u8>) {
        let packet = &pending.packet;
        let ports = &self.sources[usize::from(pending.source)];
        let port = usize::try_from(packet.port).unwrap_or(0);
        let mut route = ports[port][packet.channel as usize];
        let mut dscp = self.of.dscp;
        if packet.way == Way::Arrival {
            route = route.reversed();
            dscp = packet.dscp.unwrap_or(0);
        }
        let head = PacketHead {
            interface: packet.way as u32,
            at: self.of.wall_at_zero + packet.at.0,
            length: route.headers(dscp, packet.length, &mut self.headers),
        };
        let kept = [&self.headers[..], packet.payload()];
        pcapng::packet(out, head, kept, PacketNote::of(packet).as_ref());
    }

    /// What the last file ends with, at a time: what was captured and what was not.
    pub fn epilogue(
        &self,
        at: RunTime,
        (captured, missed): ([u64; 2], [u64; 2]),
        stopped: Option<String>,
        out: &mut Vec<u8>,
    ) {
        let note = Note::Done {
            end: self.of.end,
            frames: captured.iter().sum(),
            missed,
            stopped,
        };
        pcapng::custom(out, &note);
        for ((interface, captured), missed) in (0..).zip(captured).zip(missed) {
            let at = self.of.wall_at_zero + at.0;
            pcapng::statistics(out, interface, at, captured + missed, missed);
        }
    }
}

/// Describes the interface of what leaves or arrives at an end.
pub fn describe(out: &mut Vec<u8>, end: End, way: Way) {
    let leg = match way {
        Way::Departure => end.sends(),
        Way::Arrival => end.receives(),
    };
    let what = match way {
        Way::Departure => "departures as the program took them before it sent",
        Way::Arrival => "arrivals by the kernel's stamps",
    };
    let description = format!("{}: {what}", leg.title());
    pcapng::interface(out, interface_name(end, way), &description);
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::capture::{CAPTURED_OCTETS, Channel};

    fn half() -> Half {
        let of = HalfOf {
            run: 1,
            end: End::Guest,
            wall_at_zero: 1_000_000,
            dscp: 46,
        };
        let route = Route {
            source: "10.99.0.2:20000".parse().unwrap(),
            destination: "10.99.0.1:16384".parse().unwrap(),
        };
        Half::new(of, vec![vec![[route; 2]; 2], vec![[route; 2]]])
    }

    /// A packet whose first octet is `mark`.
    fn packet(way: Way, port: u32, at: i64, mark: u8) -> CapturedPacket {
        let mut octets = [0; CAPTURED_OCTETS];
        octets[0] = mark;
        CapturedPacket {
            at: RunTime(at),
            taken: RunTime(at),
            drift: 0,
            port,
            length: 172,
            kept: 12,
            dscp: None,
            way,
            channel: Channel::Rtp,
            foreign: false,
            octets,
        }
    }

    /// Marks of the packets in blocks of 72 octets: 28 of the block and 28 of headers stand before.
    fn marks(blocks: &[u8]) -> Vec<u8> {
        blocks.chunks(72).map(|block| block[56]).collect()
    }

    #[test]
    fn threads_are_put_in_order_of_time_and_what_is_not_ripe_waits() {
        let mut half = half();
        half.take(0, packet(Way::Arrival, 0, 30, 3));
        half.take(0, packet(Way::Departure, 0, 10, 1));
        half.take(1, packet(Way::Arrival, 0, 20, 2));
        half.take(1, packet(Way::Departure, 0, 40, 4));
        let mut blocks = Vec::new();
        assert_eq!(half.write_until(RunTime(30), &mut blocks), [1, 2]);
        assert_eq!(marks(&blocks), [1, 2, 3]);
        half.take(0, packet(Way::Arrival, 1, 35, 9));
        blocks.clear();
        assert_eq!(half.write_until(RunTime(i64::MAX), &mut blocks), [1, 1]);
        assert_eq!(marks(&blocks), [9, 4]);
        blocks.clear();
        assert_eq!(half.write_until(RunTime(i64::MAX), &mut blocks), [0, 0]);
    }

    /// They are measured in that order, so it must not be lost.
    #[test]
    fn packets_of_one_socket_stay_in_the_order_they_were_read_in() {
        let mut half = half();
        half.take(0, packet(Way::Arrival, 0, 30, 1));
        half.take(0, packet(Way::Arrival, 0, 29, 2));
        half.take(0, packet(Way::Arrival, 1, 29, 0));
        let mut blocks = Vec::new();
        half.write_until(RunTime(i64::MAX), &mut blocks);
        assert_eq!(marks(&blocks), [0, 1, 2]);
        // The stamps are the packets' own: 1,000,000 and 30, then 29, in the lower half.
        assert_eq!(blocks[72 + 16..72 + 20], 1_000_030_u32.to_le_bytes());
        assert_eq!(blocks[144 + 16..144 + 20], 1_000_029_u32.to_le_bytes());
    }

    #[test]
    fn what_arrived_has_its_route_and_dscp_and_what_left_the_loads() {
        let mut half = half();
        let arrived = CapturedPacket {
            dscp: Some(10),
            ..packet(Way::Arrival, 0, 1, 0)
        };
        half.take(0, arrived);
        half.take(0, packet(Way::Departure, 0, 2, 0));
        let mut blocks = Vec::new();
        half.write_until(RunTime(i64::MAX), &mut blocks);
        let [arrived, left] = [&blocks[..72], &blocks[72..]];
        assert_eq!((arrived[8], left[8]), (1, 0), "interfaces");
        assert_eq!((arrived[29], left[29]), (10 << 2, 46 << 2));
        assert_eq!((arrived[28 + 15], left[28 + 15]), (1, 2), "senders");
    }
}
