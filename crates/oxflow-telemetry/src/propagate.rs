//! Contexts in headers: W3C Trace Context, W3C Baggage and B3.

use std::fmt::Write;
use std::sync::Arc;

use crate::context::SpanContext;

/// Most of a `tracestate` that is kept, in bytes and in members, as the recommendation has it.
const STATE_BYTES: usize = 512;
const STATE_MEMBERS: usize = 32;
/// Most of a `baggage`.
const BAGGAGE_BYTES: usize = 8192;
const BAGGAGE_MEMBERS: usize = 64;

/// Reads `traceparent`, with the `tracestate` beside it. None if it isn't one.
pub fn read_traceparent(parent: &str, state: Option<&str>) -> Option<SpanContext> {
    let mut parts = parent.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let version = hex::<2>(version).filter(|version| *version != 0xff)?;
    // Later versions may say more.
    if version == 0 && parts.next().is_some() {
        return None;
    }
    let (trace_id, span_id, flags) = (hex::<32>(trace)?, hex::<16>(span)?, hex::<2>(flags)?);
    let state = state.and_then(read_state);
    let context = SpanContext::new(trace_id, u64::try_from(span_id).ok()?, u8::try_from(flags).ok()?, true, state);
    context.is_valid().then_some(context)
}

/// The `traceparent` of a span.
pub fn traceparent(context: &SpanContext) -> String {
    format!("00-{:032x}-{:016x}-{:02x}", context.trace_id, context.span_id, context.flags)
}

/// Exactly so many digits, small letters only.
fn hex<const DIGITS: usize>(text: &str) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == DIGITS && text.bytes().all(is_digit)).then(|| u128::from_str_radix(text, 16).ok())?
}

/// A `tracestate` that is well-formed; a broken one is none at all.
pub fn read_state(state: &str) -> Option<Arc<str>> {
    let members: Vec<_> = state.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    let is_member = |member: &&str| {
        let Some((key, value)) = member.split_once('=') else { return false };
        let is_key = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
        let is_value = |byte: u8| (0x20..0x7f).contains(&byte) && !b",=".contains(&byte);
        let begins = key.bytes().next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
        begins && key.len() <= 256 && key.bytes().all(is_key) && value.len() <= 256 && value.bytes().all(is_value)
    };
    let is_whole = members.len() <= STATE_MEMBERS && state.len() <= STATE_BYTES && members.iter().all(is_member);
    (is_whole && !members.is_empty()).then(|| members.join(",").into())
}

/// Names and values of a `baggage`; a value keeps its properties, `value;property`. What isn't a member is passed over.
pub fn read_baggage(header: &str) -> Vec<(String, String)> {
    if header.len() > BAGGAGE_BYTES {
        return Vec::new();
    }
    let members = header.split(',').take(BAGGAGE_MEMBERS).filter_map(|member| {
        let (pair, properties) = member.split_once(';').map_or((member, None), |(pair, rest)| (pair, Some(rest)));
        let (name, value) = pair.split_once('=')?;
        let name = unescaped(name.trim());
        // A semicolon in it would be the beginning of a property when it goes on.
        let value = unescaped(value.trim()).replace(';', "%3B");
        let value = properties.map_or(value.clone(), |properties| format!("{value};{}", properties.trim()));
        (!name.is_empty()).then_some((name, value))
    });
    members.collect()
}

/// A `baggage` of names and values; none if there is nothing to say. What finds no room is left out.
pub fn baggage<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut header = String::new();
    for (name, value) in entries.into_iter().take(BAGGAGE_MEMBERS) {
        let (value, properties) = value.split_once(';').map_or((value, ""), |(value, rest)| (value, rest));
        let end = if properties.is_empty() { String::new() } else { format!(";{}", kept(properties)) };
        let member = format!("{}={}{end}", escaped(name.trim()), escaped(value));
        if header.len() + member.len() + 1 > BAGGAGE_BYTES {
            continue;
        }
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(&member);
    }
    (!header.is_empty()).then_some(header)
}

fn escaped(text: &str) -> String {
    coded(text, |byte| byte.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&byte))
}

/// Properties as they came, but for what would end the member or the header.
fn kept(properties: &str) -> String {
    coded(properties, |byte| matches!(byte, b' '..=b'~') && !b",\"\\".contains(&byte))
}

