//! Records that are sent together.

use std::sync::Arc;

use crate::scope::{Resource, Scope};
use crate::wire;

/// Records in the order in which they came, by scope. Each lies there as a field of the message that is sent.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    groups: Vec<Group>,
    records: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Group {
    scope: Arc<Scope>,
    written: Vec<u8>,
}

impl Batch {
    /// Adds what `write` writes, `records` records of this scope.
    pub(crate) fn add(&mut self, scope: &Arc<Scope>, records: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let known = self.groups.iter().rposition(|group| same(&group.scope, scope));
        let at = known.unwrap_or(self.groups.len());
        if known.is_none() {
            self.groups.push(Group { scope: Arc::clone(scope), written: Vec::new() });
        }
        if let Some(group) = self.groups.get_mut(at) {
            let before = group.written.len();
            write(&mut group.written);
            self.bytes += group.written.len() - before;
            self.records += records;
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The request of OTLP: `ResourceSpans`, `ResourceLogs` or `ResourceMetrics`, which have the same shape.
    pub(crate) fn request(&self, resource: &Resource) -> Vec<u8> {
        let mut request = Vec::with_capacity(self.bytes + 512);
        wire::message(&mut request, 1, |to| {
            wire::message(to, 1, |to| resource.write(to));
            for group in &self.groups {
                wire::message(to, 2, |to| {
                    wire::message(to, 1, |to| group.scope.write(to));
                    to.extend_from_slice(&group.written);
                    wire::text(to, 3, &group.scope.schema_url);
                });
            }
            wire::text(to, 3, &resource.schema_url);
        });
        request
    }

    /// What was written, without anything around it.
    pub(crate) fn plain(&self) -> Vec<u8> {
        self.groups.iter().flat_map(|group| &group.written).copied().collect()
    }
}

fn same(one: &Arc<Scope>, other: &Arc<Scope>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}
