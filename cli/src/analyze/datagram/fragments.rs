//! IP packets that came in parts (RFC 791, RFC 8200 4.5). Parts that overlap are refused whole (RFC 5722), so
//! that nobody can hide a packet behind another.

use super::network::Network;
use std::net::IpAddr;

/// Packets that may wait for their parts at a time; beyond, the oldest is given up.
pub const OPEN_MAX: usize = 64;
/// No IP packet is longer.
const PACKET_OCTETS_MAX: usize = 65_535;

/// A fragment's place in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Identification, the same for all parts.
    pub(super) id: u32,
    /// Where its payload begins.
    pub(super) offset: usize,
    /// It is not the last.
    pub(super) more: bool,
}

/// A packet some of whose parts have come.
#[derive(Debug)]
struct Open {
    key: (IpAddr, IpAddr, u32),
    octets: Vec<u8>,
    /// Stretches that are there: (first octet, one past the last).
    have: Vec<(usize, usize)>,
    /// One past the last octet, once the last part has come.
    end: Option<usize>,
    nic_octets: u32,
    parts: u64,
}

/// Packets that wait.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    open: Vec<Open>,
    whole: Vec<u8>,
    lost: u64,
}

impl Fragments {
    /// Takes a part; gives the payload of its packet once that is whole, and what a NIC counted for it.
    pub(super) fn take(&mut self, network: &Network<'_>, part: Part) -> Option<(&[u8], u32)> {
        let key = (network.source, network.destination, part.id);
        let index = self.find(key);
        let open = &mut self.open[index];
        let keeps = open.add(network, part);
        if keeps && !open.is_whole() {
            return None;
        }
        let done = self.open.remove(index);
        if !keeps {
            self.lost += done.parts;
            return None;
        }
        self.whole = done.octets;
        Some((&self.whole, done.nic_octets))
    }

    /// Octets of parts that wait.
    #[cfg(test)]
    pub(super) fn waiting_octets(&self) -> usize {
        self.open.iter().map(|open| open.octets.len()).sum()
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost + self.open.iter().map(|open| open.parts).sum::<u64>()
    }

    fn find(&mut self, key: (IpAddr, IpAddr, u32)) -> usize {
        if let Some(index) = self.open.iter().position(|open| open.key == key) {
            return index;
        }
        if self.open.len() == OPEN_MAX {
            self.lost += self.open.remove(0).parts;
        }
        self.open.push(Open {
            key,
            octets: Vec::new(),
            have: Vec::new(),
            end: None,
            nic_octets: 0,
            parts: 0,
        });
        self.open.len() - 1
    }
}

impl Open {
    /// False when the part cannot be one of this packet's.
    fn add(&mut self, network: &Network<'_>, part: Part) -> bool {
        self.parts += 1;
        self.nic_octets = self.nic_octets.saturating_add(network.nic_octets);
        let payload = network.payload;
        let (from, to) = (part.offset, part.offset + payload.len());
        let overlaps = self.have.iter().any(|have| from < have.1 && have.0 < to);
        // Offsets are in eighths, so a part before others has whole ones. One of no octets says nothing, and any
        // number of them would fit.
        let is_odd = payload.is_empty() || part.more && !payload.len().is_multiple_of(8);
        // A part cut short by the capture leaves a hole that nothing fills.
        let is_short = payload.len() < network.length;
        if overlaps || is_odd || is_short || to > PACKET_OCTETS_MAX {
            return false;
        }
        if !part.more {
            self.end = Some(to);
        }
        if self.octets.len() < to {
            self.octets.resize(to, 0);
        }
        self.octets[from..to].copy_from_slice(payload);
        self.have.push((from, to));
        true
    }

    fn is_whole(&self) -> bool {
        let have: usize = self.have.iter().map(|(from, to)| to - from).sum();
        self.end
            .is_some_and(|end| have == end && self.octets.len() == end)
    }
}
