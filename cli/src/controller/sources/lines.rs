//! Lines of a stream of octets.

/// Octets of a line that are kept.
const LINE_MAX: usize = 64 * 1024;

/// Puts lines together from what comes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    part: Vec<u8>,
}

impl Lines {
    /// Hands each line that `octets` completes to `take`, without its end. What is no UTF-8 is replaced; of a line that does not
    /// end the head is kept.
    pub(super) fn push(&mut self, octets: &[u8], mut take: impl FnMut(&str)) {
        let mut pieces = octets.split(|octet| *octet == b'\n');
        let last = pieces.next_back().unwrap_or_default();
        for piece in pieces {
            self.keep(piece);
            let line = std::mem::take(&mut self.part);
            take(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        }
        self.keep(last);
    }

    /// Forgets what has come of a line.
    pub(super) fn clear(&mut self) {
        self.part.clear();
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_MAX - self.part.len();
        self.part.extend(&piece[..piece.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece, |line| found.push(line.to_owned()));
        }
        found
    }

    #[test]
    fn a_line_ends_where_it_does_however_it_comes() {
        assert_eq!(lines(&[b"a\r\nb", b"c\n", b"\nd"]), ["a", "bc", ""]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    /// 65,536 of 65,636 octets, and the next line is whole.
    #[test]
    fn of_a_line_without_end_the_head_is_kept() {
        let long = vec![b'x'; LINE_MAX];
        let found = lines(&[&long, &[b'y'; 100], b"\nz\n"]);
        assert_eq!((found[0].len(), found[1].as_str()), (LINE_MAX, "z"));
        assert!(found[0].ends_with('x'));
    }

    proptest! {
        #[test]
        fn where_the_pieces_are_cut_does_not_matter(
            text in "[a-c\n]{0,40}",
            cut in 0_usize..40,
        ) {
            let cut = cut.min(text.len());
            let whole = lines(&[text.as_bytes()]);
            let (head, rest) = text.as_bytes().split_at(cut);
            prop_assert_eq!(lines(&[head, rest]), whole);
        }
    }
}
