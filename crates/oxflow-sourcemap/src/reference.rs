//! Which map generated code refers to, and maps that lie in the reference itself.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use crate::error::{Error, Limits, Result};

/// What generated code says of its map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// URL of the map, perhaps relative to that of the code, perhaps a data URL.
    pub url: String,
    /// The debug id of the code, if it has one.
    pub debug_id: Option<String>,
}

/// Finds the reference in generated JavaScript or CSS: `//# sourceMappingURL=` in a comment behind which only comments
/// and white space stand, as the standard says.
pub fn find_reference(code: &[u8]) -> Option<Reference> {
    let mut debug_id = None;
    let mut rest = code;
    while !rest.is_empty() {
        let line = last_line(&mut rest);
        let comment = comment(line)?;
        debug_id = debug_id.or_else(|| value(comment, "debugId="));
        if let Some(url) = value(comment, "sourceMappingURL=") {
            let debug_id = debug_id.or_else(|| debug_id_before(rest));
            return Some(Reference { url, debug_id });
        }
    }
    None
}

/// The debug id in a comment that stands before the reference.
fn debug_id_before(mut rest: &[u8]) -> Option<String> {
    const LINES: usize = 5;
    (0..LINES).find_map(|_| value(comment(last_line(&mut rest))?, "debugId="))
}

/// Takes the last line off.
fn last_line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let code = *rest;
    let code = code.strip_suffix(b"\n").or_else(|| code.strip_suffix(b"\r")).unwrap_or(code);
    let start = code.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |end| end + 1);
    let (before, line) = code.split_at(start);
    *rest = before;
    line
}

/// What is in the comment that a line is; nothing if it is empty, `None` if there is code in it.
fn comment(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    if let Some(comment) = line.strip_prefix(b"//") {
        let is_odd = comment.iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`'));
        let is_closed = comment.windows(2).any(|pair| pair == b"*/");
        return (!is_odd && !is_closed).then_some(comment);
    }
    let css = line.strip_prefix(b"/*").and_then(|line| line.strip_suffix(b"*/"));
    css.or(line.is_empty().then_some(line))
}

fn value(comment: &[u8], key: &str) -> Option<String> {
    let rest = comment.strip_prefix(b"#").or_else(|| comment.strip_prefix(b"@"))?.trim_ascii_start();
    let value = std::str::from_utf8(rest.strip_prefix(key.as_bytes())?).ok()?.trim();
    (!value.is_empty() && !value.contains(char::is_whitespace)).then(|| value.to_owned())
}

/// The bytes of a data URL.
pub fn from_data_url(url: &str, limits: &Limits) -> Result<Vec<u8>> {
    let fault = |reason: &str| Error::Json { line: 1, column: 1, reason: format!("the data URL {reason}") };
    let body = url.trim().strip_prefix("data:").ok_or_else(|| fault("does not begin with `data:`"))?;
    if body.len() as u64 / 4 * 3 > limits.bytes {
        return Err(Error::Limit { what: "the size of the map in bytes", limit: limits.bytes });
    }
    let (kind, data) = body.split_once(',').ok_or_else(|| fault("has no comma"))?;
    let plain = percent_decoded(data);
    if !kind.trim_end().ends_with(";base64") {
        return Ok(plain);
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    engine.decode(plain.trim_ascii()).map_err(|error| fault(&format!("is no base64: {error}")))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, left)) = rest.split_first() {
        let digits = left.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if *byte == b'%' => {
                bytes.push(value);
                rest = left.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = left;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, url: Option<&str>) {
        assert_eq!(url, find_reference(code.as_bytes()).as_ref().map(|found| &*found.url), "{code}");
    }

    #[test]
    fn the_last_comment_says_where_the_map_is() {
        check("a();\n//# sourceMappingURL=a.js.map", Some("a.js.map"));
        check("a();\n//@ sourceMappingURL=a.js.map\n\n  ", Some("a.js.map"));
        check("a();\r\n//# sourceMappingURL=a.js.map\r\n// end\r\n", Some("a.js.map"));
        check("a {}\n/*# sourceMappingURL=a.css.map */\n", Some("a.css.map"));
        check("//# sourceMappingURL=1.map\n//# sourceMappingURL=2.map", Some("2.map"));
    }

    #[test]
    fn what_may_be_code_is_no_reference() {
        check("let a = `\n//# sourceMappingURL=foo.js.map\n// `", None);
        check("//# sourceMappingURL=foo.js.map\na();", None);
        check("a(); //# sourceMappingURL=foo.js.map", None);
        check("//# sourceMappingURL=foo bar.map", None);
        check("//# sourceMappingURL=", None);
        check("", None);
    }

    #[test]
    fn the_debug_id_stands_on_either_side() {
        for code in ["//# debugId=d\n//# sourceMappingURL=m", "//# sourceMappingURL=m\n//# debugId=d\n"] {
            let wanted = Reference { url: "m".to_owned(), debug_id: Some("d".to_owned()) };
            assert_eq!(Some(wanted), find_reference(code.as_bytes()));
        }
    }

    #[test]
    fn data_urls_are_decoded() {
        let decoded = |url: &str| from_data_url(url, &Limits::default());
        assert_eq!(b"{}".to_vec(), decoded("data:application/json;charset=utf-8;base64,e30=").unwrap());
        assert_eq!(b"{}".to_vec(), decoded("data:application/json;base64,e30").unwrap());
        assert_eq!(b"{\"a\"}%".to_vec(), decoded("data:application/json,%7B%22a%22}%").unwrap());
        assert!(decoded("http://x").is_err());
        assert!(decoded("data:;base64,!!").is_err());
        assert!(decoded("data:x").is_err());
        assert!(from_data_url("data:,12345678", &Limits { bytes: 3, ..Limits::default() }).is_err());
    }
}
