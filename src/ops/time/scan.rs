//! Owns reading: a text stepped over from its start, and the instant that a compiled pattern finds in
//! it; refuses to know how patterns are spelled and how instants are written.

use super::calendar::{calendar_fault, civil_from_days, days_from_civil, is_leap, valid_date};
use super::pattern::{Field, MONTHS, OffsetShape, Part, Step, WEEKDAYS};
use super::{Instant, TimeFault, in_range};

/// What a pattern has read so far. A pattern without a year means 1900, as strptime has it.
struct Fields {
    year: i64,
    century: Option<i64>,
    month: i64,
    day: i64,
    year_day: Option<i64>,
    hour: i64,
    noon_is_zero: bool,
    afternoon: Option<bool>,
    minute: i64,
    second: i64,
    nanos: u32,
    offset: Option<i64>,
    /// Counts only where no offset is written: `-0800 PST` is eight hours west.
    zone_offset: i64,
    /// Where the name of the zone stands in the text.
    zone_name: (usize, usize),
}

/// The zone that a text names, which an instant no longer knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextZone<'a> {
    /// Seconds east of UTC.
    pub(super) offset: i64,
    pub(super) name: &'a [u8],
}

impl TextZone<'_> {
    pub(super) const UTC: TextZone<'static> = TextZone { offset: 0, name: b"UTC" };
}

/// Reads the whole of a text along the steps of a pattern.
pub(super) fn read_steps(steps: &[Step], text: &[u8]) -> Result<Instant, TimeFault> {
    finish(read_fields(steps, text)?)
}

/// The zone of a text that was read along the same steps.
pub(super) fn zone_of<'a>(steps: &[Step], text: &'a [u8]) -> TextZone<'a> {
    let Ok(fields) = read_fields(steps, text) else { return TextZone::UTC };
    let name = &text[fields.zone_name.0..fields.zone_name.1];
    let name = if name.is_empty() { TextZone::UTC.name } else { name };
    TextZone { offset: fields.offset.unwrap_or(fields.zone_offset), name }
}

fn read_fields(steps: &[Step], text: &[u8]) -> Result<Fields, TimeFault> {
    let mut scan = Scan::new(text);
    let mut fields = Fields {
        year: 1900,
        century: None,
        month: 1,
        day: 1,
        year_day: None,
        hour: 0,
        noon_is_zero: false,
        afternoon: None,
        minute: 0,
        second: 0,
        nanos: 0,
        offset: None,
        zone_offset: 0,
        zone_name: (0, 0),
    };
    for step in steps {
        match step {
            Step::Literal(literal) => scan.literal(literal.as_bytes())?,
            Step::LooseLiteral(literal) => scan.loose_literal(literal.as_bytes())?,
            Step::Part(part) => read_part(*part, &mut scan, &mut fields)?,
        }
    }
    scan.end()?;
    Ok(fields)
}

