//! Owns writing: an instant as RFC 3339, as a stored time, as a unix number or along a compiled
//! pattern; refuses to know how text is read and how patterns are spelled.

use super::calendar::{Civil, civil, iso_week, short_civil, weekday, year_day};
use super::pattern::{Field, MONTHS, OffsetShape, Part, Step, WEEKDAYS};
use super::scan::{TextZone, zone_of};
use super::{Instant, TimeFormat};

/// Digits after the second in RFC 3339 output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fraction {
    /// The shortest of 0, 3, 6 and 9 digits that loses nothing, as protobuf JSON prints it.
    Auto,
    /// Exactly this many, at most 9; finer digits are cut, never rounded.
    Digits(u8),
}

/// What one step of a unix number stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnixUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

/// `2006-01-02T15:04:05.000Z`
pub fn write_rfc3339(instant: Instant, fraction: Fraction, out: &mut Vec<u8>) {
    if let Some((text, len)) = short_rfc3339(instant, fraction) {
        return out.extend_from_slice(&text[..len]);
    }
    push_date_time(&civil(instant), b'T', out);
    let digits = match fraction {
        Fraction::Auto => fraction_digits(instant.nanos).next_multiple_of(3),
        Fraction::Digits(digits) => digits,
    };
    if digits > 0 {
        out.push(b'.');
        push_fraction(instant.nanos, digits, out);
    }
    out.push(b'Z');
}

/// RFC 3339 of the years 1970 to 9999, and its length.
#[inline]
fn short_rfc3339(instant: Instant, fraction: Fraction) -> Option<([u8; 30], usize)> {
    let (year, month, day, second) = short_civil(instant).filter(|_| instant.nanos < 1_000_000_000)?;
    let date = eight_digits(year * 10_000 + month * 100 + day);
    let clock = eight_digits(second / 3_600 * 10_000 + second / 60 % 60 * 100 + second % 60);
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    text[..4].copy_from_slice(&date[..4]);
    text[5..7].copy_from_slice(&date[4..6]);
    text[8..10].copy_from_slice(&date[6..]);
    text[11..13].copy_from_slice(&clock[2..4]);
    text[14..16].copy_from_slice(&clock[4..6]);
    text[17..19].copy_from_slice(&clock[6..]);
    text[20..28].copy_from_slice(&eight_digits(instant.nanos / 10));
    text[28] = b'0' + (instant.nanos % 10) as u8;
    let digits: usize = match fraction {
        Fraction::Auto if instant.nanos == 0 => 0,
        Fraction::Auto if instant.nanos.is_multiple_of(1_000_000) => 3,
        Fraction::Auto if instant.nanos.is_multiple_of(1_000) => 6,
        Fraction::Auto => 9,
        Fraction::Digits(digits) => digits.min(9).into(),
    };
    let end = if digits == 0 { 19 } else { 20 + digits };
    text[end] = b'Z';
    Some((text, end + 1))
}

/// The digits of a number below 10^8, worked out side by side.
#[inline(always)]
fn eight_digits(n: u32) -> [u8; 8] {
    let fours = u64::from(n / 10_000) | u64::from(n % 10_000) << 32;
    // A hundredth of each half, and a tenth of each quarter; exact for what stands there.
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = (fours - 100 * hundreds) << 16 | hundreds;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = (twos - 10 * tens) << 8 | tens;
    (digits | 0x3030_3030_3030_3030).to_le_bytes()
}

/// Go's RFC3339Nano: no trailing zeros, no point without digits.
pub fn write_rfc3339_nano(instant: Instant, out: &mut Vec<u8>) {
    write_rfc3339(instant, Fraction::Digits(fraction_digits(instant.nanos)), out);
}

/// The form Panther stores: `2006-01-02 15:04:05.000000000`, in UTC without saying so.
pub fn write_stored(instant: Instant, out: &mut Vec<u8>) {
    push_date_time(&civil(instant), b' ', out);
    out.push(b'.');
    push_fraction(instant.nanos, 9, out);
}

