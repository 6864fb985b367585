//! Stands for the stacks of lanes where the system has no threads of POSIX.

use pyo3::prelude::*;

/// No lane is known.
#[derive(Debug, Default)]
pub(super) struct Lanes;

impl Lanes {
    /// Nothing to note.
    pub(super) fn enter(&self, _lane: usize) {}

    /// There is no way to it.
    pub(super) fn stack(&self, _lane: usize) -> Option<String> {
        None
    }
}

/// Nothing to prepare.
pub(crate) fn prepare(_py: Python<'_>) {}
