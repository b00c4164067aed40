//! Octets put on the network, second by second, as a NIC counts them.

use milliwatt_wire::facts::{Fact, SentSecond};

/// RTP and RTCP sent by one thread.
#[derive(Clone, Copy, Debug)]
pub struct SentLog {
    /// Octets of headers below UDP payload, the 14 of Ethernet included: 42 on IPv4, 62 on IPv6.
    overhead: u64,
    second: SentSecond,
}

impl SentLog {
    /// Nothing sent yet, over IPv4 or IPv6.
    #[must_use]
    pub fn new(ipv6: bool) -> Self {
        use milliwatt_generator::packet::{IPV4_OVERHEAD_OCTETS, IPV6_OVERHEAD_OCTETS};
        let overhead = if ipv6 {
            IPV6_OVERHEAD_OCTETS
        } else {
            IPV4_OVERHEAD_OCTETS
        };
        Self {
            overhead,
            second: SentSecond::default(),
        }
    }

    /// Counts an RTP packet of so many octets sent in `second`.
    pub fn rtp(&mut self, second: u32, octets: usize, facts: &mut impl FnMut(Fact)) {
        self.turn(second, facts);
        self.second.rtp_packets += 1;
        self.second.rtp_octets += octets as u64 + self.overhead;
    }

    /// Counts an RTCP packet of so many octets sent in `second`.
    pub fn rtcp(&mut self, second: u32, octets: usize, facts: &mut impl FnMut(Fact)) {
        self.turn(second, facts);
        self.second.rtcp_octets += octets as u64 + self.overhead;
    }

    /// Closes the second under way.
    pub fn turn(&mut self, second: u32, facts: &mut impl FnMut(Fact)) {
        if second != self.second.second {
            if self.second.rtp_octets + self.second.rtcp_octets > 0 {
                facts(Fact::Sent(self.second));
            }
            self.second = SentSecond {
                second,
                ..SentSecond::default()
            };
        }
    }
}
