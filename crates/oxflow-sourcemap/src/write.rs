//! Writes a map as JSON.

use std::borrow::Cow;

use crate::error::Result;
use crate::json::quote;
use crate::map::SourceMap;

impl SourceMap {
    /// The map as JSON of one part: sections are put together, and sources have their roots.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let whole = self.whole()?;
        let mut json = b"{\"version\":3".to_vec();
        member(&mut json, "file", self.file());
        member(&mut json, "debugId", self.debug_id());
        let (sources, names) = (0..self.source_count(), 0..self.name_count());
        list(&mut json, "sources", sources.clone().map(|index| self.source(index)))?;
        let contents = json.len();
        if !list(&mut json, "sourcesContent", sources.clone().map(|index| self.source_content(index)))? {
            json.truncate(contents);
        }
        list(&mut json, "names", names.map(|index| self.name(index)))?;
        let mut ignored = Vec::new();
        for index in sources {
            if self.is_ignored(index)? {
                ignored.push(index.to_string());
            }
        }
        if !ignored.is_empty() {
            json.extend(format!(",\"ignoreList\":[{}]", ignored.join(",")).into_bytes());
        }
        json.extend(b",\"mappings\":\"");
        json.extend(whole.mappings.whole_text()?);
        json.extend(b"\"");
        let ranges = whole.ranges_text()?;
        if !ranges.is_empty() {
            json.extend(b",\"rangeMappings\":\"");
            json.extend(ranges);
            json.extend(b"\"");
        }
        if let Some(scopes) = self.scopes_text()? {
            json.extend(b",\"scopes\":\"");
            json.extend_from_slice(&scopes);
            json.extend(b"\"");
        }
        let metro = self.metro_members()?;
        if !metro.is_empty() {
            json.push(b',');
            json.extend(metro);
        }
        json.extend(b"}");
        Ok(json)
    }
}

fn member(json: &mut Vec<u8>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        json.extend(format!(",\"{key}\":").into_bytes());
        quote(value, json);
    }
}

/// Writes a list; false if there is nothing but null in it.
fn list<'a>(json: &mut Vec<u8>, key: &str, items: impl Iterator<Item = Result<Option<Cow<'a, str>>>>) -> Result<bool> {
    let mut has_text = false;
    json.extend(format!(",\"{key}\":[").into_bytes());
    for (index, item) in items.enumerate() {
        if index > 0 {
            json.push(b',');
        }
        match item? {
            Some(text) => {
                has_text = true;
                quote(&text, json);
            }
            None => json.extend(b"null"),
        }
    }
    json.push(b']');
    Ok(has_text)
}