fn coded(text: &str, is_plain: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            // Into memory, which takes all.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.split_at_checked(2).filter(|_| *first == b'%');
        let coded = digits.and_then(|(digits, rest)| {
            let digits = std::str::from_utf8(digits)
                .ok()
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
            Some((u8::from_str_radix(digits, 16).ok()?, rest))
        });
        let (byte, left) = coded.unwrap_or((*first, after));
        bytes.push(byte);
        rest = left;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a `b3` header, `80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1`.
pub fn read_b3(header: &str) -> Option<SpanContext> {
    let mut parts = header.trim().split('-');
    let (trace, span) = (parts.next()?, parts.next()?);
    b3(trace, span, parts.next())
}

/// Reads the headers `x-b3-traceid`, `x-b3-spanid` and, if there is one, `x-b3-sampled` or `x-b3-flags`.
pub fn read_b3_headers(trace: &str, span: &str, sampled: Option<&str>) -> Option<SpanContext> {
    b3(trace.trim(), span.trim(), sampled.map(str::trim))
}

fn b3(trace: &str, span: &str, sampled: Option<&str>) -> Option<SpanContext> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !matches!(trace.len(), 16 | 32) || span.len() != 16 || !is_hex(trace) || !is_hex(span) {
        return None;
    }
    let (trace_id, span_id) = (u128::from_str_radix(trace, 16).ok()?, u64::from_str_radix(span, 16).ok()?);
    // "Accept" and "debug"; who says nothing leaves it to us, and a trace that is asked for is better than none.
    let flags = u8::from(!matches!(sampled, Some("0" | "false")));
    let context = SpanContext::new(trace_id, span_id, flags, true, None);
    context.is_valid().then_some(context)
}

/// The `b3` header of a span.
pub fn b3_header(context: &SpanContext) -> String {
    format!("{:032x}-{:016x}-{}", context.trace_id, context.span_id, u8::from(context.is_sampled()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_comes_back() {
        let context = read_traceparent(PARENT, Some("congo=t61rcWkgMzE , rojo=00f067aa0ba902b7")).expect("it is one");
        assert_eq!((0xb7ad_6b71_6920_3331, true, true), (context.span_id, context.is_remote, context.is_sampled()));
        assert_eq!(Some("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"), context.state.as_deref());
        assert_eq!(PARENT, traceparent(&context));
    }

    #[test]
    fn what_is_no_parent_is_none() {
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(None, read_traceparent(wrong, None), "{wrong}");
        }
        let later = PARENT.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
        assert!(read_traceparent(&later, None).is_some());
    }

    #[test]
    fn a_broken_state_is_none() {
        for wrong in ["", "nothing", "UPPER=1", "a=b,c", "a=\x01", &"a=b,".repeat(40)] {
            assert_eq!(None, read_state(wrong), "{wrong}");
        }
        assert!(read_state("fw529a3039@dt=FfAf,a=").is_some());
    }

    #[test]
    fn b3_has_short_and_long_identities() {
        let short = read_b3("64fe8b2a57d3eff7-e457b5a2e4d86bd1-0").expect("it is one");
        assert_eq!((0x64fe_8b2a_57d3_eff7, false), (short.trace_id, short.is_sampled()));
        assert!(
            read_b3("64fe8b2a57d3eff7-e457b5a2e4d86bd1-d-05e3ac9a4f6e3b90").is_some_and(|found| found.is_sampled())
        );
        assert_eq!(None, read_b3("0"));
        assert_eq!(None, read_b3("64fe8b2a57d3eff-e457b5a2e4d86bd1-0"));
        assert_eq!("000000000000000064fe8b2a57d3eff7-e457b5a2e4d86bd1-0", b3_header(&short));
    }

    proptest! {
        #[test]
        fn baggage_comes_back(entries in prop::collection::vec(("[a-z!#é]{1,6}", "[^;]{0,12}"), 0..8)) {
            let borrowed = entries.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let header = baggage(borrowed).unwrap_or_default();
            prop_assert!(header.is_ascii());
            prop_assert_eq!(entries, read_baggage(&header));
        }

        #[test]
        fn no_value_becomes_another_member_or_line(values in prop::collection::vec(any::<String>(), 1..8)) {
            let header = baggage(values.iter().map(|value| ("name", value.as_str()))).unwrap_or_default();
            prop_assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert!(read_baggage(&header).len() <= values.len());
        }

        #[test]
        fn any_header_is_read_without_a_panic(text: String) {
            let _ = (read_traceparent(&text, Some(&text)), read_baggage(&text), read_b3(&text), read_state(&text));
        }
    }

    #[test]
    fn properties_of_baggage_stay() {
        let read = read_baggage("userId=al%69ce;prop=1 , broken, =, a = b");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(vec![pair("userId", "alice;prop=1"), pair("a", "b")], read);
        assert_eq!(Some("userId=alice;prop=1".to_owned()), baggage([("userId", "alice;prop=1")]));
    }
}