fn read_part(part: Part, scan: &mut Scan<'_>, fields: &mut Fields) -> Result<(), TimeFault> {
    match part {
        Part::Number(number) => {
            for _ in 0..number.blanks {
                scan.take(b' ');
            }
            let value = scan.number(number.min, number.max)?;
            return set_field(number.field, value, fields);
        }
        Part::Month { long } => fields.month = 1 + scan.name(&MONTHS, long)?,
        Part::Weekday { long } => {
            scan.name(&WEEKDAYS, long)?;
        }
        Part::HalfDay { upper, any_case } => fields.afternoon = Some(scan.half_day(upper, any_case)?),
        Part::BareFraction { digits } => {
            let start = scan.at;
            scan.number(1, digits)?;
            fields.nanos = fraction_nanos(&scan.text[start..scan.at]);
        }
        Part::FixedFraction { digits, .. } => {
            let end = scan.at + 1 + usize::from(digits);
            let Some([b'.' | b',', run @ ..]) = scan.text.get(scan.at..end) else {
                return Err(TimeFault::Mismatch);
            };
            if !run.iter().all(u8::is_ascii_digit) {
                return Err(TimeFault::Mismatch);
            }
            fields.nanos = fraction_nanos(run);
            scan.at = end;
        }
        Part::LooseFraction { .. } | Part::UnaskedFraction => {
            if let Some(nanos) = scan.marked_fraction() {
                fields.nanos = nanos;
            }
        }
        Part::Offset { shape, reads_z, .. } => {
            let zulu = reads_z && scan.take(b'Z');
            fields.offset = Some(if zulu { 0 } else { scan.offset(shape)? });
        }
        Part::ZoneName { signed } => {
            let start = scan.at;
            fields.zone_offset = scan.zone_name(signed)?;
            fields.zone_name = (start, scan.at);
        }
        Part::Blank { .. } => {
            let rest = &scan.text[scan.at..];
            let run = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
            if run == 0 {
                return Err(TimeFault::Mismatch);
            }
            scan.at += run;
        }
        Part::UnixSeconds => {
            let secs = scan.number(1, 10)?;
            (fields.year, fields.month, fields.day) = civil_from_days(secs / 86_400);
            fields.hour = secs % 86_400 / 3_600;
            fields.noon_is_zero = false;
            fields.minute = secs % 3_600 / 60;
            fields.second = secs % 60;
        }
    }
    Ok(())
}

fn set_field(field: Field, value: i64, fields: &mut Fields) -> Result<(), TimeFault> {
    match field {
        Field::Year | Field::IsoYear => fields.year = value,
        Field::ShortYear => fields.year = if value < 69 { 2000 + value } else { 1900 + value },
        Field::Century => fields.century = Some(value),
        Field::IsoShortYear => fields.year = 2000 + value,
        Field::Month => fields.month = value,
        Field::Day => fields.day = value,
        Field::YearDay => fields.year_day = Some(value),
        Field::Hour => {
            fields.hour = value;
            fields.noon_is_zero = false;
        }
        Field::HalfDayHour | Field::ClockHour => {
            if value > 12 {
                return Err(TimeFault::Calendar);
            }
            fields.hour = value;
            fields.noon_is_zero = field == Field::HalfDayHour;
        }
        Field::Minute => fields.minute = value,
        Field::Second => fields.second = value,
        Field::IsoWeek | Field::WeekFromSunday | Field::WeekFromMonday => {}
        Field::WeekdayFromSunday if value <= 6 => {}
        Field::WeekdayFromMonday if (1..=7).contains(&value) => {}
        Field::WeekdayFromSunday | Field::WeekdayFromMonday => return Err(TimeFault::Mismatch),
    }
    Ok(())
}

fn finish(fields: Fields) -> Result<Instant, TimeFault> {
    let Fields { month, day, minute, second, nanos, .. } = fields;
    let year = match fields.century {
        Some(century) => century * 100 + fields.year % 100,
        None => fields.year,
    };
    let hour = match (fields.hour, fields.afternoon) {
        (hour, Some(true)) if hour < 12 => hour + 12,
        (12, Some(false)) => 0,
        (12, None) if fields.noon_is_zero => 0,
        (hour, _) => hour,
    };
    if hour > 23 || minute > 59 || second > 59 {
        return Err(TimeFault::Calendar);
    }
    let days = match fields.year_day {
        Some(year_day) => {
            let last = if is_leap(year) { 366 } else { 365 };
            if !(1..=9999).contains(&year) || !(1..=last).contains(&year_day) {
                return Err(calendar_fault(year));
            }
            days_from_civil(year, 1, 1) + year_day - 1
        }
        None => {
            if !valid_date(year, month, day) {
                return Err(calendar_fault(year));
            }
            days_from_civil(year, month, day)
        }
    };
    let offset = fields.offset.unwrap_or(fields.zone_offset);
    let secs = days * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    in_range(Instant { secs, nanos })
}

