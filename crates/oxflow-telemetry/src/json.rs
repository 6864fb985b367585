//! Values as JSON.

use std::io::Write;

use crate::value::Value;

/// A value as people read it: a text as it is, anything else as JSON.
pub(crate) fn text(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.clone().into_owned(),
        other => {
            let mut written = Vec::new();
            let _ = json(&mut written, other);
            String::from_utf8_lossy(&written).into_owned()
        }
    }
}

/// Writes a value; what JSON has no number for is its text.
pub(crate) fn json(to: &mut Vec<u8>, value: &Value<'_>) -> std::io::Result<()> {
    match value {
        Value::Null => to.write_all(b"null"),
        Value::Bool(value) => write!(to, "{value}"),
        Value::Int(value) => write!(to, "{value}"),
        // There is no such number in JSON.
        Value::Float(value) if !value.is_finite() => write!(to, "\"{value}\""),
        Value::Float(value) => write!(to, "{value}"),
        Value::Text(text) => quoted(to, text),
        Value::Bytes(bytes) => {
            to.push(b'"');
            bytes.iter().try_for_each(|byte| write!(to, "{byte:02x}"))?;
            to.write_all(b"\"")
        }
        Value::List(values) => {
            let mut between = "[";
            for value in values {
                write!(to, "{between}")?;
                json(to, value)?;
                between = ",";
            }
            to.write_all(if values.is_empty() { b"[]" } else { b"]" })
        }
        Value::Map(pairs) => {
            let mut between = "{";
            for (name, value) in pairs {
                write!(to, "{between}")?;
                quoted(to, name)?;
                write!(to, ":")?;
                json(to, value)?;
                between = ",";
            }
            to.write_all(if pairs.is_empty() { b"{}" } else { b"}" })
        }
    }
}

/// Writes a text.
pub(crate) fn quoted(to: &mut Vec<u8>, text: &str) -> std::io::Result<()> {
    to.push(b'"');
    for letter in text.chars() {
        match letter {
            '"' => to.write_all(b"\\\"")?,
            '\\' => to.write_all(b"\\\\")?,
            '\n' => to.write_all(b"\\n")?,
            letter if letter.is_control() => write!(to, "\\u{:04x}", u32::from(letter))?,
            letter => write!(to, "{letter}")?,
        }
    }
    to.push(b'"');
    Ok(())
}
