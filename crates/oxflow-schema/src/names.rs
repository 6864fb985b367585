//! Rust names for what schemas call things.

use std::collections::BTreeSet;

/// Keywords of Rust; a raw name can be any but the last four.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield", "self", "Self", "super", "crate",
];

/// What the written code uses under these names.
const USED: [&str; 22] = [
    "BTreeMap",
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deserialize",
    "Eq",
    "Err",
    "Hash",
    "None",
    "Nullable",
    "Ok",
    "OpenTuple",
    "Option",
    "PartialEq",
    "Payload",
    "Self",
    "Serialize",
    "Some",
    "String",
    "Value",
];

/// Names that are taken in one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken(BTreeSet<String>);

impl Taken {
    /// For types: without the names that the code uses itself.
    pub(crate) fn types() -> Self {
        Self(USED.iter().chain(&["Vec", "PartialOrd", "Ord"]).map(|&name| name.to_owned()).collect())
    }

    /// Takes the first candidate that is free, or the last one with a number.
    pub(crate) fn take(&mut self, candidates: &[String]) -> String {
        let last = candidates.last().cloned().unwrap_or_default();
        let numbered = (2..).map(|number| format!("{last}{number}"));
        let free = candidates.iter().cloned().chain(numbered).find(|name| !name.is_empty() && !self.0.contains(name));
        let name = free.unwrap_or(last);
        self.0.insert(name.clone());
        name
    }
}

/// A type's or variant's name: `start_merge` and `START_MERGE` become `StartMerge`.
pub(crate) fn pascal(text: &str) -> String {
    let name: String = words(text).map(capitalised).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("N{name}"),
        _ if name == "Self" => "SelfType".to_owned(),
        _ => name,
    }
}

/// A field's name without regard to keywords: `eventId` becomes `event_id`.
pub(crate) fn snake(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 4);
    let letters: Vec<char> = text.chars().collect();
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if begins || !letter.is_ascii_alphanumeric() {
            separate(&mut name);
        }
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => "field".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) => name.to_owned(),
    }
}

fn separate(name: &mut String) {
    if !name.is_empty() && !name.ends_with('_') {
        name.push('_');
    }
}

/// A name that may be a keyword, as it can be written; for few of them that is another name.
pub(crate) fn written(name: &str) -> String {
    match name {
        "self" | "super" | "crate" => format!("{name}_"),
        _ if KEYWORDS.contains(&name) => format!("r#{name}"),
        _ => name.to_owned(),
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// A word in capitals keeps only the first one: `UUID` reads as `Uuid` in Rust.
fn capitalised(word: &str) -> String {
    let shouted = word.len() > 1 && !word.chars().any(|letter| letter.is_ascii_lowercase());
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let rest = letters.map(|letter| if shouted { letter.to_ascii_lowercase() } else { letter });
    first.into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_in_pascal_case() {
        let written = ["StartMerge", "StartMerge", "Uuid", "UInt16", "IngestSpansV1", "N2fast", ""];
        let texts = ["start_merge", "START-MERGE", "UUID", "UInt16", "ingest-spans.v1", "2fast", "-"];
        assert_eq!(written, texts.map(pascal).each_ref().map(String::as_str));
    }

    #[test]
    fn fields_are_written_in_snake_case() {
        let written = ["event_id", "http_status", "x_y", "n0", "field", "type", "geo_2d"];
        let texts = ["eventId", "HTTPStatus", "x.y", "0", "$", "type", "geo_2d"];
        assert_eq!(written, texts.map(snake).each_ref().map(String::as_str));
    }

    #[test]
    fn a_name_that_is_taken_gets_the_next_candidate_and_then_a_number() {
        let mut taken = Taken::types();
        let candidates = ["Value".to_owned(), "EventValue".to_owned()];
        assert_eq!(
            ["EventValue", "EventValue2"],
            [taken.take(&candidates), taken.take(&candidates)].each_ref().map(String::as_str)
        );
    }
}
