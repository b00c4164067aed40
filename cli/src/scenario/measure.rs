//! Numbers with units as people write them: `20ms`, `1h30m`, `8533 bit/s`, `20 GB`.

/// A unit: how it is written, and how many of the base unit it is.
pub type Unit = (&'static str, f64);

/// Units of time, in ns.
pub const TIME: &[Unit] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("min", 60e9),
    ("h", 3600e9),
];
/// Units of bit rate, in bit/s.
pub const BIT_RATE: &[Unit] = &[
    ("bit/s", 1.0),
    ("kbit/s", 1e3),
    ("Mbit/s", 1e6),
    ("Gbit/s", 1e9),
];
/// Units of frequency, in events a second.
pub const FREQUENCY: &[Unit] = &[
    ("/s", 1.0),
    ("/m", 1.0 / 60.0),
    ("/min", 1.0 / 60.0),
    ("/h", 1.0 / 3600.0),
];
/// Units of size, in octets.
pub const SIZE: &[Unit] = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// Parses one number with one unit, a space between them or not. None when it is not that, or not
/// a finite number of zero or more.
#[must_use]
pub fn parse(text: &str, units: &[Unit]) -> Option<f64> {
    let (value, rest) = parse_first(text.trim(), units)?;
    rest.is_empty().then_some(value)
}

/// Parses a sum of numbers with units written without anything between: `1h30m`.
#[must_use]
pub fn parse_sum(text: &str, units: &[Unit]) -> Option<f64> {
    let (mut sum, mut rest) = parse_first(text.trim(), units)?;
    while !rest.is_empty() {
        let (value, after) = parse_first(rest, units)?;
        (sum, rest) = (sum + value, after);
    }
    Some(sum)
}

fn parse_first<'t>(text: &'t str, units: &[Unit]) -> Option<(f64, &'t str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..digits].parse().ok()?;
    let unit_text = text[digits..].trim_start();
    let end = unit_text
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(unit_text.len());
    let (_, scale) = units.iter().find(|(name, _)| *name == &unit_text[..end])?;
    let value = number * scale;
    value.is_finite().then_some((value, &unit_text[end..]))
}

/// The nearest whole number, when it fits.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded to 2^53 just before"
)]
pub fn whole(value: f64) -> Option<i64> {
    let rounded = value.round();
    (rounded.abs() <= 9_007_199_254_740_992.0).then_some(rounded as i64)
}

/// Writes `value` in the largest unit in which it is a whole number; `units` ascend.
#[must_use]
pub fn write(value: i64, units: &[(&str, i64)]) -> String {
    let exact = units
        .iter()
        .rev()
        .find(|(_, scale)| value % scale == 0 && value / scale != 0);
    let (unit, scale) = exact.or(units.first()).copied().unwrap_or(("", 1));
    format!("{}{unit}", value / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_units_adds_up_and_anything_between_is_refused() {
        assert_eq!(
            parse_sum("1h30m", TIME).and_then(whole),
            Some(5_400_000_000_000)
        );
        assert_eq!(parse_sum("20 ms", TIME).and_then(whole), Some(20_000_000));
        for wrong in ["", "20", "ms", "1h and 30m", "-5s", "5 S", "1..2s", "1e3s"] {
            assert_eq!(parse_sum(wrong, TIME), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_single_measure_is_not_a_sum() {
        assert_eq!(parse("8.533 kbit/s", BIT_RATE).and_then(whole), Some(8533));
        assert_eq!(parse("1 kbit/s 3 bit/s", BIT_RATE), None);
    }

    #[test]
    fn written_in_the_largest_whole_unit() {
        let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000)];
        assert_eq!(write(20_000_000, &units), "20ms");
        assert_eq!(write(1_500, &units), "1500ns");
        assert_eq!(write(0, &units), "0ns");
    }
}