/// A JSON number: seconds keep their fraction, the finer units are whole and rounded down.
pub fn write_unix(instant: Instant, unit: UnixUnit, out: &mut Vec<u8>) {
    let total = i128::from(instant.secs) * 1_000_000_000 + i128::from(instant.nanos);
    if unit != UnixUnit::Seconds {
        let nanos_per_unit = match unit {
            UnixUnit::Seconds | UnixUnit::Nanos => 1,
            UnixUnit::Micros => 1_000,
            UnixUnit::Millis => 1_000_000,
        };
        push_integer(total.div_euclid(nanos_per_unit), out);
        return;
    }
    // -1.5 s is kept as second -2 and half a second after it, but is written by its magnitude.
    let magnitude = total.unsigned_abs();
    if total < 0 {
        out.push(b'-');
    }
    push_padded((magnitude / 1_000_000_000) as u64, 1, b'0', out);
    let nanos = (magnitude % 1_000_000_000) as u32;
    let digits = fraction_digits(nanos);
    if digits > 0 {
        out.push(b'.');
        push_fraction(nanos, digits, out);
    }
}

/// Writes an instant in its own format, in UTC and without quotes: `writes_number` tells where
/// quotes belong. Formats with a choice of forms write RFC 3339 or seconds.
pub fn write_format(format: &TimeFormat, instant: Instant, out: &mut Vec<u8>) {
    write_in_zone(format, instant, TextZone::UTC, out);
}

/// Writes an instant in its own format and in the zone of `text`, from which it was read.
pub fn write_own(format: &TimeFormat, text: &str, instant: Instant, out: &mut Vec<u8>) {
    let zone = match format {
        TimeFormat::UnixAuto => return write_unix(instant, own_unit(text, instant), out),
        // A time without an offset is its own form, wherever its clock stood.
        TimeFormat::Local(..) => return crate::json::push_str_escaped(text, out),
        TimeFormat::Rfc3339 | TimeFormat::Cloudflare => rfc3339_zone(text.as_bytes()),
        TimeFormat::Strftime(pattern) | TimeFormat::Layout(pattern) => {
            zone_of(&pattern.steps, text.as_bytes())
        }
        _ => TextZone::UTC,
    };
    write_in_zone(format, instant, zone, out);
}

/// The unit in which a number of any unit was spelled, or the next finer one that keeps its fraction.
fn own_unit(text: &str, instant: Instant) -> UnixUnit {
    let read =
        |unit: &TimeFormat| super::read(unit, text.split(['.', 'e', 'E']).next().unwrap_or(text), false);
    let units = [
        (TimeFormat::Unix, UnixUnit::Seconds, 1),
        (TimeFormat::UnixMs, UnixUnit::Millis, 1_000_000),
        (TimeFormat::UnixUs, UnixUnit::Micros, 1_000),
        (TimeFormat::UnixNs, UnixUnit::Nanos, 1),
    ];
    let near = |(format, ..): &(TimeFormat, UnixUnit, u32)| {
        read(format).is_ok_and(|found| found.secs.abs_diff(instant.secs) <= 1)
    };
    let first = units.iter().position(near).unwrap_or(0);
    let exact = units[first..].iter().find(|(.., nanos)| instant.nanos.is_multiple_of(*nanos));
    exact.map_or(UnixUnit::Nanos, |(_, unit, _)| *unit)
}

/// A number (`cloudflare` takes them too) and a text that ends in `Z` are in UTC.
fn rfc3339_zone(text: &[u8]) -> TextZone<'static> {
    let [.., sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = text else { return TextZone::UTC };
    let two = |a: &u8, b: &u8| i64::from(a.wrapping_sub(b'0')) * 10 + i64::from(b.wrapping_sub(b'0'));
    let offset = two(h1, h2) * 3_600 + two(m1, m2) * 60;
    TextZone { offset: if *sign == b'-' { -offset } else { offset }, ..TextZone::UTC }
}

