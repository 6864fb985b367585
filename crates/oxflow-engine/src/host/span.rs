//! Spans that an extension made and hasn't closed.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::record::{FIELDS, Fields, Site, Text, Value};
use super::recorder::Recorder;
use super::shard::Shard;
use crate::telemetry::Export;

/// A stretch of time in an extension.
#[derive(Debug)]
pub(super) struct Span {
    /// What the ABI calls it.
    pub(super) number: u64,
    pub(super) site: Site,
    /// The module that made it.
    pub(super) source: usize,
    /// What the module wants back.
    pub(super) tag: AtomicPtr<()>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) shard: Arc<Shard>,
    pub(super) step: Option<usize>,
    pub(super) trace_id: u128,
    pub(super) id: u64,
    pub(super) parent_id: u64,
    pub(super) started: Instant,
    pub(super) fields: Mutex<Fields>,
    /// The same span on its way out of the process.
    pub(super) export: Option<Arc<dyn Export>>,
}

impl Span {
    pub(super) fn name(&self) -> Text {
        self.site.name.clone()
    }

    pub(super) fn tag(&self) -> *const () {
        self.tag.load(Ordering::Relaxed)
    }

    pub(super) fn fields(&self) -> Fields {
        self.fields.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds values, or replaces those of the same name.
    pub(super) fn record(&self, values: Fields) {
        let mut fields = self.fields.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in values {
            self.export.iter().for_each(|export| export.set(&name, &value));
            set(&mut fields, name, value);
        }
    }
}

fn set(fields: &mut Fields, name: Text, value: Value) {
    let is_full = fields.len() >= FIELDS;
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None if is_full => {}
        None => fields.push((name, value)),
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.recorder.is_of_this_process() {
            self.export.iter().for_each(|export| export.end());
            self.shard.ended(self.name(), self.step, self.started.elapsed());
        }
    }
}
