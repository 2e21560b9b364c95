//! Owns compiled patterns: the steps that strftime patterns and Go layouts are made of, and the
//! compilers of both languages; refuses to know instants and the texts that patterns read or write.

use super::LAYOUT_PREFIX;

/// A compiled strftime pattern or Go layout, with the name it was written under.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    pub(super) name: Box<str>,
    pub(super) steps: Box<[Step]>,
}

impl Pattern {
    pub(super) fn strftime(source: &str) -> Result<Pattern, String> {
        let steps = compile_strftime(source)?;
        Ok(Pattern { name: source.into(), steps })
    }

    /// A text of it says its offset, or needs none.
    pub(super) fn has_zone(&self) -> bool {
        let says = |step: &Step| {
            matches!(step, Step::Part(Part::Offset { .. } | Part::ZoneName { .. } | Part::UnixSeconds))
        };
        self.steps.iter().any(says)
    }

    /// The name keeps the prefix that tells a layout from a strftime pattern.
    pub(super) fn layout(layout: &str) -> Result<Pattern, String> {
        let steps = compile_layout(layout)?;
        Ok(Pattern { name: format!("{LAYOUT_PREFIX}{layout}").into(), steps })
    }
}

/// One step of a pattern. Both pattern languages compile to these steps, so there is one reader and one writer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Literal(Box<str>),
    /// Literal of a Go layout, where a run of blanks matches any other run of blanks.
    LooseLiteral(Box<str>),
    Part(Part),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Number(Number),
    Month {
        long: bool,
    },
    Weekday {
        long: bool,
    },
    HalfDay {
        upper: bool,
        any_case: bool,
    },
    /// `%f` and `%N`: digits of the fraction without a mark before them.
    BareFraction {
        digits: u8,
    },
    /// Go `.000`: the mark and exactly this many digits.
    FixedFraction {
        mark: u8,
        digits: u8,
    },
    /// Go `.999`: the mark and digits may be missing; trailing zeros are not written.
    LooseFraction {
        mark: u8,
        digits: u8,
    },
    /// Go takes a fraction after the second even where the layout has none.
    UnaskedFraction,
    Offset {
        shape: OffsetShape,
        writes_z: bool,
        reads_z: bool,
    },
    /// `%Z`: the letters of a zone. Go `MST` also takes GMT+3 and +03.
    ZoneName {
        signed: bool,
    },
    Blank {
        written: u8,
    },
    UnixSeconds,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Number {
    pub(super) field: Field,
    pub(super) min: u8,
    pub(super) max: u8,
    /// Leading blanks that may stand for missing digits.
    pub(super) blanks: u8,
    pub(super) width: u8,
    pub(super) pad: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Year,
    /// Two digits: 69 to 99 are the 1900s, 00 to 68 the 2000s.
    ShortYear,
    Century,
    IsoYear,
    /// Two digits, always the 2000s: strftime has no pivot here.
    IsoShortYear,
    Month,
    Day,
    YearDay,
    Hour,
    /// strftime `%I`: 12 is hour 0 unless a PM follows.
    HalfDayHour,
    /// Go `3`: 12 stays noon unless an AM follows.
    ClockHour,
    Minute,
    Second,
    IsoWeek,
    WeekFromSunday,
    WeekFromMonday,
    /// 0 is Sunday.
    WeekdayFromSunday,
    /// 7 is Sunday.
    WeekdayFromMonday,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OffsetShape {
    Hour,
    HourMinute,
    HourColonMinute,
    HourMinuteSecond,
    HourColonMinuteColonSecond,
    /// `%z`: +hh, +hhmm, +hh:mm or +hh:mm:ss.
    Any,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const fn zeros(field: Field, min: u8, max: u8, width: u8) -> Part {
    Part::Number(Number { field, min, max, blanks: 0, width, pad: b'0' })
}

const fn blanks(field: Field, blanks: u8, max: u8) -> Part {
    Part::Number(Number { field, min: 1, max, blanks, width: max, pad: b' ' })
}

const fn offset(shape: OffsetShape, writes_z: bool, reads_z: bool) -> Part {
    Part::Offset { shape, writes_z, reads_z }
}

fn push_literal(steps: &mut Vec<Step>, literal: &mut String, loose: bool) {
    if !literal.is_empty() {
        let text = std::mem::take(literal).into_boxed_str();
        steps.push(if loose { Step::LooseLiteral(text) } else { Step::Literal(text) });
    }
}

fn compile_strftime(source: &str) -> Result<Box<[Step]>, String> {
    let mut steps = Vec::new();
    let mut literal = String::new();
    expand_strftime(source, source, &mut steps, &mut literal)?;
    push_literal(&mut steps, &mut literal, false);
    let has =
        |wanted: fn(&Part) -> bool| steps.iter().any(|step| matches!(step, Step::Part(part) if wanted(part)));
    if steps.iter().all(|step| matches!(step, Step::Literal(_))) {
        return Err(format!("time format {source:?} has no directive"));
    }
    let week = has(|part| {
        matches!(
            part,
            Part::Number(Number {
                field: Field::IsoWeek | Field::WeekFromSunday | Field::WeekFromMonday,
                ..
            })
        )
    });
    let day = has(|part| {
        matches!(part, Part::UnixSeconds | Part::Number(Number { field: Field::Day | Field::YearDay, .. }))
    });
    // The directives of the week are read and then ignored, as strptime does; without a day the
    // result would be 1 January whatever the text says.
    if week && !day {
        return Err(format!("time format {source:?} names the day by its week only; add %d with %m, or %j"));
    }
    Ok(steps.into_boxed_slice())
}

fn expand_strftime(
    pattern: &str,
    source: &str,
    steps: &mut Vec<Step>,
    literal: &mut String,
) -> Result<(), String> {
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        literal.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(directive) = rest.chars().next() else {
            return Err(format!("time format {source:?} ends in a lone '%'"));
        };
        let mut length = directive.len_utf8();
        let part = match directive {
            '%' => {
                literal.push('%');
                None
            }
            ':' => {
                let (shape, spelled) = if rest.starts_with(":z") {
                    (OffsetShape::HourColonMinute, 2)
                } else if rest.starts_with("::z") {
                    (OffsetShape::HourColonMinuteColonSecond, 3)
                } else {
                    return Err(format!("time format {source:?}: expected 'z' after \"%:\""));
                };
                length = spelled;
                Some(offset(shape, false, true))
            }
            _ => match strftime_part(directive) {
                Some(part) => Some(part),
                None => {
                    let composite = match directive {
                        'c' => "%a %b %e %H:%M:%S %Y",
                        '+' => "%a %b %e %H:%M:%S %Z %Y",
                        'F' => "%Y-%m-%d",
                        'D' | 'x' => "%m/%d/%y",
                        'v' => "%e-%b-%Y",
                        'T' | 'X' => "%H:%M:%S",
                        'r' => "%I:%M:%S %p",
                        'R' => "%H:%M",
                        _ => return Err(unknown_directive(directive, source)),
                    };
                    expand_strftime(composite, source, steps, literal)?;
                    None
                }
            },
        };
        if let Some(part) = part {
            push_literal(steps, literal, false);
            steps.push(Step::Part(part));
        }
        rest = &rest[length..];
    }
    literal.push_str(rest);
    Ok(())
}

fn unknown_directive(directive: char, source: &str) -> String {
    let hint = match directive {
        '-' | '_' | '0' | '^' | '#' => {
            "; flags are not taken: %d, %m and %H already read one or two digits, and %e, %k and \
             %l read a leading blank"
        }
        'L' | '3' | '6' | '9' => "; a fraction of a second is %f (to 6 digits) or %N (to 9)",
        'i' => "; minutes are %M",
        _ => "",
    };
    format!("time format {source:?}: unknown directive %{directive}{hint}")
}

fn strftime_part(directive: char) -> Option<Part> {
    Some(match directive {
        'Y' => zeros(Field::Year, 1, 4, 4),
        'y' => zeros(Field::ShortYear, 1, 2, 2),
        'C' => zeros(Field::Century, 1, 2, 2),
        'G' => zeros(Field::IsoYear, 1, 4, 4),
        'g' => zeros(Field::IsoShortYear, 1, 2, 2),
        'm' => zeros(Field::Month, 1, 2, 2),
        'd' => zeros(Field::Day, 1, 2, 2),
        'e' => blanks(Field::Day, 1, 2),
        'j' => zeros(Field::YearDay, 1, 3, 3),
        'H' => zeros(Field::Hour, 1, 2, 2),
        'k' => blanks(Field::Hour, 1, 2),
        'I' => zeros(Field::HalfDayHour, 1, 2, 2),
        'l' => blanks(Field::HalfDayHour, 1, 2),
        'M' => zeros(Field::Minute, 1, 2, 2),
        'S' => zeros(Field::Second, 1, 2, 2),
        'V' => zeros(Field::IsoWeek, 1, 2, 2),
        'U' => zeros(Field::WeekFromSunday, 1, 2, 2),
        'W' => zeros(Field::WeekFromMonday, 1, 2, 2),
        'w' => zeros(Field::WeekdayFromSunday, 1, 1, 1),
        'u' => zeros(Field::WeekdayFromMonday, 1, 1, 1),
        'B' => Part::Month { long: true },
        'b' | 'h' => Part::Month { long: false },
        'A' => Part::Weekday { long: true },
        'a' => Part::Weekday { long: false },
        'p' => Part::HalfDay { upper: true, any_case: true },
        'P' => Part::HalfDay { upper: false, any_case: true },
        'f' => Part::BareFraction { digits: 6 },
        'N' => Part::BareFraction { digits: 9 },
        's' => Part::UnixSeconds,
        'z' => offset(OffsetShape::Any, false, true),
        'Z' => Part::ZoneName { signed: false },
        't' => Part::Blank { written: b'\t' },
        'n' => Part::Blank { written: b'\n' },
        _ => return None,
    })
}

/// The reference spellings of a Go layout, longer ones before their own beginnings.
const LAYOUT_PARTS: [(&str, Part); 33] = [
    ("January", Part::Month { long: true }),
    ("Jan", Part::Month { long: false }),
    ("Monday", Part::Weekday { long: true }),
    ("Mon", Part::Weekday { long: false }),
    ("MST", Part::ZoneName { signed: true }),
    ("002", zeros(Field::YearDay, 3, 3, 3)),
    ("01", zeros(Field::Month, 2, 2, 2)),
    ("02", zeros(Field::Day, 2, 2, 2)),
    ("03", zeros(Field::ClockHour, 2, 2, 2)),
    ("04", zeros(Field::Minute, 2, 2, 2)),
    ("05", zeros(Field::Second, 2, 2, 2)),
    ("06", zeros(Field::ShortYear, 2, 2, 2)),
    ("15", zeros(Field::Hour, 1, 2, 2)),
    ("1", zeros(Field::Month, 1, 2, 1)),
    ("2006", zeros(Field::Year, 4, 4, 4)),
    ("2", zeros(Field::Day, 1, 2, 1)),
    ("__2", blanks(Field::YearDay, 2, 3)),
    ("_2", blanks(Field::Day, 1, 2)),
    ("3", zeros(Field::ClockHour, 1, 2, 1)),
    ("4", zeros(Field::Minute, 1, 2, 1)),
    ("5", zeros(Field::Second, 1, 2, 1)),
    ("PM", Part::HalfDay { upper: true, any_case: false }),
    ("pm", Part::HalfDay { upper: false, any_case: false }),
    ("-070000", offset(OffsetShape::HourMinuteSecond, false, false)),
    ("-07:00:00", offset(OffsetShape::HourColonMinuteColonSecond, false, false)),
    ("-0700", offset(OffsetShape::HourMinute, false, false)),
    ("-07:00", offset(OffsetShape::HourColonMinute, false, false)),
    ("-07", offset(OffsetShape::Hour, false, false)),
    ("Z070000", offset(OffsetShape::HourMinuteSecond, true, true)),
    ("Z07:00:00", offset(OffsetShape::HourColonMinuteColonSecond, true, true)),
    ("Z0700", offset(OffsetShape::HourMinute, true, true)),
    ("Z07:00", offset(OffsetShape::HourColonMinute, true, true)),
    ("Z07", offset(OffsetShape::Hour, true, true)),
];

/// The part a layout has at its beginning, and the length of its spelling.
fn layout_part(layout: &str) -> Option<(usize, Part)> {
    // Go reads "_2006" as a literal "_" and the year, not as a padded day and "006".
    if layout.starts_with("_2006") {
        return None;
    }
    let bytes = layout.as_bytes();
    if let [mark @ (b'.' | b','), kind @ (b'0' | b'9'), ..] = *bytes {
        let run = bytes[1..].iter().take_while(|byte| **byte == kind).count();
        // A run that goes on in another digit is a literal mark and some other part.
        if bytes.get(1 + run).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let digits = u8::try_from(run).unwrap_or(u8::MAX);
        let part = match kind {
            b'0' => Part::FixedFraction { mark, digits },
            _ => Part::LooseFraction { mark, digits },
        };
        return Some((1 + run, part));
    }
    let (spelling, part) = LAYOUT_PARTS.iter().find(|(spelling, _)| layout.starts_with(spelling))?;
    // "Month" and "Janitor" are words, not a day and a month.
    let word =
        matches!(*spelling, "Jan" | "Mon") && bytes.get(spelling.len()).is_some_and(u8::is_ascii_lowercase);
    if word { None } else { Some((spelling.len(), *part)) }
}

fn compile_layout(layout: &str) -> Result<Box<[Step]>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut literal = String::new();
    let mut rest = layout;
    let mut after_second = false;
    while let Some(first) = rest.chars().next() {
        let Some((length, part)) = layout_part(rest) else {
            literal.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let fraction = matches!(part, Part::FixedFraction { .. } | Part::LooseFraction { .. });
        if after_second && !fraction {
            steps.push(Step::Part(Part::UnaskedFraction));
        }
        push_literal(&mut steps, &mut literal, true);
        steps.push(Step::Part(part));
        after_second = matches!(part, Part::Number(Number { field: Field::Second, .. }));
        rest = &rest[length..];
    }
    if steps.is_empty() {
        return Err(format!(
            "time format \"{LAYOUT_PREFIX}{layout}\" has no part of Go's reference time \
             Mon Jan 2 15:04:05 MST 2006"
        ));
    }
    if after_second {
        steps.push(Step::Part(Part::UnaskedFraction));
    }
    push_literal(&mut steps, &mut literal, true);
    Ok(steps.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use crate::ops::time::TimeFormat;

    #[test]
    fn faulty_patterns_are_explained() {
        let problems = [
            ("%", "lone '%'"),
            ("%Y%", "lone '%'"),
            ("100%%", "no directive"),
            ("%Q", "unknown directive %Q"),
            ("%-d", "flags are not taken"),
            ("%:Y", "expected 'z'"),
            ("%é", "unknown directive %é"),
            ("%G-W%V-%u", "by its week only"),
            ("layout=", "no part of Go's reference time"),
            ("layout=today", "no part of Go's reference time"),
        ];
        for (name, problem) in problems {
            let message = TimeFormat::parse(name).expect_err(name);
            assert!(message.contains(problem), "{name:?}: {message}");
        }
    }
}
