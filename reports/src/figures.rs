//! Numbers and times as people read them.

use jiff::Timestamp;

/// What stands where nothing was measured.
pub const NOT_MEASURED: &str = "-";

/// [`plain`] with its thousands apart, for people.
#[must_use]
pub fn number(value: f64) -> String {
    let text = plain(value);
    let digits = text.trim_start_matches('-');
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let sign = &text[..text.len() - digits.len()];
    format!("{sign}{}{rest}", apart(whole))
}

/// Three decimals, more for small values so that none is shown as 0, and no trailing zeros: as
/// files for programs hold it.
#[must_use]
pub fn plain(value: f64) -> String {
    let magnitude = value.abs();
    let decimals = match magnitude {
        m if (1e-9..1e-4).contains(&m) => 9,
        m if (1e-4..1e-2).contains(&m) => 5,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// The number, or a dash.
#[must_use]
pub fn number_or_dash(value: Option<f64>) -> String {
    value.map_or_else(|| NOT_MEASURED.to_owned(), number)
}

/// The number with its unit; a unit of counting or none is left out.
#[must_use]
pub fn quantity(value: f64, unit: &str) -> String {
    let value = number(value);
    match unit {
        "" | "count" => value,
        "percent" => format!("{value} %"),
        _ => format!("{value} {unit}"),
    }
}

/// A count with its thousands apart.
#[must_use]
pub fn count(value: u64) -> String {
    apart(&value.to_string())
}

fn apart(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 event`, `2 events`.
#[must_use]
pub fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// A length of time: `12.5 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let whole = whole_seconds(seconds);
    match whole {
        0..120 => format!("{} s", number((seconds * 10.0).round() / 10.0)),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// Date and time of day to the millisecond, UTC.
#[must_use]
pub fn date_to_the_millisecond(wall_ns: i64) -> String {
    moment(wall_ns, "%Y-%m-%d %H:%M:%S.%3f UTC")
}

/// Date and time of day, UTC.
#[must_use]
pub fn date(wall_ns: i64) -> String {
    moment(wall_ns, "%Y-%m-%d %H:%M:%S UTC")
}

/// Time of day, UTC.
#[must_use]
pub fn time_of_day(wall_ns: i64) -> String {
    moment(wall_ns, "%H:%M:%S UTC")
}

/// RFC 3339, UTC, to the millisecond.
#[must_use]
pub fn rfc3339(wall_ns: i64) -> String {
    moment(wall_ns, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

fn moment(wall_ns: i64, format: &str) -> String {
    Timestamp::from_nanosecond(i128::from(wall_ns)).map_or_else(
        |_| NOT_MEASURED.to_owned(),
        |at| at.strftime(format).to_string(),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates; a label"
)]
fn whole_seconds(seconds: f64) -> u64 {
    seconds.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_small_value_is_shown_as_nothing() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(120.4), "120.4");
        assert_eq!(number(0.05), "0.05");
        assert_eq!(number(0.000_4), "0.0004");
        assert_eq!(number(0.000_003), "0.000003");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_500_000), "1,500,000");
        assert_eq!(number(-1_234_567.25), "-1,234,567.25");
        assert_eq!(number(-999.5), "-999.5");
        assert_eq!(plain(1_234_567.25), "1234567.25");
    }

    #[test]
    fn wall_times_are_utc() {
        // 1,700,000,000 s after 1970 is 2023-11-14 22:13:20 UTC.
        assert_eq!(date(1_700_000_000_000_000_000), "2023-11-14 22:13:20 UTC");
        assert_eq!(
            rfc3339(1_700_000_000_123_000_000),
            "2023-11-14T22:13:20.123Z"
        );
    }

    #[test]
    fn lengths_of_time_keep_two_units() {
        assert_eq!(duration(31.24), "31.2 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7_500.0), "2 h 5 min");
    }
}
