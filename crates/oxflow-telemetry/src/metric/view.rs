//! What users want to see of an instrument otherwise than it is.

use super::histogram::DEFAULT_BOUNDS;
use super::instrument::{Draft, InstrumentKind};
use crate::scope::Scope;

/// How measurements become points.
#[derive(Clone, Debug, PartialEq)]
pub enum Aggregation {
    /// Not at all.
    Drop,
    /// They are added up.
    Sum,
    /// The last one counts.
    LastValue,
    /// They are counted in buckets that end at these bounds, which ascend.
    Histogram(Vec<f64>),
    /// They are counted in buckets that adapt.
    Exponential {
        /// Most buckets on either side of zero.
        buckets: usize,
        /// The finest scale.
        scale: i8,
    },
}

/// A stream for the instruments that fit all of what is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Name of the instruments, with `*` for any letters and `?` for one.
    pub instrument: Option<String>,
    /// Their kind.
    pub kind: Option<InstrumentKind>,
    /// Their unit.
    pub unit: Option<String>,
    /// Name of their meter.
    pub meter: Option<String>,
    /// What the stream is called instead.
    pub name: Option<String>,
    /// What it is described as instead.
    pub description: Option<String>,
    /// The only attributes that it keeps.
    pub keys: Option<Vec<String>>,
    /// How it aggregates instead.
    pub aggregation: Option<Aggregation>,
}

impl View {
    pub(crate) fn fits(&self, draft: &Draft, scope: &Scope) -> bool {
        self.instrument.as_ref().is_none_or(|pattern| matches(pattern.as_bytes(), draft.name.as_bytes()))
            && self.kind.is_none_or(|kind| kind == draft.kind)
            && self.unit.as_ref().is_none_or(|unit| *unit == draft.unit)
            && self.meter.as_ref().is_none_or(|meter| *meter == scope.name)
    }
}

impl Aggregation {
    /// What is right for a kind of instrument.
    pub(crate) fn of(draft: &Draft) -> Self {
        match draft.kind {
            InstrumentKind::Gauge | InstrumentKind::ObservableGauge => Self::LastValue,
            InstrumentKind::Histogram => {
                Self::Histogram(draft.bounds.clone().unwrap_or_else(|| DEFAULT_BOUNDS.to_vec()))
            }
            _ => Self::Sum,
        }
    }
}

/// Compares by letters that ignore their case, as names of instruments do.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last star stands and what it has eaten so far.
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < name.len() {
        match (pattern.get(at), name.get(seen)) {
            (Some(b'*'), _) => {
                star = Some((at, seen));
                at += 1;
            }
            (Some(one), Some(other)) if *one == b'?' || one.eq_ignore_ascii_case(other) => {
                (at, seen) = (at + 1, seen + 1);
            }
            _ => match star {
                Some((place, eaten)) => {
                    star = Some((place, eaten + 1));
                    (at, seen) = (place + 1, eaten + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_whole_names() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("http.*.duration", "http.server.duration", true),
            ("http.*.duration", "http.duration", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a?c", "aBc", true),
            ("a", "ab", false),
            ("", "", true),
            ("*a", "aab", false),
        ] {
            assert_eq!(expected, matches(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }
}
