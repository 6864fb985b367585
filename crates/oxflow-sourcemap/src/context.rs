//! The lines of a source around a place.

use crate::error::Result;
use crate::map::SourceMap;

/// Lines of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The lines before the wanted one.
    pub before: Vec<String>,
    /// The wanted line.
    pub line: String,
    /// The lines after it.
    pub after: Vec<String>,
}

impl SourceMap {
    /// A line of a source with at most so many before and after it; `None` if the map has no text of it or not that line.
    pub fn context(&self, source: usize, line: u32, before: usize, after: usize) -> Result<Option<Context>> {
        let Some(content) = self.source_content(source)? else { return Ok(None) };
        let line = line as usize;
        let first = line.saturating_sub(before);
        let mut lines = Lines(Some(&content)).skip(first).map(str::to_owned);
        let before = lines.by_ref().take(line - first).collect();
        let Some(line) = lines.next() else { return Ok(None) };
        Ok(Some(Context { before, line, after: lines.take(after).collect() }))
    }
}

/// Lines as JavaScript counts them: they end at `\n`, `\r\n` or `\r`.
struct Lines<'a>(Option<&'a str>);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        let Some((line, end)) = rest.find(['\n', '\r']).map(|end| rest.split_at(end)) else {
            self.0 = None;
            return Some(rest);
        };
        self.0 = end.strip_prefix("\r\n").or_else(|| end.get(1..));
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_end_as_in_javascript() {
        assert_eq!(vec!["a", "b", "c", "", ""], Lines(Some("a\nb\r\nc\r\n\n")).collect::<Vec<_>>());
        assert_eq!(vec!["a", "b"], Lines(Some("a\rb")).collect::<Vec<_>>());
        assert_eq!(vec![""], Lines(Some("")).collect::<Vec<_>>());
    }
}
