//! A record while it is written: values become borrowed pieces of one buffer, which each thread keeps for the next record.

use crate::abi::host::{Entry, Field, FieldKind};
use crate::report::{NONE, lend};
use std::cell::Cell;
use std::fmt::{self, Write};
use std::ops::Range;

/// Message and fields of a record.
#[derive(Debug, Default)]
pub(super) struct Draft {
    text: String,
    message: Option<Range<usize>>,
    fields: Vec<Drafted>,
}

#[derive(Debug)]
struct Drafted {
    name: &'static str,
    kind: FieldKind,
    bits: u64,
    text: Range<usize>,
}

/// Where a record was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site<'a> {
    pub(super) level: u32,
    pub(super) lasting: bool,
    pub(super) name: &'a str,
    pub(super) target: &'a str,
    pub(super) module: Option<&'a str>,
    pub(super) file: Option<&'a str>,
    pub(super) line: Option<u32>,
}

thread_local! {
    static KEPT: Cell<Option<Draft>> = const { Cell::new(None) };
}

/// A buffer that one huge record made larger than this isn't kept.
const KEPT_BYTES: usize = 16 << 10;

impl Draft {
    /// Lends an empty draft to `write`, and what came of it to `send`.
    pub(super) fn with<R>(write: impl FnOnce(&mut Self), send: impl FnOnce(&Self) -> R) -> R {
        // Taken, not borrowed: what is written may record something itself.
        let mut draft = KEPT.try_with(Cell::take).ok().flatten().unwrap_or_default();
        write(&mut draft);
        let answer = send(&draft);
        draft.text.clear();
        draft.message = None;
        draft.fields.clear();
        if draft.text.capacity() <= KEPT_BYTES {
            // A thread that ends has none any more.
            let _ = KEPT.try_with(|kept| kept.set(Some(draft)));
        }
        answer
    }

    pub(super) fn message(&mut self, message: &dyn fmt::Debug) {
        self.message = Some(self.write(format_args!("{message:?}")));
    }

    /// The value of a field, as its type writes it.
    #[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "records of `log` have no fields"))]
    pub(super) fn shown(&mut self, name: &'static str, value: fmt::Arguments<'_>) {
        let text = self.write(value);
        self.fields.push(Drafted { name, kind: FieldKind::Text, bits: 0, text });
    }

    #[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "records of `log` have no fields"))]
    pub(super) fn bits(&mut self, name: &'static str, kind: FieldKind, bits: u64) {
        self.fields.push(Drafted { name, kind, bits, text: 0..0 });
    }

    fn write(&mut self, value: fmt::Arguments<'_>) -> Range<usize> {
        let start = self.text.len();
        // A value that can't be written is as long as it came.
        let _ = self.text.write_fmt(value);
        start..self.text.len()
    }

    /// The fields, borrowed.
    pub(super) fn fields<R>(&self, read: impl FnOnce(&[Field]) -> R) -> R {
        let field = |drafted: &Drafted| Field {
            name: lend(drafted.name.as_bytes()),
            kind: drafted.kind as u32,
            bits: drafted.bits,
            text: lend(self.piece(&drafted.text)),
        };
        // Most records have few: these need no memory.
        let mut few = [Field { name: NONE, kind: 0, bits: 0, text: NONE }; 8];
        match few.get_mut(..self.fields.len()) {
            Some(few) => {
                few.iter_mut().zip(&self.fields).for_each(|(slot, drafted)| *slot = field(drafted));
                read(few)
            }
            None => read(&self.fields.iter().map(field).collect::<Vec<_>>()),
        }
    }

    /// The whole record, borrowed.
    pub(super) fn entry<R>(&self, site: Site<'_>, read: impl FnOnce(&Entry) -> R) -> R {
        let optional = |text: Option<&str>| text.map_or(NONE, |text| lend(text.as_bytes()));
        self.fields(|fields| {
            read(&Entry {
                size: size_of::<Entry>(),
                level: site.level,
                lasting: u32::from(site.lasting),
                line: site.line.unwrap_or(0),
                name: lend(site.name.as_bytes()),
                target: lend(site.target.as_bytes()),
                module: optional(site.module),
                file: optional(site.file),
                message: self.message.as_ref().map_or(NONE, |range| lend(self.piece(range))),
                fields_len: fields.len(),
                fields: fields.as_ptr(),
            })
        })
    }

    fn piece(&self, range: &Range<usize>) -> &[u8] {
        self.text.as_bytes().get(range.clone()).unwrap_or_default()
    }
}
