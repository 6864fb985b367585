//! Decides whether a value of one type is welcome where another is taken.
//!
//! The question is asked of payloads that may cross between languages as JSON, so a tuple and a list are the same, and two
//! records agree by their fields: what a struct in Rust and a `TypedDict` in Python call the same record differs in all but
//! that. What is not known (`Any`) agrees with everything and is checked message by message.

use std::fmt;

use oxflow::shape::{Field, Record, Type};

use super::spell::python_name;

/// Where two types part, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Disagreement {
    /// The place inside the payload: `tags`, `values[]`, `tags.env`; empty for the payload itself.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// How two types part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The value has another type.
    Mismatch {
        /// The type that is given, in Python's words.
        given: String,
        /// The type that is taken.
        taken: String,
    },
    /// A required field is not there.
    Missing,
    /// A required field may be absent.
    Optional,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            let what = if self.path.starts_with('[') { "item" } else { "field" };
            let colon = if matches!(self.problem, Problem::Mismatch { .. }) { ":" } else { "" };
            write!(formatter, "{what} `{}`{colon} ", self.path)?;
        }
        match &self.problem {
            Problem::Mismatch { given, taken } => write!(formatter, "`{given}` is not `{taken}`"),
            Problem::Missing => write!(formatter, "is missing"),
            Problem::Optional => write!(formatter, "may be absent"),
        }
    }
}

/// Is a value of type `given` welcome where `taken` is taken? If not, says where they part.
pub fn agree(given: &Type, taken: &Type) -> Result<(), Disagreement> {
    Comparison::default().compare(Side { shape: given, enclosing: &[] }, Side { shape: taken, enclosing: &[] })
}

/// A type and the records around it, outermost first: those that `Type::Enclosing` may name.
#[derive(Clone, Copy)]
struct Side<'t, 'e> {
    shape: &'t Type,
    enclosing: &'e [&'t Record],
}

impl<'t, 'e> Side<'t, 'e> {
    fn inner(self, shape: &'t Type) -> Self {
        Self { shape, ..self }
    }

    /// The record that this is or names, with the records around it.
    fn record(self) -> Option<(&'t Record, &'e [&'t Record])> {
        match self.shape {
            Type::Record(record) => Some((record, self.enclosing)),
            Type::Enclosing(name) => {
                let depth = self.enclosing.iter().rposition(|record| record.name == *name)?;
                Some((*self.enclosing.get(depth)?, self.enclosing.get(..depth)?))
            }
            _ => None,
        }
    }
}

/// One run of the question. Remembers the pairs of records that it is inside of: meeting one again proves nothing new, which
/// is what ends recursive types.
#[derive(Default)]
struct Comparison<'g, 't> {
    assumed: Vec<(&'g Record, &'t Record)>,
}

type Answer = Result<(), Disagreement>;

impl<'g, 't> Comparison<'g, 't> {
    fn compare(&mut self, given: Side<'g, '_>, taken: Side<'t, '_>) -> Answer {
        match (given.shape, taken.shape) {
            (Type::Any, _) | (_, Type::Any) | (Type::Int, Type::Float) | (Type::Literal(_), Type::Str) => Ok(()),
            (Type::Union(members), _) => members.iter().try_for_each(|member| self.compare(given.inner(member), taken)),
            (_, Type::Union(members)) => self.compare_with_any_of(given, taken, members),
            (Type::Literal(words), Type::Literal(known)) if words.iter().all(|word| known.contains(word)) => Ok(()),
            (Type::List(item), Type::List(wanted)) => {
                self.compare(given.inner(item), taken.inner(wanted)).map_err(|error| error.inside("[]"))
            }
            (Type::Tuple(items), Type::Tuple(wanted)) if items.len() == wanted.len() => {
                (0..).zip(items.iter().zip(wanted)).try_for_each(|(index, (item, wanted))| {
                    self.compare(given.inner(item), taken.inner(wanted))
                        .map_err(|error| error.inside(&format!("[{index}]")))
                })
            }
            (Type::Tuple(items), Type::List(wanted)) => items.iter().try_for_each(|item| {
                self.compare(given.inner(item), taken.inner(wanted)).map_err(|error| error.inside("[]"))
            }),
            (Type::List(item), Type::Tuple(wanted)) => wanted.iter().try_for_each(|wanted| {
                self.compare(given.inner(item), taken.inner(wanted)).map_err(|error| error.inside("[]"))
            }),
            (Type::Dict(key, value), Type::Dict(wanted_key, wanted_value)) => {
                self.compare(given.inner(key), taken.inner(wanted_key)).map_err(|_| mismatch(given, taken))?;
                self.compare(given.inner(value), taken.inner(wanted_value)).map_err(|error| error.inside("[]"))
            }
            (Type::Dict(_, value), _) if taken.record().is_some() && **value == Type::Any => Ok(()),
            (_, Type::Dict(key, value)) => self.compare_fields_with_dict(given, taken, key, value),
            (left, right) if left == right && given.record().is_none() => Ok(()),
            _ => self.compare_records(given, taken),
        }
    }

