//! The members of one map as they stand in its JSON, each of the type that the standard wants or mended and told.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::json::{Item, Kind, Scanner, Span, unescape};

/// What is said of mended faults: each once, however often it occurs.
pub(crate) struct Warnings {
    pub(crate) strict: bool,
    pub(crate) list: Vec<String>,
}

impl Warnings {
    /// Mends a fault, or refuses it if the map is read strictly.
    pub(crate) fn mend(&mut self, fault: Error, how: &str) -> Result<()> {
        if self.strict {
            return Err(fault);
        }
        self.tell(&fault, how);
        Ok(())
    }

    /// Mends a fault of a field that the standard doesn't know, for which it refuses no map.
    pub(crate) fn tell(&mut self, fault: &Error, how: &str) {
        self.note(format!("{fault}: {how}"));
    }

    pub(crate) fn note(&mut self, text: String) {
        if !self.is_full() && !self.list.contains(&text) {
            self.list.push(text);
        }
    }

    fn is_full(&self) -> bool {
        const MOST: usize = 100;
        self.list.len() >= MOST
    }
}

/// The members of one map.
#[derive(Default)]
pub(crate) struct Fields {
    /// As JSON, if it is not 3.
    pub(crate) odd_version: Option<String>,
    pub(crate) has_version: bool,
    pub(crate) file: Option<String>,
    pub(crate) source_root: Option<String>,
    pub(crate) debug_id: Option<String>,
    pub(crate) sources: Option<Vec<Item>>,
    pub(crate) contents: Vec<Item>,
    pub(crate) names: Vec<Item>,
    pub(crate) mappings: Option<Span>,
    pub(crate) ranges: Option<Span>,
    pub(crate) scopes: Option<Span>,
    pub(crate) ignored: Option<Vec<u64>>,
    /// The same by its older name.
    pub(crate) google_ignored: Option<Vec<u64>>,
    /// `x_facebook_sources`, as JSON.
    pub(crate) facebook_sources: Option<Range<usize>>,
    /// `x_facebook_offsets`, as JSON.
    pub(crate) facebook_offsets: Option<Range<usize>>,
    /// `x_hermes_function_offsets`, as JSON.
    pub(crate) hermes_offsets: Option<Range<usize>>,
    /// Where the list of sections is.
    pub(crate) sections: Option<Range<usize>>,
}

/// Reads one member.
struct Member<'s, 'a, 'w> {
    scanner: &'s mut Scanner<'a>,
    text: &'a [u8],
    warnings: &'w mut Warnings,
    key: &'s str,
}

impl Fields {
    /// Reads the object that comes next.
    pub(crate) fn read<'a>(scanner: &mut Scanner<'a>, text: &'a [u8], warnings: &mut Warnings) -> Result<Self> {
        let mut fields = Self::default();
        scanner.object(|scanner, key| {
            let key = unescape(text.get(key.range()).unwrap_or_default());
            Member { scanner, text, warnings, key: &key }.read(&mut fields)
        })?;
        Ok(fields)
    }
}