fn write_in_zone(format: &TimeFormat, instant: Instant, zone: TextZone, out: &mut Vec<u8>) {
    let local = Instant { secs: instant.secs.saturating_add(zone.offset), ..instant };
    match format {
        TimeFormat::Local(format, _) => write_in_zone(format, instant, zone, out),
        TimeFormat::Rfc3339 | TimeFormat::Cloudflare => {
            write_rfc3339_nano(local, out);
            if zone.offset != 0 {
                out.pop();
                write_offset(OffsetShape::HourColonMinute, zone.offset, out);
            }
        }
        TimeFormat::Unix | TimeFormat::UnixAuto => write_unix(instant, UnixUnit::Seconds, out),
        TimeFormat::UnixMs => write_unix(instant, UnixUnit::Millis, out),
        TimeFormat::UnixUs => write_unix(instant, UnixUnit::Micros, out),
        TimeFormat::UnixNs => write_unix(instant, UnixUnit::Nanos, out),
        TimeFormat::Strftime(pattern) | TimeFormat::Layout(pattern) => {
            let civil = civil(local);
            for step in &pattern.steps {
                match step {
                    Step::Literal(literal) | Step::LooseLiteral(literal) => {
                        out.extend_from_slice(literal.as_bytes());
                    }
                    Step::Part(part) => write_part(*part, &civil, instant, zone, out),
                }
            }
        }
    }
}

fn write_part(part: Part, civil: &Civil, instant: Instant, zone: TextZone, out: &mut Vec<u8>) {
    match part {
        Part::Number(number) => {
            let value = field_value(number.field, civil);
            push_number(value, number.width.into(), number.pad, out);
        }
        Part::Month { long } => push_name(MONTHS[(civil.month - 1) as usize], long, out),
        Part::Weekday { long } => push_name(WEEKDAYS[weekday(civil) as usize], long, out),
        Part::HalfDay { upper, .. } => out.extend_from_slice(match (civil.hour < 12, upper) {
            (true, true) => b"AM",
            (false, true) => b"PM",
            (true, false) => b"am",
            (false, false) => b"pm",
        }),
        Part::BareFraction { digits } => push_fraction(instant.nanos, digits, out),
        Part::FixedFraction { mark, digits } => {
            out.push(mark);
            push_fraction(instant.nanos, digits, out);
        }
        Part::LooseFraction { mark, digits } => {
            let unit = 10u32.pow(9 - u32::from(digits.min(9)));
            let cut = instant.nanos - instant.nanos % unit;
            let shown = fraction_digits(cut);
            if shown > 0 {
                out.push(mark);
                push_fraction(cut, shown, out);
            }
        }
        Part::UnaskedFraction => {}
        Part::Offset { writes_z: true, .. } if zone.offset == 0 => out.push(b'Z'),
        Part::Offset { shape, .. } => write_offset(shape, zone.offset, out),
        Part::ZoneName { .. } => out.extend_from_slice(zone.name),
        Part::Blank { written } => out.push(written),
        Part::UnixSeconds => push_number(instant.secs, 1, b'0', out),
    }
}

fn write_offset(shape: OffsetShape, offset: i64, out: &mut Vec<u8>) {
    out.push(if offset < 0 { b'-' } else { b'+' });
    let seconds = offset.abs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    push_two(hours, out);
    let (colon, parts): (&[u8], &[i64]) = match shape {
        OffsetShape::Hour => (b"", &[]),
        OffsetShape::HourMinute | OffsetShape::Any => (b"", &[minutes]),
        OffsetShape::HourColonMinute => (b":", &[minutes]),
        OffsetShape::HourMinuteSecond => (b"", &[minutes, seconds]),
        OffsetShape::HourColonMinuteColonSecond => (b":", &[minutes, seconds]),
    };
    for part in parts {
        out.extend_from_slice(colon);
        push_two(*part, out);
    }
}

