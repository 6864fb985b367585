//! Why an object is not what a type takes.

use serde::de::{Error, Expected, Unexpected};
use std::fmt;

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Wrong(Box<Inside>);

#[derive(Debug)]
struct Inside {
    reason: String,
    /// Fields and indices that lead to the value, the last one first: `.tags`, `[3]`.
    path: Vec<String>,
}

impl Wrong {
    pub(super) fn new(reason: impl fmt::Display) -> Self {
        Self(Box::new(Inside { reason: reason.to_string(), path: Vec::new() }))
    }

    /// The same, seen from what holds the value.
    pub(super) fn below(mut self, segment: String) -> Self {
        self.0.path.push(segment);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: String = self.0.path.iter().rev().map(String::as_str).collect();
        match path.strip_prefix('.').unwrap_or(&path) {
            "" => formatter.write_str(&self.0.reason),
            path => write!(formatter, "`{path}`: {}", self.0.reason),
        }
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match found {
            Unexpected::Unit => Self::new(format_args!("invalid type: None, expected {expected}")),
            _ => Self::new(format_args!("invalid type: {found}, expected {expected}")),
        }
    }
}