/// A place in a text, and the ways to step over what comes next.
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Scan<'a> {
        Scan { text, at: 0 }
    }

    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), TimeFault> {
        if self.take(byte) { Ok(()) } else { Err(TimeFault::Mismatch) }
    }

    pub(super) fn end(&self) -> Result<(), TimeFault> {
        if self.at == self.text.len() { Ok(()) } else { Err(TimeFault::Trailing) }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    pub(super) fn sign(&mut self) -> Option<i32> {
        if self.take(b'-') {
            Some(-1)
        } else if self.take(b'+') {
            Some(1)
        } else {
            None
        }
    }

    pub(super) fn digit_run(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let run = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += run;
        &rest[..run]
    }

    /// Between `min` and `max` digits; `max` is small enough for any field.
    pub(super) fn number(&mut self, min: u8, max: u8) -> Result<i64, TimeFault> {
        let mut value = 0;
        let mut count = 0;
        while count < max
            && let Some(byte @ b'0'..=b'9') = self.text.get(self.at)
        {
            value = value * 10 + i64::from(byte - b'0');
            self.at += 1;
            count += 1;
        }
        if count < min { Err(TimeFault::Mismatch) } else { Ok(value) }
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), TimeFault> {
        if !self.rest().starts_with(literal) {
            return Err(TimeFault::Mismatch);
        }
        self.at += literal.len();
        Ok(())
    }

    /// Go's literal: a run of blanks matches any run of blanks, or the end of the text.
    fn loose_literal(&mut self, literal: &[u8]) -> Result<(), TimeFault> {
        let mut after_blank = false;
        for byte in literal {
            if *byte != b' ' {
                self.expect(*byte)?;
            } else if !after_blank {
                if self.at < self.text.len() {
                    self.expect(b' ')?;
                }
                while self.take(b' ') {}
            }
            after_blank = *byte == b' ';
        }
        Ok(())
    }

    fn name(&mut self, names: &[&str], long: bool) -> Result<i64, TimeFault> {
        for (name, index) in names.iter().zip(0..) {
            let wanted = if long { name.as_bytes() } else { &name.as_bytes()[..3] };
            let found = self.rest().get(..wanted.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)) {
                self.at += wanted.len();
                return Ok(index);
            }
        }
        Err(TimeFault::Mismatch)
    }

    /// Whether the half of the day that is named is the second one.
    fn half_day(&mut self, upper: bool, any_case: bool) -> Result<bool, TimeFault> {
        let afternoon = match (self.rest(), upper) {
            ([b'P', b'M', ..], true) | ([b'p', b'm', ..], false) => true,
            ([b'A', b'M', ..], true) | ([b'a', b'm', ..], false) => false,
            ([b'P' | b'p', b'M' | b'm', ..], _) if any_case => true,
            ([b'A' | b'a', b'M' | b'm', ..], _) if any_case => false,
            _ => return Err(TimeFault::Mismatch),
        };
        self.at += 2;
        Ok(afternoon)
    }

    /// A point or a comma and digits; nothing is taken where they are not both there.
    pub(super) fn marked_fraction(&mut self) -> Option<u32> {
        let [b'.' | b',', b'0'..=b'9', ..] = self.rest() else {
            return None;
        };
        self.at += 1;
        Some(fraction_nanos(self.digit_run()))
    }

    /// Seconds east of UTC. The limits are Go's, which lets 24 hours and 60 minutes pass.
    pub(super) fn offset(&mut self, shape: OffsetShape) -> Result<i64, TimeFault> {
        let sign = i64::from(self.sign().ok_or(TimeFault::Mismatch)?);
        let hours = self.number(2, 2)?;
        let (mut minutes, mut seconds) = (0, 0);
        match shape {
            OffsetShape::Hour => {}
            OffsetShape::HourMinute => minutes = self.number(2, 2)?,
            OffsetShape::HourMinuteSecond => {
                minutes = self.number(2, 2)?;
                seconds = self.number(2, 2)?;
            }
            OffsetShape::HourColonMinute | OffsetShape::HourColonMinuteColonSecond => {
                self.expect(b':')?;
                minutes = self.number(2, 2)?;
                if shape == OffsetShape::HourColonMinuteColonSecond {
                    self.expect(b':')?;
                    seconds = self.number(2, 2)?;
                }
            }
            OffsetShape::Any => {
                if self.take(b':') {
                    minutes = self.number(2, 2)?;
                    if let [b':', b'0'..=b'9', b'0'..=b'9', ..] = self.rest() {
                        self.at += 1;
                        seconds = self.number(2, 2)?;
                    }
                } else if let [b'0'..=b'9', b'0'..=b'9', ..] = self.rest() {
                    minutes = self.number(2, 2)?;
                }
            }
        }
        if hours > 24 || minutes > 60 || seconds > 60 {
            return Err(TimeFault::Calendar);
        }
        Ok(sign * (hours * 3_600 + minutes * 60 + seconds))
    }

    /// The offset a zone name stands for. Abbreviations are ambiguous and no zone database is
    /// read, so every one of them counts as UTC, as in Go; only GMT+3 and +03 say what they mean.
    fn zone_name(&mut self, signed: bool) -> Result<i64, TimeFault> {
        let rest = self.rest();
        if signed && let [b'+' | b'-', ..] = rest {
            return self.zone_hours()?.ok_or(TimeFault::Mismatch);
        }
        if signed && (rest.starts_with(b"ChST") || rest.starts_with(b"MeST")) {
            self.at += 4;
            return Ok(0);
        }
        if signed && rest.starts_with(b"UTC") {
            self.at += 3;
            return Ok(0);
        }
        if signed && rest.starts_with(b"GMT") {
            self.at += 3;
            return Ok(self.zone_hours()?.unwrap_or(0));
        }
        let upper = rest.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
        let known = match upper {
            3 => true,
            4 => rest[3] == b'T' || rest.starts_with(b"WITA"),
            5 => rest[4] == b'T',
            _ => false,
        };
        if !known {
            return Err(TimeFault::Mismatch);
        }
        self.at += upper;
        Ok(0)
    }

    /// The hours of GMT+3: a sign and a number to 23. Anything else is left in the text.
    fn zone_hours(&mut self) -> Result<Option<i64>, TimeFault> {
        let start = self.at;
        let Some(sign) = self.sign() else {
            return Ok(None);
        };
        let digits = self.digit_run();
        let hours = digits.iter().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(99));
        if digits.is_empty() || hours > 23 {
            self.at = start;
            return Ok(None);
        }
        Ok(Some(i64::from(sign) * hours * 3_600))
    }
}

