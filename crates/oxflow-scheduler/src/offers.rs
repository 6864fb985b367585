//! Offers as they come in: names, amounts in rows, attributes.

use std::collections::HashSet;

use crate::attributes::Attributes;
use crate::error::{SchedulerError, Subject};
use crate::names::Names;

/// What is offered.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    /// The name of each.
    pub names: Names,
    /// What each has of each resource, one offer after the other.
    pub rows: Vec<f64>,
    /// The attributes of each; may be shorter.
    pub attributes: Attributes,
}

impl Offers {
    /// Whether each amount is one and no name stands twice.
    pub(crate) fn check(&self, resources: &[String]) -> Result<(), SchedulerError> {
        check_rows(&self.rows, resources, |index| Subject::Offer(self.names.at(index).to_owned()))?;
        check_names(&self.names).map_err(|name| SchedulerError::Duplicate(Subject::Offer(name)))
    }
}

/// Whether each amount is finite and not negative.
pub(crate) fn check_rows(
    rows: &[f64],
    resources: &[String],
    subject: impl Fn(usize) -> Subject,
) -> Result<(), SchedulerError> {
    let wrong = rows.iter().position(|amount| !(*amount >= 0.0 && amount.is_finite()));
    let Some((place, amount)) = wrong.and_then(|place| Some((place, *rows.get(place)?))) else { return Ok(()) };
    let resource = resources.get(place % resources.len().max(1)).cloned().unwrap_or_default();
    Err(SchedulerError::Amount { subject: subject(place / resources.len().max(1)), resource, amount })
}

/// The first name that stands twice is the error.
pub(crate) fn check_names(names: &Names) -> Result<(), String> {
    let mut seen = HashSet::with_capacity(names.len());
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(twice) => Err(twice.to_owned()),
        None => Ok(()),
    }
}
