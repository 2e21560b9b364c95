//! Owns which time formats read all texts or numbers of a place; refuses to know names of fields.

use std::sync::OnceLock;

use crate::ops::time::{self, TimeFormat};

/// The text formats that are tried, by preference. Years must be written: a time without one
/// would be of the year 1900. Of each pair that only a day above 12 tells apart, the one with the
/// month first stands first.
const TEXT: &[&str] = &[
    "rfc3339",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "layout=2006-01-02 15:04:05.999999999",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%S.%f",
    "layout=2006-01-02T15:04:05.999999999",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S.%f %z",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M:%S.%f UTC",
    "layout=2006-01-02 15:04:05.999999999 -0700 MST",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S.%f",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S.%f",
    "%d/%m/%Y %H:%M:%S.%f",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S GMT",
    "%a, %d %b %Y %H:%M:%S UTC",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %e %H:%M:%S %Y",
    "%a %b %e %H:%M:%S UTC %Y",
    "%b %e %Y %H:%M:%S",
    "%b %e, %Y %H:%M:%S",
    "%b %e, %Y %I:%M:%S %p",
    "%b %e, %Y",
];

/// The most formats that one field is given.
const MOST: usize = 4;

fn formats() -> &'static [TimeFormat] {
    static FORMATS: OnceLock<Vec<TimeFormat>> = OnceLock::new();
    FORMATS.get_or_init(|| TEXT.iter().filter_map(|name| TimeFormat::parse(name).ok()).collect())
}

/// Which formats read the texts of a place: one bit each, in sets that each read some text.
#[derive(Debug, Default)]
pub(super) struct Times {
    sets: Vec<u64>,
    /// Some text is no time.
    no: bool,
}

impl Times {
    pub(super) fn learn(&mut self, text: &str) {
        if self.no {
            return;
        }
        // A set that is known to read texts of this place is tried before all others.
        for set in &mut self.sets {
            let both = reading(text, *set);
            if both != 0 {
                *set = both;
                return;
            }
        }
        let set = match (8..=48).contains(&text.len()) && text.bytes().any(|b| b.is_ascii_digit()) {
            true => reading(text, u64::MAX),
            false => 0,
        };
        if set == 0 || self.sets.len() == MOST {
            self.no = true;
            self.sets = Vec::new();
        } else {
            self.sets.push(set);
        }
    }

    /// The formats that together read every text, and whether the days could as well be months.
    pub(super) fn found(&self) -> Option<(Vec<&'static str>, bool)> {
        let mut names = Vec::new();
        let mut unsure = false;
        for set in &self.sets {
            let name = TEXT[set.trailing_zeros() as usize];
            unsure |= name.starts_with("%m/%d") && set.count_ones() > 1;
            names.push(name);
        }
        // Texts of both orders: which one an ambiguous text has cannot be known.
        let has = |start: &str| names.iter().any(|n| n.starts_with(start));
        if has("%m/%d") && has("%d/%m") {
            return None;
        }
        (!names.is_empty()).then_some((names, unsure))
    }

    /// Every text was RFC 3339.
    pub(super) fn rfc3339(&self) -> bool {
        matches!(self.sets.as_slice(), [set] if set & 1 == 1)
    }
}

fn reading(text: &str, among: u64) -> u64 {
    let mut set = 0;
    for (i, format) in formats().iter().enumerate() {
        if among >> i & 1 == 1 && time::read(format, text, true).is_ok() {
            set |= 1 << i;
        }
    }
    set
}

/// Of which unit since 1970 the numbers of a place are, if they lie between 2000 and 2100.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Numbers of each unit: s, ms, us, ns.
    of: [u64; 4],
    other: u64,
    broken: u64,
}

const FIRST: f64 = 946_684_800.0;
const LAST: f64 = 4_102_444_800.0;
const UNITS: [(&str, f64); 4] = [("unix", 1.0), ("unix_ms", 1e3), ("unix_us", 1e6), ("unix_ns", 1e9)];

impl Units {
    pub(super) fn learn(&mut self, n: f64, whole: bool) {
        self.broken += !whole as u64;
        let unit = UNITS.iter().position(|(_, factor)| n >= FIRST * factor && n < LAST * factor);
        match unit {
            Some(i) => self.of[i] += 1,
            // A zero stands for no time at all, in any unit.
            None => self.other += (n != 0.0) as u64,
        }
    }

    /// The format that reads them all.
    pub(super) fn found(&self) -> Option<&'static str> {
        let units: Vec<usize> = (0..4).filter(|i| self.of[*i] > 0).collect();
        match units.as_slice() {
            _ if self.other > 0 => None,
            [0] => Some("unix"),
            [one] if self.broken == 0 => Some(UNITS[*one].0),
            [_, _, ..] if self.broken == 0 => Some("unix_auto"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_one() {
        for name in TEXT {
            assert!(TimeFormat::parse(name).is_ok(), "{name}");
        }
        assert!(TEXT.len() <= 64, "one bit each");
    }

    fn found(texts: &[&str]) -> Option<Vec<&'static str>> {
        let mut times = Times::default();
        texts.iter().for_each(|t| times.learn(t));
        times.found().map(|(names, _)| names)
    }

    #[test]
    fn texts_tell_their_format() {
        assert_eq!(found(&["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123+01:00"]), Some(vec!["rfc3339"]));
        assert_eq!(found(&["2026-01-02 03:04:05"]), Some(vec!["%Y-%m-%d %H:%M:%S"]));
        assert_eq!(found(&["2026-01-02 03:04:05.123456"]), Some(vec!["%Y-%m-%d %H:%M:%S.%f"]));
        let mixed = ["2026-01-02 03:04:05", "2026-01-02 03:04:05.5"];
        assert!(found(&mixed).is_some_and(|f| !f.is_empty()), "{:?}", found(&mixed));
        assert_eq!(found(&["02/Jan/2026:03:04:05 +0000"]), Some(vec!["%d/%b/%Y:%H:%M:%S %z"]));
        assert_eq!(found(&["Fri, 02 Jan 2026 03:04:05 GMT"]), Some(vec!["%a, %d %b %Y %H:%M:%S GMT"]));
        assert_eq!(found(&["01/02/2026 03:04:05", "13/02/2026 03:04:05"]), Some(vec!["%d/%m/%Y %H:%M:%S"]));
        assert_eq!(
            found(&["2026-01-02T03:04:05Z", "2026-01-02 03:04:05"]),
            Some(vec!["rfc3339", "%Y-%m-%d %H:%M:%S"])
        );
        assert_eq!(found(&["2026-01-02T03:04:05Z", "soon"]), None);
        assert_eq!(found(&["Jan  2 03:04:05"]), None, "no year");
        assert_eq!(found(&["20260102"]), None, "as much a number");
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn numbers_tell_their_unit() {
        let found = |numbers: &[f64]| {
            let mut units = Units::default();
            numbers.iter().for_each(|n| units.learn(*n, n.fract() == 0.0));
            units.found()
        };
        assert_eq!(found(&[1767225600.0, 0.0]), Some("unix"));
        assert_eq!(found(&[1767225600.5]), Some("unix"));
        assert_eq!(found(&[1767225600000.0]), Some("unix_ms"));
        assert_eq!(found(&[1767225600000000.0]), Some("unix_us"));
        assert_eq!(found(&[1767225600000000000.0]), Some("unix_ns"));
        assert_eq!(found(&[1767225600.0, 1767225600000.0]), Some("unix_auto"));
        assert_eq!(found(&[1767225600.0, 12.0]), None);
        assert_eq!(found(&[0.0]), None);
    }
}