    /// Against a union whose only other member is `None`, the reason of the one member says more than the union would.
    fn compare_with_any_of(&mut self, given: Side<'g, '_>, taken: Side<'t, '_>, members: &'t [Type]) -> Answer {
        let mut reasons = Vec::new();
        for member in members {
            match self.compare(given, taken.inner(member)) {
                Ok(()) => return Ok(()),
                Err(reason) if member != &Type::None => reasons.push(reason),
                Err(_) => {}
            }
        }
        let only = if reasons.len() == 1 && given.shape != &Type::None { reasons.pop() } else { None };
        Err(only.unwrap_or_else(|| mismatch(given, taken)))
    }

    /// A record is welcome as a dict if its names are welcome as keys and its fields as values.
    fn compare_fields_with_dict(
        &mut self,
        given: Side<'g, '_>,
        taken: Side<'t, '_>,
        key: &'t Type,
        value: &'t Type,
    ) -> Answer {
        let Some((record, around)) = given.record() else { return Err(mismatch(given, taken)) };
        self.compare(Side { shape: &Type::Str, enclosing: &[] }, taken.inner(key))
            .map_err(|_| mismatch(given, taken))?;
        let enclosing = &with(around, record);
        record.fields.iter().try_for_each(|field| {
            self.compare(Side { shape: &field.shape, enclosing }, taken.inner(value))
                .map_err(|error| error.inside(&field.name))
        })
    }

    fn compare_records(&mut self, given: Side<'g, '_>, taken: Side<'t, '_>) -> Answer {
        let (Some((left, left_around)), Some((right, right_around))) = (given.record(), taken.record()) else {
            return Err(mismatch(given, taken));
        };
        let seen = |pair: &(&Record, &Record)| std::ptr::eq(pair.0, left) && std::ptr::eq(pair.1, right);
        if self.assumed.iter().any(seen) {
            return Ok(());
        }
        let depth = self.assumed.len();
        self.assumed.push((left, right));
        let (left_enclosing, right_enclosing) = (&with(left_around, left), &with(right_around, right));
        let answer = right.fields.iter().try_for_each(|wanted| {
            let field = left.fields.iter().find(|field| field.name == wanted.name);
            self.compare_field(field, left_enclosing, wanted, right_enclosing)
                .map_err(|error| error.inside(&wanted.name))
        });
        if answer.is_err() {
            self.assumed.truncate(depth);
        }
        answer
    }

    fn compare_field(
        &mut self,
        field: Option<&'g Field>,
        enclosing: &[&'g Record],
        wanted: &'t Field,
        wanted_enclosing: &[&'t Record],
    ) -> Answer {
        let problem = match field {
            Some(field) if field.required || field.always || !wanted.required => {
                let taken = Side { shape: &wanted.shape, enclosing: wanted_enclosing };
                return self.compare(Side { shape: &field.shape, enclosing }, taken);
            }
            None if !wanted.required => return Ok(()),
            Some(_) => Problem::Optional,
            None => Problem::Missing,
        };
        Err(Disagreement { path: String::new(), problem })
    }
}

impl Disagreement {
    /// The same, seen from one level further out.
    fn inside(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

fn mismatch(given: Side<'_, '_>, taken: Side<'_, '_>) -> Disagreement {
    let problem = Problem::Mismatch { given: python_name(given.shape), taken: python_name(taken.shape) };
    Disagreement { path: String::new(), problem }
}

fn with<'r>(around: &[&'r Record], record: &'r Record) -> Vec<&'r Record> {
    around.iter().copied().chain([record]).collect()
}

#[cfg(test)]
#[path = "agree_tests.rs"]
mod tests;
