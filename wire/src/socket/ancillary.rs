//! What the kernel says beside a datagram: its control messages (`cmsghdr`, RFC 3542 section 20).

/// Octets of a control message's header: length (a word), level and type.
const HEADER: usize = size_of::<usize>() + 8;

/// What the control messages of one datagram said; none where they did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ancillary {
    /// When the kernel received it, or, on the error queue, handed it to the driver: wall clock, ns since 1970
    /// (`SO_TIMESTAMPING`, software).
    pub stamped_wall_ns: Option<i64>,
    /// The DSCP it arrived with, 0 to 63.
    pub dscp: Option<u8>,
    /// Datagrams dropped at this socket before this one came in, since it was opened, modulo 2^32
    /// (`SO_RXQ_OVFL`); the kernel says nothing while there are none.
    pub drops: Option<u32>,
    /// On the error queue: which datagram the stamp belongs to, counted from 0 since the socket was asked to stamp
    /// what leaves (`SOF_TIMESTAMPING_OPT_ID`).
    pub departure: Option<u32>,
}

/// Reads the control messages of one datagram. Total: any octets give an answer, and a message
/// that is cut short (`MSG_CTRUNC`) or unknown is passed over.
#[must_use]
#[inline]
pub fn parse_ancillary(mut control: &[u8]) -> Ancillary {
    let mut found = Ancillary::default();
    while let Some(length) = word(control) {
        let Some(message) = control.get(..length).filter(|_| length >= HEADER) else {
            break;
        };
        found.take(message);
        // Messages start at multiples of a word; the last may end without its padding.
        control = control
            .get(length.next_multiple_of(size_of::<usize>())..)
            .unwrap_or(&[]);
    }
    found
}

impl Ancillary {
    fn take(&mut self, message: &[u8]) {
        let (header, data) = message.split_at(HEADER);
        let (Some(level), Some(kind)) = (int(&header[HEADER - 8..]), int(&header[HEADER - 4..]))
        else {
            return;
        };
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPING) => {
                self.stamped_wall_ns = software_stamp(data);
            }
            (libc::SOL_SOCKET, libc::SO_RXQ_OVFL) => self.drops = int(data).map(i32::cast_unsigned),
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                self.departure = departure(data);
            }
            (libc::IPPROTO_IP, libc::IP_TOS) => self.dscp = data.first().map(|tos| tos >> 2),
            (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                self.dscp = int(data)
                    .and_then(|class| u8::try_from(class).ok())
                    .map(|class| class >> 2);
            }
            _ => {}
        }
    }
}

/// The first of the three `timespec`s of `scm_timestamping`; zero means that it was not stamped.
#[inline]
fn software_stamp(data: &[u8]) -> Option<i64> {
    let seconds = i64::from_ne_bytes(*data.first_chunk()?);
    let nanoseconds = i64::from_ne_bytes(*data.get(8..)?.first_chunk()?);
    seconds
        .checked_mul(crate::time::NS_PER_SECOND)?
        .checked_add(nanoseconds)
        .filter(|ns| *ns != 0)
}

/// The number of the datagram in a `sock_extended_err`: its last four octets of 16, where its origin (octet 4) is
/// time stamping.
fn departure(data: &[u8]) -> Option<u32> {
    let is_stamp = data.get(4) == Some(&libc::SO_EE_ORIGIN_TIMESTAMPING);
    let number = int(data.get(12..16)?)?;
    is_stamp.then_some(number.cast_unsigned())
}

fn word(octets: &[u8]) -> Option<usize> {
    Some(usize::from_ne_bytes(*octets.first_chunk()?))
}

fn int(octets: &[u8]) -> Option<i32> {
    Some(i32::from_ne_bytes(*octets.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut octets = (HEADER + data.len()).to_ne_bytes().to_vec();
        octets.extend(level.to_ne_bytes());
        octets.extend(kind.to_ne_bytes());
        octets.extend(data);
        octets.resize(octets.len().next_multiple_of(8), 0);
        octets
    }

    fn stamp(seconds: i64, nanoseconds: i64) -> Vec<u8> {
        let mut data = [seconds.to_ne_bytes(), nanoseconds.to_ne_bytes()].concat();
        data.resize(48, 0);
        message(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &data)
    }

    #[test]
    fn each_message_gives_its_field() {
        let control = [
            message(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &7_u32.to_ne_bytes()),
            stamp(1_700_000_000, 5),
            message(libc::IPPROTO_IP, libc::IP_TOS, &[0xb8]),
        ]
        .concat();
        let expected = Ancillary {
            stamped_wall_ns: Some(1_700_000_000_000_000_005),
            dscp: Some(46),
            drops: Some(7),
            departure: None,
        };
        assert_eq!(parse_ancillary(&control), expected);
        let class = message(
            libc::IPPROTO_IPV6,
            libc::IPV6_TCLASS,
            &0xb8_i32.to_ne_bytes(),
        );
        assert_eq!(parse_ancillary(&class).dscp, Some(46));
    }

    #[test]
    fn a_message_cut_short_hides_only_itself() {
        let whole = [
            message(libc::IPPROTO_IP, libc::IP_TOS, &[0xb8]),
            stamp(9, 9),
        ]
        .concat();
        let cut = parse_ancillary(&whole[..whole.len() - 1]);
        assert_eq!(
            cut,
            Ancillary {
                dscp: Some(46),
                ..Ancillary::default()
            }
        );
    }

    #[test]
    fn a_departure_is_told_by_its_number_and_an_icmp_error_is_none() {
        let told = |origin: u8| {
            let mut error = vec![0; 16];
            error[4] = origin;
            error[12..].copy_from_slice(&77_u32.to_ne_bytes());
            let control = [
                stamp(9, 9),
                message(libc::IPPROTO_IP, libc::IP_RECVERR, &error),
            ];
            parse_ancillary(&control.concat()).departure
        };
        assert_eq!(told(libc::SO_EE_ORIGIN_TIMESTAMPING), Some(77));
        assert_eq!(told(libc::SO_EE_ORIGIN_ICMP), None);
    }

    #[test]
    fn a_stamp_of_zero_is_no_stamp() {
        assert_eq!(parse_ancillary(&stamp(0, 0)).stamped_wall_ns, None);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic_and_what_precedes_them_is_kept(tail: Vec<u8>) {
            prop_assert_eq!(parse_ancillary(&tail), parse_ancillary(&tail));
            let drops = message(libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &3_u32.to_ne_bytes());
            let unknown = message(libc::SOL_SOCKET, 9999, &tail);
            prop_assert_eq!(parse_ancillary(&[unknown, drops].concat()).drops, Some(3));
        }

        #[test]
        fn any_stamp_is_read_or_passed_over(seconds: i64, nanoseconds: i64) {
            let ns = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
            // Ends of the range where a part overflows though the sum would not are passed over too.
            if let Some(read) = parse_ancillary(&stamp(seconds, nanoseconds)).stamped_wall_ns {
                prop_assert_eq!(i128::from(read), ns);
            }
        }
    }
}