fn field_value(field: Field, civil: &Civil) -> i64 {
    match field {
        Field::Year => civil.year,
        Field::ShortYear => civil.year.rem_euclid(100),
        Field::Century => civil.year.div_euclid(100),
        Field::IsoYear => iso_week(civil).0,
        Field::IsoShortYear => iso_week(civil).0.rem_euclid(100),
        Field::Month => civil.month,
        Field::Day => civil.day,
        Field::YearDay => year_day(civil),
        Field::Hour => civil.hour,
        Field::HalfDayHour | Field::ClockHour => (civil.hour + 11) % 12 + 1,
        Field::Minute => civil.minute,
        Field::Second => civil.second,
        Field::IsoWeek => iso_week(civil).1,
        Field::WeekFromSunday => (year_day(civil) + 6 - weekday(civil)) / 7,
        Field::WeekFromMonday => (year_day(civil) + 6 - (weekday(civil) + 6) % 7) / 7,
        Field::WeekdayFromSunday => weekday(civil),
        Field::WeekdayFromMonday => (weekday(civil) + 6) % 7 + 1,
    }
}

fn push_date_time(civil: &Civil, between: u8, out: &mut Vec<u8>) {
    if let 0..=9999 = civil.year {
        let mut text = *b"0000-00-00 00:00:00";
        let mut put = |at: usize, n: i64| {
            let n = n as u8;
            (text[at], text[at + 1]) = (b'0' + n / 10, b'0' + n % 10);
        };
        let (century, year) = (civil.year as u16 / 100, civil.year as u16 % 100);
        put(0, century.into());
        put(2, year.into());
        put(5, civil.month);
        put(8, civil.day);
        put(11, civil.hour);
        put(14, civil.minute);
        put(17, civil.second);
        text[10] = between;
        return out.extend_from_slice(&text);
    }
    push_number(civil.year, 4, b'0', out);
    out.push(b'-');
    push_two(civil.month, out);
    out.push(b'-');
    push_two(civil.day, out);
    out.push(between);
    push_two(civil.hour, out);
    out.push(b':');
    push_two(civil.minute, out);
    out.push(b':');
    push_two(civil.second, out);
}

fn push_name(name: &str, long: bool, out: &mut Vec<u8>) {
    let name = name.as_bytes();
    out.extend_from_slice(if long { name } else { &name[..3] });
}

fn push_integer(value: i128, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let magnitude = value.unsigned_abs();
    // Nanoseconds of the year 9999 need more than 64 bits.
    const SPLIT: u128 = 10_000_000_000_000_000_000;
    let (high, low) = (magnitude / SPLIT, magnitude % SPLIT);
    if high > 0 {
        push_padded(high as u64, 1, b'0', out);
        push_padded(low as u64, 19, b'0', out);
    } else {
        push_padded(low as u64, 1, b'0', out);
    }
}

/// Decimal digits of a value that is not negative, filled to `width` on the left.
fn push_padded(value: u64, width: usize, pad: u8, out: &mut Vec<u8>) {
    let mut digits = [pad; 20];
    let mut at = digits.len();
    let mut value = value;
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    let start = at.min(digits.len().saturating_sub(width));
    out.extend_from_slice(&digits[start..]);
}

fn push_number(value: i64, width: usize, pad: u8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    push_padded(value.unsigned_abs(), width, pad, out);
}

fn push_two(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]);
}

fn push_fraction(nanos: u32, digits: u8, out: &mut Vec<u8>) {
    let digits = digits.min(9);
    push_padded((nanos / 10u32.pow(9 - u32::from(digits))).into(), digits.into(), b'0', out);
}

