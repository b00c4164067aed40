//! What a datagram is, by its own octets first (RFC 7983, RFC 5761), by its ports where those do not tell.

use super::datagram::Datagram;
use milliwatt_receiver::packet::RtpView;

/// What a datagram looks like. RTP is confirmed by the packets that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// It may be RTP.
    Rtp(RtpView<'a>),
    /// RTCP, as much of it as was captured.
    Rtcp(&'a [u8]),
    /// A SIP message.
    Sip(&'a [u8]),
    /// Something else, by name.
    Other(&'static str),
}

/// Tells by one datagram alone.
#[must_use]
pub fn classify<'a>(datagram: &Datagram<'a>) -> Kind<'a> {
    let payload = datagram.payload;
    match payload {
        [128..=191, ..] => real_time(datagram),
        [0..=3, ..] if is_stun(payload) => Kind::Other("STUN"),
        [20..=63, 0xfe, ..] => Kind::Other("DTLS"),
        [b'A'..=b'Z', ..] if is_sip(payload) => Kind::Sip(payload),
        _ => Kind::Other(by_port(datagram)),
    }
}

/// Version 2 in the upper bits: RTP, RTCP, or anything.
fn real_time<'a>(datagram: &Datagram<'a>) -> Kind<'a> {
    let name = by_port(datagram);
    // Their first octets are arbitrary.
    if matches!(name, "DNS" | "mDNS" | "LLMNR" | "NetBIOS" | "NTP") {
        return Kind::Other(name);
    }
    if is_rtcp(datagram) {
        return Kind::Rtcp(datagram.payload);
    }
    match RtpView::parse_captured(datagram.payload, datagram.length) {
        // RTCP's packet types look like these (RFC 5761 4).
        Ok(rtp) if !(64..=95).contains(&rtp.payload_type()) => Kind::Rtp(rtp),
        _ => Kind::Other(name),
    }
}

/// RFC 8489 5: the magic cookie in its place.
fn is_stun(payload: &[u8]) -> bool {
    payload.get(4..8) == Some(&[0x21, 0x12, 0xa4, 0x42])
}

/// RFC 3550 A.2: a packet type of RTCP, and a length that fits the datagram.
fn is_rtcp(datagram: &Datagram<'_>) -> bool {
    let Some([_, 192..=223, high, low]) = datagram.payload.first_chunk() else {
        return false;
    };
    let octets = (usize::from(u16::from_be_bytes([*high, *low])) + 1) * 4;
    octets <= datagram.length
}

/// A request or status line of SIP (RFC 3261 7).
fn is_sip(payload: &[u8]) -> bool {
    if payload.starts_with(b"SIP/2.0 ") {
        return true;
    }
    let line = payload.split(|octet| *octet == b'\r' || *octet == b'\n');
    let line = line.clone().next().unwrap_or_default();
    line.ends_with(b" SIP/2.0") && line.is_ascii()
}

const UNKNOWN: &str = "unknown UDP";

/// What well-known ports say.
fn by_port(datagram: &Datagram<'_>) -> &'static str {
    let (source, destination) = (datagram.source.port(), datagram.destination.port());
    match source.min(destination) {
        53 => "DNS",
        67 | 68 | 546 | 547 => "DHCP",
        69 => "TFTP",
        123 => "NTP",
        137 | 138 => "NetBIOS",
        161 | 162 => "SNMP",
        443 => "QUIC",
        500 | 4500 => "IKE",
        514 => "syslog",
        1812 | 1813 => "RADIUS",
        1900 => "SSDP",
        4789 => "VXLAN",
        5353 => "mDNS",
        5355 => "LLMNR",
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests;
