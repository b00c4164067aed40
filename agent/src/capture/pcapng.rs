//! Blocks of pcapng (draft-ietf-opsawg-pcapng), little-endian, appended to octets in memory.

use milliwatt_wire::capture::note::{Note, PacketNote};

/// Enterprise number of our own blocks and options: that for documentation (RFC 5612).
pub const ENTERPRISE: u32 = 32_473;
/// Link type of packets that begin with their IP header.
pub const LINKTYPE_RAW: u16 = 101;
/// Octets around a packet in its block: what the block adds to what is kept of a packet.
pub const AROUND_PACKET_OCTETS: u32 = 32;

const SECTION: u32 = 0x0a0d_0d0a;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Programs that copy a file may copy it.
const CUSTOM: u32 = 0x0bad;

const OPTION_COMMENT: u16 = 1;
const OPTION_IF_NAME: u16 = 2;
const OPTION_IF_DESCRIPTION: u16 = 3;
const OPTION_IF_TSRESOL: u16 = 9;
const OPTION_USER_APPLICATION: u16 = 4;
const OPTION_IFRECV: u16 = 4;
const OPTION_IFDROP: u16 = 5;
/// Octets, which programs that copy a packet may copy.
pub const OPTION_CUSTOM: u16 = 2989;

/// A packet's place in the file, and how much of it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHead {
    /// Its interface, by order of description.
    pub interface: u32,
    /// Its stamp, ns since 1970.
    pub at: i64,
    /// Octets of the whole IP packet.
    pub length: u32,
}

/// Appends a section header; `comment` is for people.
pub fn section(out: &mut Vec<u8>, comment: &str) {
    block(out, SECTION, |out| {
        out.extend(BYTE_ORDER.to_le_bytes());
        out.extend([1, 0, 0, 0]); // version 1.0
        out.extend(u64::MAX.to_le_bytes()); // a section of unknown length
        option(out, OPTION_COMMENT, comment.as_bytes());
        let program = concat!("milliwatt ", env!("CARGO_PKG_VERSION"));
        option(out, OPTION_USER_APPLICATION, program.as_bytes());
        end_of_options(out);
    });
}

/// Appends the description of an interface with stamps in ns.
pub fn interface(out: &mut Vec<u8>, name: &str, description: &str) {
    block(out, INTERFACE, |out| {
        out.extend(u32::from(LINKTYPE_RAW).to_le_bytes());
        out.extend([0; 4]); // no limit of length: each packet says how much of it is kept
        option(out, OPTION_IF_NAME, name.as_bytes());
        option(out, OPTION_IF_DESCRIPTION, description.as_bytes());
        option(out, OPTION_IF_TSRESOL, &[9]);
        end_of_options(out);
    });
}

/// Appends a packet, of which `kept` are the first octets in two pieces, with what its receiver knew
/// of it beside.
pub fn packet(out: &mut Vec<u8>, head: PacketHead, kept: [&[u8]; 2], note: Option<&PacketNote>) {
    block(out, ENHANCED_PACKET, |out| {
        out.extend(head.interface.to_le_bytes());
        let [high, low] = halves(head.at);
        out.extend(high.to_le_bytes());
        out.extend(low.to_le_bytes());
        let octets = kept[0].len() + kept[1].len();
        out.extend(length(octets).to_le_bytes());
        out.extend(head.length.to_le_bytes());
        out.extend_from_slice(kept[0]);
        out.extend_from_slice(kept[1]);
        fill(out, octets);
        if let Some(note) = note {
            let mut value = ENTERPRISE.to_le_bytes().to_vec();
            value.extend(note.encode());
            option(out, OPTION_CUSTOM, &value);
            end_of_options(out);
        }
    });
}

/// Appends a block of our own.
pub fn custom(out: &mut Vec<u8>, note: &Note) {
    let data = note.encode();
    block(out, CUSTOM, |out| {
        out.extend(ENTERPRISE.to_le_bytes());
        out.extend_from_slice(&data);
        fill(out, data.len());
    });
}

/// Appends what an interface came to by `at`, ns since 1970: packets seen, of which some are missing.
pub fn statistics(out: &mut Vec<u8>, interface: u32, at: i64, seen: u64, missed: u64) {
    block(out, STATISTICS, |out| {
        out.extend(interface.to_le_bytes());
        let [high, low] = halves(at);
        out.extend(high.to_le_bytes());
        out.extend(low.to_le_bytes());
        option(out, OPTION_IFRECV, &seen.to_le_bytes());
        option(out, OPTION_IFDROP, &missed.to_le_bytes());
        end_of_options(out);
    });
}

/// Type, length, body, and the length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    body(out);
    let octets = length(out.len() - start + 4).to_le_bytes();
    out[start + 4..start + 8].copy_from_slice(&octets);
    out.extend(octets);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(value);
    fill(out, value.len());
}

fn end_of_options(out: &mut Vec<u8>) {
    out.extend([0; 4]);
}

/// Fills up to 32 bits.
fn fill(out: &mut Vec<u8>, octets: usize) {
    out.resize(out.len() + octets.next_multiple_of(4) - octets, 0);
}

/// A stamp's upper and lower half; one before 1970 counts as 1970.
fn halves(at: i64) -> [u32; 2] {
    let at = u64::try_from(at).unwrap_or(0);
    [at >> 32, at & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or(u32::MAX))
}

fn length(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block by the draft, 4.3: type 6, 72 octets, interface 1, the stamp's halves, 37 octets kept of
    /// 200 and 3 to fill up, 72 again.
    #[test]
    fn a_packet_is_an_enhanced_packet_block() {
        let mut out = Vec::new();
        let head = PacketHead {
            interface: 1,
            at: 0x0001_0000_0002,
            length: 200,
        };
        packet(&mut out, head, [&[0xaa; 25], &[0xbb; 12]], None);
        let mut expected = vec![6, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0];
        expected.extend([37, 0, 0, 0, 200, 0, 0, 0]);
        expected.extend([0xaa; 25]);
        expected.extend([0xbb; 12]);
        expected.extend([0, 0, 0, 72, 0, 0, 0]);
        assert_eq!(out, expected);
    }

    #[test]
    fn every_block_is_a_multiple_of_32_bits_and_says_its_length_twice() {
        let mut out = Vec::new();
        section(&mut out, "a comment");
        interface(&mut out, "one", "the first of them");
        let note = Note::Half {
            run: 300,
            end: milliwatt_wire::id::End::Guest,
            wall_at_zero: 1,
        };
        custom(&mut out, &note);
        let head = PacketHead {
            interface: 0,
            at: -1,
            length: 5,
        };
        let note = PacketNote {
            taken: milliwatt_wire::time::RunTime(5),
            drift: -1,
            foreign: true,
        };
        packet(&mut out, head, [&[1, 2, 3], &[4, 5]], Some(&note));
        statistics(&mut out, 0, 7, 5, 4);
        let (mut rest, mut blocks) = (&out[..], 0);
        while let Some(octets) = rest.get(4..8) {
            let length = u32::from_le_bytes(octets.try_into().unwrap()) as usize;
            assert_eq!(length % 4, 0);
            assert_eq!(&rest[length - 4..length], octets);
            rest = &rest[length..];
            blocks += 1;
        }
        assert_eq!((blocks, rest.len()), (5, 0));
    }
}
