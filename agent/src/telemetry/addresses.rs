//! The addresses of this machine and the interfaces that hold them, asked of the kernel by
//! rtnetlink (rtnetlink(7)): `/proc` knows the names of IPv6 addresses only.

use rustix::io;
use rustix::net::netdevice::index_to_name;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};
use std::net::IpAddr;

const RTM_GETADDR: u16 = 22;
const RTM_NEWADDR: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// `struct nlmsghdr` and `struct ifaddrmsg`.
const MESSAGE_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;

/// An address and who holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// Name of the interface.
    pub interface: String,
    /// Its own address.
    pub address: IpAddr,
}

/// Addresses of this machine that others could reach or that are loopback; link-local IPv6
/// addresses are left out, since they mean nothing without an interface.
#[must_use]
pub fn own_addresses() -> Vec<IpAddr> {
    let link_local = |ip: &IpAddr| matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let all = interface_addresses().unwrap_or_default();
    all.into_iter()
        .map(|held| held.address)
        .filter(|ip| !link_local(ip))
        .collect()
}

/// The interface that holds an address: any of 127.0.0.0/8 is the loopback interface's. None when
/// no interface does.
#[must_use]
pub fn interface_of(address: IpAddr) -> Option<String> {
    let address = address.to_canonical();
    let all = interface_addresses().ok()?;
    let holds = |held: &&InterfaceAddress| held.address == address;
    let loops = |held: &&InterfaceAddress| address.is_loopback() && held.address.is_loopback();
    all.iter()
        .find(holds)
        .or_else(|| all.iter().find(loops))
        .map(|held| held.interface.clone())
}

/// All addresses of this machine, in the kernel's order.
pub fn interface_addresses() -> io::Result<Vec<InterfaceAddress>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sendto(
        &socket,
        &request(),
        SendFlags::empty(),
        &SocketAddrNetlink::new(0, 0),
    )?;
    let mut found = Vec::new();
    let mut answer = vec![0; 64 * 1024];
    loop {
        let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
        let more = parse_messages(&answer[..length], &mut found);
        if !more || length == 0 {
            break;
        }
    }
    let name = |(index, address)| {
        let interface = index_to_name(&socket, index).ok()?; // gone since
        Some(InterfaceAddress { interface, address })
    };
    Ok(found.into_iter().filter_map(name).collect())
}

/// A request for the addresses of all families.
fn request() -> [u8; MESSAGE_HEADER + ADDRESS_HEADER] {
    let mut request = [0; MESSAGE_HEADER + ADDRESS_HEADER];
    request[..4].copy_from_slice(&24_u32.to_ne_bytes());
    request[4..6].copy_from_slice(&RTM_GETADDR.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    request
}

/// Adds the (interface index, address) of each message; false after the last one.
fn parse_messages(mut octets: &[u8], found: &mut Vec<(u32, IpAddr)>) -> bool {
    while let Some((length, kind)) = u32_at(octets, 0).zip(u16_at(octets, 4)) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if matches!(kind, NLMSG_DONE | NLMSG_ERROR) {
            return false;
        }
        let Some(body) = octets.get(MESSAGE_HEADER..length) else {
            return false;
        };
        if kind == RTM_NEWADDR {
            found.extend(parse_address(body));
        }
        octets = octets.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}

/// The local address of an `ifaddrmsg`: on a point-to-point link `IFA_ADDRESS` is the peer's.
fn parse_address(body: &[u8]) -> Option<(u32, IpAddr)> {
    let index = u32_at(body, 4)?;
    let (mut address, mut local) = (None, None);
    let mut attributes = body.get(ADDRESS_HEADER..)?;
    while let Some((length, kind)) = u16_at(attributes, 0).zip(u16_at(attributes, 2)) {
        let value = attributes.get(4..usize::from(length))?;
        match kind {
            IFA_ADDRESS => address = ip(value),
            IFA_LOCAL => local = ip(value),
            _ => {}
        }
        attributes = attributes
            .get(usize::from(length).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    Some((index, local.or(address)?))
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(value).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(value).map(IpAddr::from))
        .ok()
}

fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat()
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(MESSAGE_HEADER + body.len()).unwrap();
        [
            &length.to_ne_bytes()[..],
            &kind.to_ne_bytes(),
            &[0; 10],
            body,
        ]
        .concat()
    }

    #[test]
    fn the_local_address_of_a_point_to_point_link_is_ours_and_not_the_peers() {
        let header = [&[2, 32, 0, 0][..], &7_u32.to_ne_bytes()].concat();
        let body = [
            header,
            attribute(IFA_ADDRESS, &[10, 0, 0, 2]),
            attribute(IFA_LOCAL, &[10, 0, 0, 1]),
        ]
        .concat();
        let octets = [message(RTM_NEWADDR, &body), message(NLMSG_DONE, &[0; 4])].concat();
        let mut found = Vec::new();
        assert!(!parse_messages(&octets, &mut found));
        assert_eq!(found, [(7, IpAddr::from([10, 0, 0, 1]))]);
    }

    #[test]
    fn a_cut_message_ends_the_answer_without_panic() {
        let body = [
            vec![10, 64, 0, 0, 1, 0, 0, 0],
            attribute(IFA_ADDRESS, &[1; 16]),
        ]
        .concat();
        let whole = message(RTM_NEWADDR, &body);
        for cut in 0..whole.len() {
            let mut found = Vec::new();
            parse_messages(&whole[..cut], &mut found);
            assert_eq!(found, []);
        }
    }

    #[test]
    fn loopback_addresses_belong_to_lo_and_a_documentation_address_to_nobody() {
        for address in [[127, 0, 0, 1], [127, 0, 0, 77]] {
            assert_eq!(interface_of(IpAddr::from(address)).as_deref(), Some("lo"));
        }
        assert_eq!(
            interface_of("::ffff:127.0.0.1".parse().unwrap()).as_deref(),
            Some("lo")
        );
        assert_eq!(interface_of(IpAddr::from([192, 0, 2, 1])), None);
        assert!(own_addresses().contains(&IpAddr::from([127, 0, 0, 1])));
    }
}
