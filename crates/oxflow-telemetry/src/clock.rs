//! The time of day, as OTLP has it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A time as people write it, of Greenwich.
struct Civil {
    year: u64,
    /// From 1.
    month: u64,
    day: u64,
    /// From Sunday, 0.
    weekday: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Civil {
    fn of(seconds: u64) -> Self {
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // Years that begin in March: Hinnant 2014, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        // The first one was a Thursday.
        let weekday = (days + 4) % 7;
        Self { year, month, day, weekday, hour: second / 3600, minute: second / 60 % 60, second: second % 60 }
    }

    fn at(time: SystemTime) -> Self {
        Self::of(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}

/// A time as `2026-11-27T05:38:40.123456Z`.
pub(crate) fn shown(time_ns: u64) -> String {
    let Civil { year, month, day, hour, minute, second, .. } = Civil::of(time_ns / 1_000_000_000);
    let micros = time_ns / 1000 % 1_000_000;
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// A time as HTTP has it, `Fri, 27 Nov 2026 05:38:40 GMT`.
pub(crate) fn http(time: SystemTime) -> String {
    const NAMES: &str = "SunMonTueWedThuFriSatJanFebMarAprMayJunJulAugSepOctNovDec";
    let name = |number: u64| NAMES.chars().skip(usize::try_from(number * 3).unwrap_or_default()).take(3);
    let Civil { year, month, day, weekday, hour, minute, second } = Civil::at(time);
    let (weekday, month): (String, String) = (name(weekday).collect(), name(month + 6).collect());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// A time in ISO 8601's basic form, `20261127T053840Z`.
pub(crate) fn basic(time: SystemTime) -> String {
    let Civil { year, month, day, hour, minute, second, .. } = Civil::at(time);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_as_it_is_written() {
        assert_eq!("1970-01-01T00:00:00.000000Z", shown(0));
        assert_eq!("2000-02-29T23:59:59.000001Z", shown(951_868_799_000_001_000));
        assert_eq!("2026-11-27T05:38:40.123456Z", shown(1_795_757_920_123_456_789));
        let time = UNIX_EPOCH + std::time::Duration::from_secs(1_795_757_920);
        assert_eq!("Fri, 27 Nov 2026 05:38:40 GMT", http(time));
        assert_eq!("20261127T053840Z", basic(time));
    }
}