impl Member<'_, '_, '_> {
    fn read(&mut self, fields: &mut Fields) -> Result<()> {
        match self.key {
            "version" => self.version(fields)?,
            "file" => fields.file = self.text_or_none(false)?,
            "sourceRoot" => fields.source_root = self.text_or_none(true)?,
            // The proposal's name, and the one that came before it.
            "debugId" | "debug_id" => fields.debug_id = self.text_or_none(false)?.or(fields.debug_id.take()),
            "sources" => fields.sources = Some(self.strings(true)?),
            "sourcesContent" => fields.contents = self.strings(true)?,
            "names" => fields.names = self.strings(false)?,
            "mappings" => fields.mappings = Some(self.mappings()?),
            "rangeMappings" => fields.ranges = self.span_or_none()?,
            "scopes" => fields.scopes = self.span_or_none()?,
            "ignoreList" => fields.ignored = self.indices()?,
            "x_google_ignoreList" => fields.google_ignored = self.indices()?,
            "x_facebook_sources" => fields.facebook_sources = self.json()?,
            "x_facebook_offsets" => fields.facebook_offsets = self.json()?,
            "x_hermes_function_offsets" => fields.hermes_offsets = self.json()?,
            "sections" => fields.sections = Some(self.scanner.skip()?),
            _ => self.scanner.pass()?,
        }
        Ok(())
    }

    /// Mends a fault at a place, which is looked for only if somebody is told: that takes a pass over all text before it.
    fn mend(&mut self, at: usize, reason: impl FnOnce(&str) -> String, how: &str) -> Result<()> {
        let is_standard = !self.key.starts_with("x_") && self.key != "debug_id";
        if !(self.warnings.strict && is_standard) && self.warnings.is_full() {
            return Ok(());
        }
        let fault = self.scanner.error_at(at, reason(self.key));
        if is_standard {
            return self.warnings.mend(fault, how);
        }
        self.warnings.tell(&fault, how);
        Ok(())
    }

    /// Where a value is that stays as it is written; `null` is as good as nothing.
    fn json(&mut self) -> Result<Option<Range<usize>>> {
        let is_null = self.scanner.kind()? == Kind::Null;
        Ok(Some(self.scanner.skip()?).filter(|_| !is_null))
    }

    fn version(&mut self, fields: &mut Fields) -> Result<()> {
        fields.has_version = true;
        let mut probe = Scanner::new(self.text, self.scanner.at(), 8);
        let range = self.scanner.skip()?;
        let is_three = probe.whole()? == Some(3);
        let found = String::from_utf8_lossy(self.text.get(range).unwrap_or_default()).into_owned();
        fields.odd_version = (!is_three).then_some(found);
        Ok(())
    }

    fn span_or_none(&mut self) -> Result<Option<Span>> {
        let kind = self.scanner.kind()?;
        let at = self.scanner.at();
        if kind == Kind::Text {
            return self.scanner.string().map(Some);
        }
        self.scanner.skip()?;
        self.mend(at, wrong_type("a string", kind), "left out")?;
        Ok(None)
    }

    /// `null` is as good as nothing where the field's tools write it.
    fn text_or_none(&mut self, or_null: bool) -> Result<Option<String>> {
        let is_null = self.scanner.kind()? == Kind::Null;
        if is_null && or_null && !self.warnings.strict {
            self.scanner.skip()?;
            return Ok(None);
        }
        let span = self.span_or_none()?;
        Ok(span.map(|span| unescape(self.text.get(span.range()).unwrap_or_default()).into_owned()))
    }

    fn mappings(&mut self) -> Result<Span> {
        let kind = self.scanner.kind()?;
        if kind == Kind::Text {
            self.scanner.string()
        } else {
            Err(self.scanner.error_at(self.scanner.at(), wrong_type("a string", kind)(self.key)))
        }
    }

    fn strings(&mut self, or_null: bool) -> Result<Vec<Item>> {
        let kind = self.scanner.kind()?;
        let at = self.scanner.at();
        if kind != Kind::List {
            self.scanner.skip()?;
            self.mend(at, wrong_type("a list", kind), "read as an empty list")?;
            return Ok(Vec::new());
        }
        let items = self.scanner.strings()?;
        let is_odd = |item: &&Item| matches!(item, Item::Other(..)) || (!or_null && matches!(item, Item::Null));
        if items.iter().any(|item| is_odd(&item)) {
            let wanted = if or_null { "strings and null" } else { "strings" };
            let reason = |key: &str| format!("`{key}` must be a list of {wanted}");
            self.mend(at, reason, "what is no string is read as its JSON")?;
        }
        Ok(items)
    }

    fn indices(&mut self) -> Result<Option<Vec<u64>>> {
        let kind = self.scanner.kind()?;
        let at = self.scanner.at();
        if kind != Kind::List {
            self.scanner.skip()?;
            self.mend(at, wrong_type("a list", kind), "left out")?;
            return Ok(None);
        }
        let mut indices = Vec::new();
        let mut is_odd = false;
        self.scanner.list(|scanner| {
            match scanner.whole()? {
                Some(index) => indices.push(index),
                None => is_odd = true,
            }
            Ok(())
        })?;
        if is_odd {
            let reason = |key: &str| format!("`{key}` must be a list of indices of sources");
            self.mend(at, reason, "what is no index is left out")?;
        }
        Ok(Some(indices))
    }
}

fn wrong_type(wanted: &'static str, kind: Kind) -> impl FnOnce(&str) -> String {
    move |key| format!("`{key}` must be {wanted}, not {}", kind.name())
}