/// Digits after the point as nanoseconds; the tenth digit and on are cut.
fn fraction_nanos(digits: &[u8]) -> u32 {
    let mut nanos = 0;
    let mut unit = 100_000_000;
    for digit in digits.iter().take(9) {
        nanos += u32::from(digit - b'0') * unit;
        unit /= 10;
    }
    nanos
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::time::LAYOUT_PREFIX;
    use crate::ops::time::tests::{number, stored, string};

    #[test]
    fn strftime_reads() {
        let facts = [
            ("%Y-%m-%d %H:%M:%S", "2020-06-02 00:01:07", "2020-06-02 00:01:07.000000000"),
            ("%Y-%m-%d %H:%M:%S", "2020-6-2 0:1:7", "2020-06-02 00:01:07.000000000"),
            ("%Y-%m-%d %H:%M:%S", "2020-06-02T00:01:07", "Mismatch"),
            ("%Y-%m-%d %H:%M:%S", "2020-06-02 00:01:07 ", "Trailing"),
            ("%Y-%m-%d %H:%M:%S", "2020-06-02 24:00:00", "Calendar"),
            ("%Y-%m-%d", "2020-02-30", "Calendar"),
            ("%Y-%m-%d", "0000-02-03", "Range"),
            // %f takes one to six digits as a fraction; a seventh is left over.
            ("%H:%M:%S.%f", "03:04:05.5", "1900-01-01 03:04:05.500000000"),
            ("%H:%M:%S.%f", "03:04:05.123456", "1900-01-01 03:04:05.123456000"),
            ("%H:%M:%S.%f", "03:04:05.1234567", "Trailing"),
            ("%H:%M:%S.%fZ", "03:04:05.1234567Z", "Mismatch"),
            ("%H:%M:%S.%f000", "03:04:05.123456000", "1900-01-01 03:04:05.123456000"),
            ("%H:%M:%S.%N", "03:04:05.123456789", "1900-01-01 03:04:05.123456789"),
            ("%H:%M:%S.%N", "03:04:05.12", "1900-01-01 03:04:05.120000000"),
            ("%H:%M:%S.%N", "03:04:05.", "Mismatch"),
            ("%b %d %H:%M:%S", "Jan 2 03:04:05", "1900-01-02 03:04:05.000000000"),
            ("%b %d %H:%M:%S", "Jan  2 03:04:05", "Mismatch"),
            ("%b %e %H:%M:%S", "Jan  2 03:04:05", "1900-01-02 03:04:05.000000000"),
            ("%b %e %k:%M", "jAN 12  3:04", "1900-01-12 03:04:00.000000000"),
            ("%h %d", "May 3", "1900-05-03 00:00:00.000000000"),
            ("%B %d %Y", "september 03 2020", "2020-09-03 00:00:00.000000000"),
            ("%B %d %Y", "Sep 03 2020", "Mismatch"),
            ("%A, %d %b %Y", "thursday, 02 Jan 2020", "2020-01-02 00:00:00.000000000"),
            // A wrong weekday is read and ignored.
            ("%a %d %b %Y", "Fri 02 Jan 2020", "2020-01-02 00:00:00.000000000"),
            ("%a %b %e %I:%M:%S %p %Y", "Thu Jan  2 03:04:05 PM 2020", "2020-01-02 15:04:05.000000000"),
            ("%I %p", "12 am", "1900-01-01 00:00:00.000000000"),
            ("%I %P", "12 PM", "1900-01-01 12:00:00.000000000"),
            ("%I %H", "11 12", "1900-01-01 12:00:00.000000000"),
            ("%l", "12", "1900-01-01 00:00:00.000000000"),
            ("%l%p", " 1pm", "1900-01-01 13:00:00.000000000"),
            ("%I", "13", "Calendar"),
            ("%H %p", "15 PM", "1900-01-01 15:00:00.000000000"),
            ("%y%m%d", "200102", "2020-01-02 00:00:00.000000000"),
            ("%y", "68", "2068-01-01 00:00:00.000000000"),
            ("%y", "69", "1969-01-01 00:00:00.000000000"),
            ("%C%y", "0099", "0099-01-01 00:00:00.000000000"),
            ("%C%y", "1920", "1920-01-01 00:00:00.000000000"),
            ("%Y.%j", "2020.366", "2020-12-31 00:00:00.000000000"),
            ("%Y.%j", "2019.366", "Calendar"),
            ("%Y.%j", "2019.0", "Calendar"),
            ("%Y %U %d", "2019 52 3", "2019-01-03 00:00:00.000000000"),
            ("%w %u %d", "0 7 3", "1900-01-03 00:00:00.000000000"),
            ("%w", "7", "Mismatch"),
            ("%u", "0", "Mismatch"),
            ("%s", "1591056067", "2020-06-02 00:01:07.000000000"),
            ("%s.%f", "1591056067.25", "2020-06-02 00:01:07.250000000"),
            ("%s", "-1", "Mismatch"),
            ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10 20:55:36.000000000"),
            ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -07:00", "2000-10-10 20:55:36.000000000"),
            ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 Z", "2000-10-10 13:55:36.000000000"),
            ("%Y %z", "2000 +01", "1999-12-31 23:00:00.000000000"),
            ("%Y %z", "2000 +01:00:30", "1999-12-31 22:59:30.000000000"),
            ("%Y %z", "2000 01:00", "Mismatch"),
            ("%Y %z", "2000 +1", "Mismatch"),
            ("%Y %z", "2000 +01:", "Mismatch"),
            ("%Y %z", "2000 +9900", "Calendar"),
            ("%Y %:z", "2000 +01:30", "1999-12-31 22:30:00.000000000"),
            ("%Y %:z", "2000 +0130", "Mismatch"),
            ("%Y %::z", "2000 +01:30:15", "1999-12-31 22:29:45.000000000"),
            ("%Y %::z", "2000 +01:30", "Mismatch"),
            ("%Y %Z", "2000 UTC", "2000-01-01 00:00:00.000000000"),
            // An abbreviation is no offset: PST counts as UTC.
            ("%Y %Z", "2000 PST", "2000-01-01 00:00:00.000000000"),
            ("%Y %z (%Z)", "2000 +0100 (CET)", "1999-12-31 23:00:00.000000000"),
            ("%Y %Z", "2000 CEST", "2000-01-01 00:00:00.000000000"),
            ("%Y %Z", "2000 pst", "Mismatch"),
            ("%Y %Z", "2000 Z", "Mismatch"),
            ("%Y %Z", "2000 GMT+3", "Trailing"),
            ("%Y%t%m%n%d", "2000 \t1\n2", "2000-01-02 00:00:00.000000000"),
            ("%Y%t%m", "20001", "Mismatch"),
            ("%Y%%%m", "2000%1", "2000-01-01 00:00:00.000000000"),
            ("%F %T", "2000-01-02 03:04:05", "2000-01-02 03:04:05.000000000"),
            ("%D %R", "01/02/00 03:04", "2000-01-02 03:04:00.000000000"),
            ("%x %X", "01/02/00 03:04:05", "2000-01-02 03:04:05.000000000"),
            ("%v %r", " 2-Jan-2000 03:04:05 PM", "2000-01-02 15:04:05.000000000"),
            ("%c", "Sun Jan  2 03:04:05 2000", "2000-01-02 03:04:05.000000000"),
            ("%+", "Sun Jan  2 03:04:05 UTC 2000", "2000-01-02 03:04:05.000000000"),
            ("Zeit %Y", "Zeit 2000", "2000-01-01 00:00:00.000000000"),
            ("%Y年%m月", "2000年02月", "2000-02-01 00:00:00.000000000"),
            ("%Y", "", "Empty"),
        ];
        for (name, text, expected) in facts {
            assert_eq!(stored(string(name, text)), expected, "{name} {text:?}");
        }
        assert_eq!(number("%Y", "2020"), Err(TimeFault::NotString));
    }

    #[test]
    fn layouts_read() {
        let facts = [
            ("2006-01-02", "2020-01-02", "2020-01-02 00:00:00.000000000"),
            ("2006-01-02", "2020-1-2", "Mismatch"),
            ("2006-1-2", "2020-1-02", "2020-01-02 00:00:00.000000000"),
            ("2006-01-02 15:04:05", "2020-01-02 3:04:05.25", "2020-01-02 03:04:05.250000000"),
            ("2006-01-02 15:04:05", "2020-01-02   13:04:05", "2020-01-02 13:04:05.000000000"),
            ("01/02/2006 15:04:05.999", "06/02/2020 00:01:07", "2020-06-02 00:01:07.000000000"),
            ("01/02/2006 15:04:05.999", "06/02/2020 00:01:07.1234567", "2020-06-02 00:01:07.123456700"),
            ("2006 15:04:05.000", "2020 00:01:07.123", "2020-01-01 00:01:07.123000000"),
            ("2006 15:04:05.000", "2020 00:01:07,123", "2020-01-01 00:01:07.123000000"),
            ("2006 15:04:05.000", "2020 00:01:07.12", "Mismatch"),
            ("2006 15:04:05.000", "2020 00:01:07.1234", "Trailing"),
            ("2006 15:04:05,000", "2020 00:01:07,123", "2020-01-01 00:01:07.123000000"),
            (
                "Mon, 02 Jan 2006 15:04:05 MST",
                "Tue, 02 Jun 2020 00:01:07 GMT",
                "2020-06-02 00:01:07.000000000",
            ),
            (
                "Mon, 02 Jan 2006 15:04:05 MST",
                "tue, 02 jun 2020 00:01:07 PST",
                "2020-06-02 00:01:07.000000000",
            ),
            ("2006 MST", "2020 GMT+3", "2019-12-31 21:00:00.000000000"),
            ("2006 MST", "2020 GMT+24", "Trailing"),
            ("2006 MST", "2020 +03", "2019-12-31 21:00:00.000000000"),
            ("2006 -0700 MST", "2020 +0100 CET", "2019-12-31 23:00:00.000000000"),
            ("2006 MST-07:00", "2020 UTC+10:00", "2019-12-31 14:00:00.000000000"),
            ("2006 MST", "2020 ChST", "2020-01-01 00:00:00.000000000"),
            ("2006 MST", "2020 WITA", "2020-01-01 00:00:00.000000000"),
            ("2006 MST", "2020 ABCD", "Mismatch"),
            ("2006 MST", "2020 ABCDT", "2020-01-01 00:00:00.000000000"),
            ("2006 MST", "2020 Pst", "Mismatch"),
            ("Monday January 2 2006", "Tuesday June 2 2020", "2020-06-02 00:00:00.000000000"),
            ("Jan _2 2006", "Jun  2 2020", "2020-06-02 00:00:00.000000000"),
            ("Jan _2 2006", "Jun 12 2020", "2020-06-12 00:00:00.000000000"),
            ("Jan _2 15:04:05", "Jun  2 00:01:07", "1900-06-02 00:01:07.000000000"),
            ("2006 __2", "2020  33", "2020-02-02 00:00:00.000000000"),
            ("2006 002", "2020 033", "2020-02-02 00:00:00.000000000"),
            ("2006 002", "2020 33", "Mismatch"),
            ("06", "68", "2068-01-01 00:00:00.000000000"),
            ("06", "69", "1969-01-01 00:00:00.000000000"),
            ("2006 3:4:5 PM", "2020 3:4:5 PM", "2020-01-01 15:04:05.000000000"),
            ("2006 03:04:05 pm", "2020 12:04:05 am", "2020-01-01 00:04:05.000000000"),
            ("2006 03 PM", "2020 03 pm", "Mismatch"),
            ("2006 03 PM", "2020 3 PM", "Mismatch"),
            ("2006 03 PM", "2020 13 PM", "Calendar"),
            ("2006 03", "2020 12", "2020-01-01 12:00:00.000000000"),
            ("2006 -0700", "2020 +0130", "2019-12-31 22:30:00.000000000"),
            ("2006 -0700", "2020 +01:30", "Mismatch"),
            ("2006 -0700", "2020 Z", "Mismatch"),
            ("2006 -07:00", "2020 -01:30", "2020-01-01 01:30:00.000000000"),
            ("2006 -07", "2020 -01", "2020-01-01 01:00:00.000000000"),
            ("2006 Z0700", "2020 Z", "2020-01-01 00:00:00.000000000"),
            ("2006 Z0700", "2020 +0130", "2019-12-31 22:30:00.000000000"),
            ("2006 Z07:00", "2020 +01:30", "2019-12-31 22:30:00.000000000"),
            ("2006 Z07", "2020 +01", "2019-12-31 23:00:00.000000000"),
            ("2006 -070000", "2020 +013015", "2019-12-31 22:29:45.000000000"),
            ("2006 Z07:00:00", "2020 +01:30:15", "2019-12-31 22:29:45.000000000"),
            ("x_2006", "x_2020", "2020-01-01 00:00:00.000000000"),
            ("Month 2006", "Month 2020", "2020-01-01 00:00:00.000000000"),
            ("2006 at", "2020 at", "2020-01-01 00:00:00.000000000"),
            ("2006 at", "2020 it", "Mismatch"),
            ("2006-02-01", "2020-31-02", "Calendar"),
        ];
        for (layout, text, expected) in facts {
            let name = format!("{LAYOUT_PREFIX}{layout}");
            assert_eq!(stored(string(&name, text)), expected, "{layout} {text:?}");
        }
        assert_eq!(number("layout=2006", "2020"), Err(TimeFault::NotString));
    }
}
