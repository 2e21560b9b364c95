//! Owns the civil calendar: days, months, leap years and weeks, and the date and time of an instant;
//! refuses to know text, patterns and offsets from UTC.

use chrono::{Datelike, NaiveDate};

use super::{Instant, TimeFault};

/// A year no reader takes is worth telling apart from a day the calendar lacks.
pub(super) fn calendar_fault(year: i64) -> TimeFault {
    if (1..=9999).contains(&year) { TimeFault::Calendar } else { TimeFault::Range }
}

pub(super) fn valid_date(year: i64, month: i64, day: i64) -> bool {
    (1..=9999).contains(&year) && day >= 1 && day <= days_in_month(year, month)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 0,
    }
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01. The year is counted from March, so the leap day comes last and a month's
/// offset in its year is linear.
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of `days_from_civil`: year, month, day.
pub(super) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

pub(super) struct Civil {
    pub(super) days: i64,
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

pub(super) fn civil(instant: Instant) -> Civil {
    let days = instant.secs.div_euclid(86_400);
    let rest = instant.secs.rem_euclid(86_400);
    let (year, month, day) = civil_from_days(days);
    Civil { days, year, month, day, hour: rest / 3_600, minute: rest / 60 % 60, second: rest % 60 }
}

/// What `civil` says of the years 1970 to 9999: year, month, day, and second of the day.
#[inline]
pub(super) fn short_civil(instant: Instant) -> Option<(u32, u32, u32, u32)> {
    let secs = u64::try_from(instant.secs).ok().filter(|secs| *secs <= Instant::MAX.secs as u64)?;
    let (days, second) = ((secs / 86_400) as u32 + 719_468, (secs % 86_400) as u32);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Some((era * 400 + year_of_era + (month <= 2) as u32, month, day, second))
}

/// 0 is Sunday; 1970-01-01 was a Thursday.
pub(super) fn weekday(civil: &Civil) -> i64 {
    (civil.days + 4).rem_euclid(7)
}

pub(super) fn year_day(civil: &Civil) -> i64 {
    civil.days - days_from_civil(civil.year, 1, 1) + 1
}

/// ISO year and week. A date chrono cannot hold has none; the calendar year stands in for it.
pub(super) fn iso_week(civil: &Civil) -> (i64, i64) {
    let date = i32::try_from(civil.year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, civil.month as u32, civil.day as u32));
    match date {
        Some(date) => (date.iso_week().year().into(), date.iso_week().week().into()),
        None => (civil.year, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::time::tests::{chrono_of, instants};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn civil_days_agree_with_chrono(instant in instants()) {
            let date = chrono_of(instant).date_naive();
            let civil = civil(instant);
            prop_assert_eq!(
                (civil.year, civil.month, civil.day),
                (date.year().into(), date.month().into(), date.day().into())
            );
            prop_assert_eq!(days_from_civil(civil.year, civil.month, civil.day), civil.days);
        }
    }
}
