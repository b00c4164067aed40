//! The end of what a command writes.

use std::collections::VecDeque;

/// Octets that are kept.
pub(super) const KEPT: usize = 4096;

/// The last of what was written, as far as it is kept.
#[derive(Debug, Default)]
pub(super) struct Tail {
    octets: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    /// Takes what was written next.
    pub(super) fn push(&mut self, octets: &[u8]) {
        let last = &octets[octets.len().saturating_sub(KEPT)..];
        let over = (self.octets.len() + last.len()).saturating_sub(KEPT);
        self.cut |= over > 0 || last.len() < octets.len();
        self.octets.drain(..over.min(self.octets.len()));
        self.octets.extend(last);
    }

    /// As text: what is no UTF-8 is replaced, what came before is hinted at.
    pub(super) fn text(&self) -> String {
        let (first, second) = self.octets.as_slices();
        let octets = [first, second].concat();
        if !self.cut {
            return String::from_utf8_lossy(&octets).into_owned();
        }
        // The first character may have lost its head.
        let whole = octets.iter().position(|octet| octet & 0xC0 != 0x80);
        let octets = &octets[whole.unwrap_or(0)..];
        format!("...{}", String::from_utf8_lossy(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(pieces: &[&[u8]]) -> String {
        let mut tail = Tail::default();
        for piece in pieces {
            tail.push(piece);
        }
        tail.text()
    }

    #[test]
    fn what_fits_is_kept_whole() {
        assert_eq!(tail(&[b"one\n", b"two\n"]), "one\ntwo\n");
        let all = vec![b'x'; KEPT];
        assert_eq!(tail(&[&all]).len(), KEPT);
    }

    /// 4096 of x, then "end": the first three x go. The same in one piece.
    #[test]
    fn of_more_the_end_is_kept() {
        let many = vec![b'x'; KEPT];
        let expected = format!("...{}end", "x".repeat(KEPT - 3));
        assert_eq!(tail(&[&many, b"end"]), expected);
        assert_eq!(tail(&[&[&many[..], b"end"].concat()]), expected);
    }

    /// A character of two octets whose first is cut off is left out; an octet that is none is replaced.
    #[test]
    fn what_is_no_text_is_replaced() {
        let half = ["\u{e4}".as_bytes(), &vec![b'x'; KEPT - 1]].concat();
        assert_eq!(tail(&[&half]), format!("...{}", "x".repeat(KEPT - 1)));
        assert_eq!(tail(&[b"a\xffb"]), "a\u{fffd}b");
    }
}
