//! OTLP over HTTP.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER};

use super::answer::{Answer, status};
use super::client::Reply;

/// What an answer means.
pub(crate) fn answer(reply: &Reply, now: SystemTime) -> Answer {
    let is_protobuf =
        reply.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-protobuf"));
    if reply.status.is_success() {
        return Answer::taken(if is_protobuf { &reply.body } else { b"" });
    }
    let (said, after) = if is_protobuf { status(&reply.body) } else { (beginning(&reply.body), None) };
    let why = format!("{}{}{said}", reply.status, if said.is_empty() { "" } else { ": " });
    let is_busy = matches!(
        reply.status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    );
    if !is_busy {
        return Answer::Refused { why };
    }
    let asked = reply.headers.get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?, now));
    Answer::Busy { after: asked.or(after), why }
}

/// The first line of what is perhaps a page for people.
pub(crate) fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..200).unwrap_or(body));
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Reads `120` or `Wed, 21 Oct 2015 07:28:00 GMT`.
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(date(value)?))?;
    Some(at.duration_since(now).unwrap_or_default())
}

/// Seconds since 1970 of a date as HTTP writes it.
fn date(value: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = value.strip_suffix(" GMT")?.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let month = MONTHS.find(words.next().filter(|month| month.len() == 3)?)? as u64 / 3 + 1;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // A leap second is one.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days from a March on: Hinnant 2014, "chrono-Compatible Low-Level Date Algorithms".
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(719_468).map(|days| days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::body::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &'static [u8]) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a header"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        Reply { status, headers: map, trailers: HeaderMap::new(), body: Bytes::from_static(body) }
    }

    #[test]
    fn a_busy_server_says_for_how_long() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_400);
        for (value, expected) in [
            ("7", Some(7)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(80)),
            ("Tue, 29 Feb 2000 00:00:00 GMT", Some(0)),
            ("soon", None),
            ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
            ("Wed, 150000000000000 Oct 2015 07:28:00 GMT", None),
            ("Wed, 0 Oct 2015 07:28:00 GMT", None),
            ("Wed, 21 Oct 2015 18446744073709551615:28:00 GMT", None),
        ] {
            let found = answer(&reply(503, &[("retry-after", value)], b""), now);
            let expected =
                Answer::Busy { after: expected.map(Duration::from_secs), why: "503 Service Unavailable".to_owned() };
            assert_eq!(expected, found, "{value}");
        }
        assert_eq!(Some(951_782_400), date("Tue, 29 Feb 2000 00:00:00 GMT"));
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_is_read_without_a_panic(
            day in any::<u64>(), month in "[A-Z][a-z]{2}|Oct", year in any::<u64>(), clock in "[0-9]{1,20}:[0-9]{1,3}:[0-9]{1,3}",
        ) {
            let _ = retry_after(&format!("Wed, {day} {month} {year} {clock} GMT"), SystemTime::now());
            let _ = retry_after(&format!("Wed, 21 {month} 2015 {clock} GMT"), SystemTime::now());
        }
    }

    #[test]
    fn what_a_server_refuses_is_told() {
        let found = answer(&reply(404, &[("content-type", "text/html")], b"no such page\n<more>"), SystemTime::now());
        assert_eq!(Answer::Refused { why: "404 Not Found: no such page".to_owned() }, found);
    }
}
