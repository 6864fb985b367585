//! OTLP over gRPC. A call that sends one message and gets one is a request of HTTP/2: five bytes before the message, and the
//! status in the trailers.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::{HeaderMap, StatusCode};

use super::answer::{Answer, status};
use super::client::Reply;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Codes that a caller may try again, as the specification of OTLP lists them.
const BUSY: [u32; 6] = [1, 4, 10, 11, 14, 15];
const RESOURCE_EXHAUSTED: u32 = 8;

/// The message with what gRPC wants before it.
pub(crate) fn framed(message: &[u8], is_compressed: bool) -> Vec<u8> {
    let len = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut framed = Vec::with_capacity(message.len() + 5);
    framed.push(u8::from(is_compressed));
    framed.extend_from_slice(&len.to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// What an answer means.
pub(crate) fn answer(reply: &Reply) -> Answer {
    let find = |name: &str| [&reply.trailers, &reply.headers].into_iter().find_map(|map| text(map, name));
    let Some(code) = find("grpc-status").and_then(|code| code.parse::<u32>().ok()) else {
        return without_status(reply.status);
    };
    if code == 0 {
        return Answer::taken(reply.body.get(5..).unwrap_or_default());
    }
    let details = find("grpc-status-details-bin").and_then(|text| LENIENT.decode(text).ok());
    let (_, after) = details.map(|details| status(&details)).unwrap_or_default();
    let pushed = find("grpc-retry-pushback-ms").and_then(|text| text.parse().ok()).map(Duration::from_millis);
    let after = after.or(pushed);
    let why = format!("gRPC status {code}: {}", unescaped(find("grpc-message").unwrap_or_default()));
    // Who has no more room may say when there is some; who doesn't has none for this.
    if BUSY.contains(&code) || (code == RESOURCE_EXHAUSTED && after.is_some()) {
        Answer::Busy { after, why }
    } else {
        Answer::Refused { why }
    }
}

/// A proxy, or a server that knows no gRPC.
fn without_status(status: StatusCode) -> Answer {
    let why = format!("{status}, and no status of gRPC");
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Answer::Busy { after: None, why },
        _ => Answer::Refused { why },
    }
}

fn text<'a>(map: &'a HeaderMap, name: &str) -> Option<&'a str> {
    map.get(name)?.to_str().ok()
}

/// `grpc-message` has what is no plain ASCII as `%e2`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let coded = after.split_at_checked(2).filter(|_| *first == b'%');
        let found = coded.and_then(|(digits, rest)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, rest))
        });
        let (byte, left) = found.unwrap_or((*first, after));
        bytes.push(byte);
        rest = left;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use hyper::body::Bytes;

    use super::*;

    fn reply(status: u16, trailers: &[(&'static str, &str)]) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in trailers {
            map.insert(*name, value.parse().expect("a header"));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        Reply { status, headers: HeaderMap::new(), trailers: map, body: Bytes::from_static(&[0; 5]) }
    }

    #[test]
    fn a_message_has_its_length_before_it() {
        assert_eq!(vec![1, 0, 0, 0, 2, 7, 8], framed(&[7, 8], true));
    }

    #[test]
    fn codes_mean_what_the_specification_says() {
        let busy = |code: &str| matches!(answer(&reply(200, &[("grpc-status", code)])), Answer::Busy { .. });
        let found: Vec<_> = (1..=16).filter(|code| busy(&code.to_string())).collect();
        assert_eq!(vec![1, 4, 10, 11, 14, 15], found);
        assert_eq!(Answer::Taken { rejected: 0, why: String::new() }, answer(&reply(200, &[("grpc-status", "0")])));
    }

    #[test]
    fn who_has_no_room_is_asked_again_only_if_he_says_when() {
        let details = "CAgSBGZ1bGwaMgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIGCgQIBxAA";
        let trailers = [("grpc-status", "8"), ("grpc-message", "f%75ll"), ("grpc-status-details-bin", details)];
        let expected = Answer::Busy { after: Some(Duration::from_secs(7)), why: "gRPC status 8: full".to_owned() };
        assert_eq!(expected, answer(&reply(200, &trailers)));
        assert!(matches!(answer(&reply(200, &trailers[..2])), Answer::Refused { .. }));
    }

    #[test]
    fn a_proxy_that_is_busy_is_asked_again() {
        assert!(matches!(answer(&reply(503, &[])), Answer::Busy { .. }));
        assert!(matches!(answer(&reply(404, &[])), Answer::Refused { .. }));
        assert!(matches!(answer(&reply(200, &[])), Answer::Refused { .. }));
    }
}
