//! Many things of one kind as one outline: a picture of a long run stays small, and of what shares a pixel the highest is
//! seen.

use std::collections::BTreeMap;

/// Half a triangle's width, and half its depth, px.
const HALF: i32 = 4;

/// The outline of bars (left, right, top px) that stand on a floor, right excluded; of those that share a pixel column the
/// highest has it.
pub(super) fn skyline(bars: impl Iterator<Item = (i32, i32, i32)>, floor: i32) -> Vec<(i32, i32)> {
    let mut columns: BTreeMap<i32, i32> = BTreeMap::new();
    for (left, right, top) in bars {
        for x in left..right {
            let highest = columns.entry(x).or_insert(top);
            *highest = top.min(*highest);
        }
    }
    // (left, right, top) of columns beside each other that are equally high.
    let mut runs: Vec<(i32, i32, i32)> = Vec::new();
    for (x, top) in columns {
        match runs.last_mut() {
            Some(last) if last.1 == x && last.2 == top => last.1 = x + 1,
            _ => runs.push((x, x + 1, top)),
        }
    }
    around(&runs, floor)
}

/// Down to the floor where columns are missing between two runs, and at both ends.
fn around(runs: &[(i32, i32, i32)], floor: i32) -> Vec<(i32, i32)> {
    let mut outline: Vec<(i32, i32)> = Vec::with_capacity(2 * runs.len() + 2);
    for &(left, right, top) in runs {
        let end = outline.last().map(|point| point.0);
        if end != Some(left) {
            outline.extend(end.map(|end| (end, floor)));
            outline.push((left, floor));
        }
        outline.extend([(left, top), (right, top)]);
    }
    outline.extend(outline.last().map(|point| (point.0, floor)));
    outline
}

/// The outlines of triangles that hang from `top` with their points at these places, in order: one of those that overlap.
pub(super) fn saw(places: &[i32], top: i32) -> Vec<Vec<(i32, i32)>> {
    let mut outlines: Vec<Vec<(i32, i32)>> = Vec::new();
    let point = |x: i32| (x, top + 2 * HALF);
    for &x in places {
        let last = outlines.last().and_then(|outline| outline.last()).copied();
        match (last, outlines.last_mut()) {
            (Some((last, _)), Some(outline)) if x - last < 2 * HALF => {
                let apart = x - last;
                outline.push((last + apart / 2, top + 2 * HALF - apart));
                outline.push(point(x));
            }
            _ => outlines.push(vec![(x - HALF, top), point(x)]),
        }
    }
    for outline in &mut outlines {
        outline.extend(outline.last().map(|(x, _)| (x + HALF, top)));
    }
    outlines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_one_outline_that_goes_down_between_them() {
        let bars = [(10, 12, 90), (12, 15, 80), (20, 22, 90), (22, 24, 90)];
        let outline = [
            (10, 100),
            (10, 90),
            (12, 90),
            (12, 80),
            (15, 80),
            (15, 100), // two that touch
            (20, 100),
            (20, 90),
            (24, 90),
            (24, 100), // two as high as each other are one
        ];
        assert_eq!(skyline(bars.into_iter(), 100), outline);
        assert!(skyline(std::iter::empty(), 100).is_empty());
    }

    /// A spike of one pixel between neighbours that lie on it from both sides, in whatever order.
    #[test]
    fn of_bars_that_share_a_pixel_the_highest_has_it() {
        let outline = [
            (10, 100),
            (10, 90),
            (11, 90),
            (11, 20),
            (12, 20),
            (12, 90),
            (14, 90),
            (14, 100),
        ];
        let bars = [(10, 12, 90), (11, 12, 20), (11, 14, 90)];
        assert_eq!(skyline(bars.into_iter(), 100), outline);
        assert_eq!(skyline(bars.into_iter().rev(), 100), outline);
    }

    /// Two 2 px apart overlap down to 6 px of their 8; one 8 px apart stands alone.
    #[test]
    fn triangles_that_overlap_are_one_outline() {
        let first = vec![(6, 50), (10, 58), (11, 56), (12, 58), (16, 50)];
        let alone = vec![(16, 50), (20, 58), (24, 50)];
        assert_eq!(saw(&[10, 12, 20], 50), [first, alone]);
        assert!(saw(&[], 50).is_empty());
    }
}
