//! `${VAR}`, `${VAR:-default}` and `${file:PATH}` in values.
//!
//! Replaced after the YAML is read, so that no value can add keys or break the syntax. A value that is one `${..}` and
//! nothing else is typed as if it stood in the file; inside a longer text it stays text. `$$` is a dollar sign. Overlays are
//! taken as they are: the shell has replaced its variables already.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;

use super::failure::{Failure, Problem};
use super::node::{Node, Origin, Secret, Value};
use super::yaml;

type Variables = BTreeMap<String, String>;

/// A secret of more than a megabyte is a wrong path.
const MAX_SECRET_BYTES: u64 = 1 << 20;

/// Replaces every `${..}` below a node.
pub(super) fn resolve(node: &mut Node, variables: &Variables) -> Result<(), Failure> {
    match &mut node.value {
        Value::List(items) => items.iter_mut().try_for_each(|item| resolve(item, variables)),
        Value::Map(entries) => entries.iter_mut().try_for_each(|entry| resolve(&mut entry.node, variables)),
        Value::Text(text) if text.contains('$') && matches!(node.origin, Origin::File(..)) => {
            let expanded =
                expand(text, variables).map_err(|problem| Failure::new(problem, Some(node.origin.clone())))?;
            node.value = if expanded.whole { yaml::scalar(&expanded.text) } else { Value::Text(expanded.text) };
            node.secret = expanded.secret;
            Ok(())
        }
        _ => Ok(()),
    }
}

#[derive(Debug, Default)]
struct Expanded {
    text: String,
    secret: Option<Secret>,
    /// Was the text one `${..}` and nothing else?
    whole: bool,
}

fn expand(text: &str, variables: &Variables) -> Result<Expanded, Problem> {
    let mut expanded = Expanded::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.text.push_str(before);
        rest = if let Some(literal) = after.strip_prefix('$') {
            expanded.text.push('$');
            literal
        } else if let Some(reference) = after.strip_prefix('{') {
            let (reference, behind) = reference.split_once('}').ok_or(Problem::Unclosed)?;
            let (value, secret) = look_up(reference, variables)?;
            expanded.text.push_str(&value);
            expanded.secret = expanded.secret.or(secret);
            expanded.whole = behind.is_empty() && text.len() == reference.len() + "${}".len();
            behind
        } else {
            expanded.text.push('$');
            after
        };
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

fn look_up(reference: &str, variables: &Variables) -> Result<(String, Option<Secret>), Problem> {
    if let Some(path) = reference.strip_prefix("file:") {
        return read_secret(path).map(|text| (text, Some(Secret::File(path.to_owned()))));
    }
    let (name, default) = reference.split_once(":-").map_or((reference, None), |(name, default)| (name, Some(default)));
    // As in a shell, `:-` also stands in for a variable that is empty.
    let value = variables.get(name).filter(|value| default.is_none() || !value.is_empty());
    match (value, default) {
        (Some(value), _) => Ok((value.clone(), Some(Secret::Variable(name.to_owned())))),
        (None, Some(default)) => Ok((default.to_owned(), None)),
        (None, None) => Err(Problem::NoVariable(name.to_owned())),
    }
}

/// The text of a file, without the line break that editors put at the end.
fn read_secret(path: &str) -> Result<String, Problem> {
    let missing = |reason: String| Problem::NoFile { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(|error| missing(error.to_string()))?;
    let mut text = String::new();
    let size = file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text).map_err(|error| missing(error.to_string()))?;
    if size as u64 > MAX_SECRET_BYTES {
        return Err(missing(format!("it has more than {MAX_SECRET_BYTES} bytes")));
    }
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
}
