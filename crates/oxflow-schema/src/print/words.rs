//! What schemas say, as comments and literals of Rust.

/// Attributes that are longer than this stand on several lines.
const ATTRIBUTE_WIDTH: usize = 70;

/// A doc comment. What looks like code in it is not run by the tests of a user's crate.
pub(super) fn doc_comment(text: &str, indent: &str) -> String {
    let mut comment = String::new();
    let mut is_code = false;
    for line in text.lines() {
        let line = line.replace('\t', "  ").trim_end().to_owned();
        let depth = line.len() - line.trim_start().len();
        let line = line.get(depth.saturating_sub(if is_code { depth } else { 3 })..).unwrap_or_default().to_owned();
        let fence = line.trim_start().starts_with("```");
        let line = if fence && !is_code { "```text".to_owned() } else { line };
        is_code ^= fence;
        comment.push_str(indent);
        comment.push_str(if line.is_empty() { "///" } else { "/// " });
        comment.push_str(&line);
        comment.push('\n');
    }
    if is_code {
        comment.push_str(indent);
        comment.push_str("/// ```\n");
    }
    comment
}

/// An attribute of serde's.
pub(super) fn attribute(inside: &str, indent: &str) -> String {
    if inside.chars().count() <= ATTRIBUTE_WIDTH {
        return format!("{indent}#[serde({inside})]\n");
    }
    format!("{indent}#[serde(\n{indent}    {inside}\n{indent})]\n")
}

pub(super) fn literal(text: &str) -> String {
    format!("{text:?}")
}
