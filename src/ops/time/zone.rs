//! Owns time zones: naming one, and the instant that a local time in it means; refuses to know how
//! times are spelled.

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::Instant;
use crate::error::did_you_mean;

/// A place's rules, or one offset from UTC in seconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Zone {
    Named(TimeZone),
    Fixed(i32),
}

impl Zone {
    /// Reads `Europe/Berlin`, `UTC`, `Z`, `+02:00` or `-0530`.
    pub fn parse(text: &str) -> Result<Zone, String> {
        if text == "Z" {
            return Ok(Zone::Fixed(0));
        }
        if let Some(offset) = offset(text) {
            return Ok(Zone::Fixed(offset));
        }
        // The tables that are built in: a run gives the same on every machine.
        let known = TimeZoneDatabase::bundled();
        known.get(text).map(Zone::Named).map_err(|_| {
            let names: Vec<String> = known.available().map(|name| name.to_string()).collect();
            let help = did_you_mean(text, names.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| {
                "known are the names of the IANA list, as Europe/Berlin, and offsets, as +02:00".into()
            });
            format!("no time zone `{text}`; {help}")
        })
    }

    /// The instant of a local time, given as if it were UTC. Of a time that the clocks show twice
    /// it is the first; one that they skip counts on from the offset before.
    pub fn instant(&self, local: Instant) -> Instant {
        let offset = match self {
            Zone::Fixed(seconds) => *seconds,
            Zone::Named(zone) => match Timestamp::from_second(local.secs) {
                Ok(shown) => {
                    let ambiguous = zone.to_ambiguous_timestamp(Offset::UTC.to_datetime(shown));
                    match ambiguous.offset() {
                        AmbiguousOffset::Unambiguous { offset } => offset,
                        AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
                    }
                    .seconds()
                }
                Err(_) => 0,
            },
        };
        Instant { secs: local.secs - i64::from(offset), ..local }
    }
}

fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = digits[2..].parse().unwrap_or(0);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Zone::Named(zone) => f.write_str(zone.iana_name().unwrap_or("UTC")),
            Zone::Fixed(0) => f.write_str("UTC"),
            Zone::Fixed(seconds) => {
                let minutes = seconds.abs() / 60;
                let sign = if *seconds < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDateTime};

    use super::*;

    fn shown(zone: &str, local: &str) -> String {
        let naive = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").expect("a time");
        let instant = Zone::parse(zone)
            .expect("a zone")
            .instant(Instant { secs: naive.and_utc().timestamp(), nanos: 5 });
        assert_eq!(instant.nanos, 5);
        DateTime::from_timestamp(instant.secs, 0).expect("a time").format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn local_times() {
        for (zone, local, utc) in [
            ("Europe/Berlin", "2026-01-01 12:00", "2026-01-01 11:00"),
            ("Europe/Berlin", "2026-07-01 12:00", "2026-07-01 10:00"),
            // Shown twice, and skipped.
            ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),
            ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"),
            ("America/New_York", "2026-01-01 20:00", "2026-01-02 01:00"),
            ("+05:30", "2026-01-01 00:00", "2025-12-31 18:30"),
            ("-08", "2026-01-01 00:00", "2026-01-01 08:00"),
            ("Z", "2026-01-01 00:00", "2026-01-01 00:00"),
        ] {
            assert_eq!(shown(zone, local), utc, "{zone} {local}");
        }
    }

    #[test]
    fn names() {
        for (text, shown) in
            [("+0530", "+05:30"), ("-08", "-08:00"), ("Z", "UTC"), ("Asia/Tokyo", "Asia/Tokyo")]
        {
            assert_eq!(Zone::parse(text).expect("a zone").to_string(), shown);
        }
        for (text, says) in [
            ("Europe/Berln", "no time zone `Europe/Berln`; did you mean `Europe/Berlin`?"),
            ("+25:00", "no time zone `+25:00`; known are"),
            ("", "no time zone ``; known are"),
        ] {
            assert!(Zone::parse(text).expect_err(text).starts_with(says), "{text}");
        }
    }
}
