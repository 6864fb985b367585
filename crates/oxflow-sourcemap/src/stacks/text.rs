//! What browsers print: `    at name (URL:1:2)`, `    at URL:1:2`, `name@URL:1:2`.

use super::{Maps, Place, Script, place};

/// One line of a trace.
#[derive(Debug, PartialEq, Eq)]
struct Frame<'a> {
    /// What stands before the name.
    lead: &'a str,
    name: Option<&'a str>,
    url: &'a str,
    line: i64,
    column: i64,
    is_firefox: bool,
}

/// A trace with the places of the sources, the newest frame first. A frame whose map isn't found, or that has no place in it,
/// stays as it is. A function is called what its caller calls it, where the map has a name there.
pub fn symbolicate_text<S: Maps>(trace: &str, maps: &mut S) -> std::result::Result<String, S::Error> {
    let mut lines = Vec::new();
    for line in trace.split('\n') {
        let text = line.strip_suffix('\r').unwrap_or(line);
        let frame = Frame::of_chrome(text).or_else(|| Frame::of_firefox(text));
        let found = match &frame {
            Some(frame) => place(maps, Script { url: frame.url, debug_id: None }, frame.line, frame.column)?,
            None => None,
        };
        lines.push((line, frame.zip(found)));
    }
    let mut written = String::with_capacity(trace.len());
    for (index, (line, frame)) in lines.iter().enumerate() {
        if index > 0 {
            written.push('\n');
        }
        let Some((frame, found)) = frame else {
            written.push_str(line);
            continue;
        };
        let caller = lines.get(index + 1).and_then(|(_, frame)| frame.as_ref());
        let name = caller.map_or(Ok(None), |(_, caller)| caller.name()).map_err(S::Error::from)?;
        frame.write(&mut written, name.as_deref().or(frame.name), found);
        written.push_str(if line.ends_with('\r') { "\r" } else { "" });
    }
    Ok(written)
}

impl<'a> Frame<'a> {
    fn of_chrome(text: &'a str) -> Option<Self> {
        let call = text.trim_start().strip_prefix("at ")?;
        let call = call.strip_prefix("async ").unwrap_or(call);
        let lead = text.get(..text.len() - call.len())?;
        let (name, place) = match call.rsplit_once(" (") {
            Some((name, place)) => (Some(name), place),
            None => (None, call),
        };
        let (url, line, column) = position(place.strip_suffix(')').unwrap_or(place))?;
        let is_url = !url.contains(|part: char| part.is_whitespace() || part == '(' || part == ')');
        is_url.then_some(Self { lead, name, url, line, column, is_firefox: false })
    }

    fn of_firefox(text: &'a str) -> Option<Self> {
        let (name, place) = text.split_once('@')?;
        let (url, line, column) = position(place)?;
        let is_url = !url.contains(char::is_whitespace);
        is_url.then_some(Self { lead: "", name: Some(name), url, line, column, is_firefox: true })
    }

    fn write<M>(&self, to: &mut String, name: Option<&str>, found: &Place<M>) {
        let Place { source, line, column, .. } = found;
        let place = format!("{source}:{line}:{column}");
        let name = name.unwrap_or_default();
        let pieces = match (self.is_firefox, name) {
            (true, _) => [name, "@", &place, ""],
            (false, "") => ["", "", &place, ""],
            (false, _) => [name, " (", &place, ")"],
        };
        to.push_str(self.lead);
        to.extend(pieces);
    }
}

/// URL, line and column of `URL:1:2`.
fn position(place: &str) -> Option<(&str, i64, i64)> {
    let (rest, column) = place.rsplit_once(':')?;
    let (url, line) = rest.rsplit_once(':')?;
    let number = |text: &str| if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None };
    if url.is_empty() { None } else { Some((url, number(line)?, number(column)?)) }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[track_caller]
    fn check(text: &str, wanted: Option<(&str, Option<&str>, &str)>) {
        let found = Frame::of_chrome(text).or_else(|| Frame::of_firefox(text));
        assert_eq!(wanted, found.as_ref().map(|frame| (frame.lead, frame.name, frame.url)), "{text}");
    }

    #[test]
    fn the_lines_of_browsers_are_known() {
        check("    at f (https://h/a.js:1:2)", Some(("    at ", Some("f"), "https://h/a.js")));
        check("at https://h/a.js:1:2", Some(("at ", None, "https://h/a.js")));
        check("    at async Promise.all (a.js:1:2)", Some(("    at async ", Some("Promise.all"), "a.js")));
        check("    at Object.f [as g] (a.js:1:2)", Some(("    at ", Some("Object.f [as g]"), "a.js")));
        check("f@https://h/a.js:1:2", Some(("", Some("f"), "https://h/a.js")));
        check("@https://h/@b/a.js:1:2", Some(("", Some(""), "https://h/@b/a.js")));
    }

    #[test]
    fn other_lines_are_none() {
        for text in
            ["", "TypeError: x", "    at f (native)", "f@a.js:1", "f@:1:2", "at f (a.js:1:+2)", "at f (<anonymous>)"]
        {
            check(text, None);
        }
        check("    at eval (eval at f (https://h/a.js:1:1), <anonymous>:1:1)", None);
        check("f@a.js:1:99999999999999999999", None);
    }
}