/// The fewest digits that keep every nanosecond, 1 to 9; none of a whole second.
fn fraction_digits(nanos: u32) -> u8 {
    if nanos == 0 {
        return 0;
    }
    let mut digits = 9;
    let mut nanos = nanos;
    while digits > 0 && nanos.is_multiple_of(10) {
        nanos /= 10;
        digits -= 1;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::time::tests::{at, chrono_of, format, instants, written};
    use proptest::prelude::*;

    #[test]
    fn patterns_write() {
        // 2020-01-05, a Sunday: the weeks of the three countings differ.
        let sunday = Instant { secs: 1_578_193_445, nanos: 120_000_789 };
        let midnight = Instant { secs: 1_577_836_800, nanos: 0 };
        let facts = [
            ("%Y-%m-%dT%H:%M:%S.%fZ", "2020-01-05T03:04:05.120000Z"),
            ("%N", "120000789"),
            ("%f000", "120000000"),
            ("%C %y %G %g", "20 20 2020 20"),
            ("%b %B %h %e", "Jan January Jan  5"),
            ("%a %A %w %u", "Sun Sunday 0 7"),
            ("%j %U %W %V %d", "005 01 00 01 05"),
            ("%H %k %I %l %p %P", "03  3 03  3 AM am"),
            ("%s", "1578193445"),
            ("%z %:z %::z %Z", "+0000 +00:00 +00:00:00 UTC"),
            ("%Y%t%n%%", "2020\t\n%"),
            (
                "%c|%D|%F|%R|%r|%T|%v|%X|%x",
                "Sun Jan  5 03:04:05 2020|01/05/20|2020-01-05|03:04|03:04:05 AM|03:04:05| 5-Jan-2020|03:04:05|01/05/20",
            ),
            ("layout=2006-01-02T15:04:05.999999999Z07:00", "2020-01-05T03:04:05.120000789Z"),
            ("layout=06 1 2 _2 __2 002 3 03 4 5", "20 1 5  5   5 005 3 03 4 5"),
            ("layout=Mon Monday Jan January PM pm MST", "Sun Sunday Jan January AM am UTC"),
            ("layout=05.000 ,000", "05.120 ,120"),
            ("layout=05.999,999999", "05.12,12"),
            (
                "layout=-0700 -07:00 -07 Z0700 Z07:00 -070000 -07:00:00",
                "+0000 +00:00 +00 Z Z +000000 +00:00:00",
            ),
            ("rfc3339", "2020-01-05T03:04:05.120000789Z"),
            ("cloudflare", "2020-01-05T03:04:05.120000789Z"),
            ("unix", "1578193445.120000789"),
            ("unix_auto", "1578193445.120000789"),
            ("unix_ms", "1578193445120"),
            ("unix_us", "1578193445120000"),
            ("unix_ns", "1578193445120000789"),
        ];
        for (name, expected) in facts {
            assert_eq!(written(&format(name), sunday), expected, "{name}");
        }
        assert_eq!(written(&format("%I %l"), midnight), "12 12");
        assert_eq!(written(&format("layout=05.999 3"), midnight), "00 12");
    }

    #[test]
    fn own_forms_keep_zone_and_unit() {
        let facts = [
            ("rfc3339", "2020-06-02T00:01:07.500+02:00", "2020-06-02T00:01:07.5+02:00"),
            ("rfc3339", "2020-06-02T00:01:07-00:30", "2020-06-02T00:01:07-00:30"),
            ("rfc3339", "2020-06-02T00:01:07+00:00", "2020-06-02T00:01:07Z"),
            ("cloudflare", "2020-06-02T00:01:07Z", "2020-06-02T00:01:07Z"),
            ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -07:00", "10/Oct/2000:13:55:36 -0700"),
            ("%Y-%m-%d %H:%M:%S %Z", "2020-01-02 03:04:05 PST", "2020-01-02 03:04:05 PST"),
            ("%H:%M %::z", "03:04 +01:02:03", "03:04 +01:02:03"),
            ("layout=2006-01-02 15:04 MST", "2020-01-02 03:04 GMT+3", "2020-01-02 03:04 GMT+3"),
            ("layout=2006-01-02T15:04Z07:00", "2020-01-02T03:04-01:30", "2020-01-02T03:04-01:30"),
            ("unix_auto", "1591056067", "1591056067"),
            ("unix_auto", "1591056067.25", "1591056067.25"),
            ("unix_auto", "1591056067123", "1591056067123"),
            ("unix_auto", "1591056067123.5", "1591056067123500"),
            ("unix_auto", "1591056067123456", "1591056067123456"),
            ("unix_auto", "1591056067123456789", "1591056067123456789"),
            ("unix_auto", "0", "0"),
        ];
        for (name, text, expected) in facts {
            let format = format(name);
            let instant = crate::ops::time::read(&format, text, true).expect("a time");
            let mut out = Vec::new();
            write_own(&format, text, instant, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{name}");
        }
    }

    #[test]
    fn rfc3339_writers() {
        let facts = [
            (0, "07Z", "07Z", "07.00Z"),
            (500_000_000, "07.500Z", "07.5Z", "07.50Z"),
            (123_400_000, "07.123400Z", "07.1234Z", "07.12Z"),
            (1_000, "07.000001Z", "07.000001Z", "07.00Z"),
            (999_999_999, "07.999999999Z", "07.999999999Z", "07.99Z"),
        ];
        for (nanos, auto, nano, two) in facts {
            let instant = Instant { secs: 1_591_056_067, nanos };
            for (fraction, expected) in [(Fraction::Auto, auto), (Fraction::Digits(2), two)] {
                let mut out = b"x".to_vec();
                write_rfc3339(instant, fraction, &mut out);
                assert_eq!(String::from_utf8_lossy(&out), format!("x2020-06-02T00:01:{expected}"));
            }
            let mut out = Vec::new();
            write_rfc3339_nano(instant, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), format!("2020-06-02T00:01:{nano}"));
        }
    }

    #[test]
    fn unix_numbers_are_written_short() {
        let facts = [
            (at(0, 0), "0", "0", "0"),
            (at(12, 500_000_000), "12.5", "12500", "12500000000"),
            (at(-2, 500_000_000), "-1.5", "-1500", "-1500000000"),
            (at(-1, 999_999_999), "-0.000000001", "-1", "-1"),
            (Ok(Instant::MAX), "253402300799.999999999", "253402300799999", "253402300799999999999"),
            (Ok(Instant::MIN), "-62135596800", "-62135596800000", "-62135596800000000000"),
        ];
        for (instant, seconds, millis, nanos) in facts {
            let units = [(UnixUnit::Seconds, seconds), (UnixUnit::Millis, millis), (UnixUnit::Nanos, nanos)];
            for (unit, expected) in units {
                let mut out = Vec::new();
                write_unix(instant.expect("in range"), unit, &mut out);
                assert_eq!(String::from_utf8_lossy(&out), expected);
            }
        }
    }

    #[test]
    fn writers_take_any_instant() {
        let everything =
            "%Y %y %C %G %g %m %B %d %e %j %H %I %M %S %f %N %p %a %w %u %U %V %W %s %z %Z %t %c";
        for secs in [i64::MIN, -62_135_596_801, -1, 253_402_300_800, i64::MAX] {
            let instant = Instant { secs, nanos: u32::MAX };
            let mut out = Vec::new();
            write_rfc3339(instant, Fraction::Auto, &mut out);
            write_rfc3339(instant, Fraction::Digits(200), &mut out);
            write_stored(instant, &mut out);
            for name in ["unix", "unix_ms", "unix_us", "unix_ns", everything, "layout=05.999 .0000000000"] {
                write_format(&format(name), instant, &mut out);
            }
        }
    }

    proptest! {
        #[test]
        fn chrono_writes_the_same(instant in instants()) {
            let shared = "%Y-%m-%d %H:%M:%S %y %C %G %g %B %b %e %j %k %I %l %p %P %A %a %w %u %U %V %W %s %%";
            prop_assert_eq!(written(&format(shared), instant), chrono_of(instant).format(shared).to_string());
            let mut out = Vec::new();
            write_rfc3339(instant, Fraction::Auto, &mut out);
            let theirs = chrono_of(instant).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            prop_assert_eq!(String::from_utf8_lossy(&out), theirs);
        }
    }
}
