//! What a task demands of the attributes of an offer.

use std::fmt;
use std::hash::{Hash, Hasher};

use regex::Regex;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(Box<str>),
    /// A number; never NaN.
    Number(f64),
    /// True or false.
    Truth(bool),
}

// Numbers are never NaN.
impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Text(text) => text.hash(state),
            // 0.0 equals -0.0.
            Self::Number(number) => (number + 0.0).to_bits().hash(state),
            Self::Truth(truth) => truth.hash(state),
        }
    }
}

impl Value {
    /// The number that this is, or that is written in this text.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.trim().parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Truth(_) => None,
        }
    }
}

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    From,
    /// `<`
    Below,
    /// `<=`
    UpTo,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// The attribute is there and one of these.
    In(Vec<Value>),
    /// The attribute is not there, or none of these.
    NotIn(Vec<Value>),
    /// The attribute is there, a text, and this pattern matches all of it.
    Matches(String),
    /// The attribute is there, a number or the text of one, and compares so.
    Compares(Comparison, Value),
}

/// A test of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constraint {
    /// Name of the attribute.
    pub attribute: String,
    /// What is looked at.
    pub test: Test,
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Truth(truth) => write!(formatter, "{truth}"),
        }
    }
}

/// As a person would write it: `pool = prod`, `zone in (a, b)`.
impl fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attribute = &self.attribute;
        let listed = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        match &self.test {
            Test::In(values) => match values.as_slice() {
                [value] => write!(formatter, "{attribute} = {value}"),
                values => write!(formatter, "{attribute} in ({})", listed(values)),
            },
            Test::NotIn(values) => match values.as_slice() {
                [value] => write!(formatter, "{attribute} != {value}"),
                values => write!(formatter, "{attribute} not in ({})", listed(values)),
            },
            Test::Matches(pattern) => write!(formatter, "{attribute} ~ {pattern}"),
            Test::Compares(comparison, value) => {
                let sign = match comparison {
                    Comparison::Above => ">",
                    Comparison::From => ">=",
                    Comparison::Below => "<",
                    Comparison::UpTo => "<=",
                };
                write!(formatter, "{attribute} {sign} {value}")
            }
        }
    }
}

/// A test that is ready to look at values.
#[derive(Clone, Debug)]
pub(crate) enum Ready {
    In(Vec<Value>),
    NotIn(Vec<Value>),
    Matches(Regex),
    Compares(Comparison, f64),
}

impl Ready {
    /// Makes a test ready; an error says why that can't be.
    pub(crate) fn new(test: &Test) -> Result<Self, String> {
        Ok(match test {
            Test::In(values) => Self::In(values.clone()),
            Test::NotIn(values) => Self::NotIn(values.clone()),
            Test::Matches(pattern) => Self::Matches(whole(pattern)?),
            Test::Compares(comparison, value) => {
                let number = value.number().filter(|number| !number.is_nan());
                Self::Compares(*comparison, number.ok_or_else(|| "what it compares with is no number".to_owned())?)
            }
        })
    }

    /// Whether an attribute passes; `None` is one that is not there.
    pub(crate) fn passes(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::In(values), Some(value)) => values.contains(value),
            (Self::NotIn(values), Some(value)) => !values.contains(value),
            (Self::NotIn(_), None) => true,
            (Self::Matches(pattern), Some(Value::Text(text))) => pattern.is_match(text),
            (Self::Compares(comparison, with), Some(value)) => value.number().is_some_and(|number| match comparison {
                Comparison::Above => number > *with,
                Comparison::From => number >= *with,
                Comparison::Below => number < *with,
                Comparison::UpTo => number <= *with,
            }),
            _ => false,
        }
    }
}

/// A pattern that matches from the first to the last letter.
fn whole(pattern: &str) -> Result<Regex, String> {
    // Alone first: an unbalanced bracket must not become balanced by ours.
    Regex::new(pattern).map_err(|error| last_line(&error))?;
    Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|error| last_line(&error))
}

/// The reason; what stands before it is the pattern with a pointer into it.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Ready, Test, Value};

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[track_caller]
    fn check(test: &Test, passes: &[Value], fails: &[Value], absent: bool) {
        let ready = Ready::new(test).unwrap();
        assert!(passes.iter().all(|value| ready.passes(Some(value))), "{test:?}");
        assert!(!fails.iter().any(|value| ready.passes(Some(value))), "{test:?}");
        assert_eq!(absent, ready.passes(None), "{test:?}");
    }

    #[test]
    fn each_test_says_what_of_an_absent_attribute() {
        check(&Test::In(vec![text("a"), Value::Number(1.0)]), &[text("a"), Value::Number(1.0)], &[text("1")], false);
        check(&Test::NotIn(vec![text("a")]), &[text("b"), Value::Truth(true)], &[text("a")], true);
        check(&Test::Matches("a|b+".into()), &[text("a"), text("bb")], &[text("ab"), Value::Number(1.0)], false);
        let above = Test::Compares(Comparison::Above, text("2"));
        check(&above, &[Value::Number(2.5), text("10")], &[Value::Number(2.0), text("x"), Value::Truth(true)], false);
        let up_to = Test::Compares(Comparison::UpTo, Value::Number(2.0));
        check(&up_to, &[Value::Number(2.0)], &[Value::Number(2.5)], false);
    }

    #[test]
    fn what_the_engine_of_patterns_does_not_know_is_refused() {
        let refused = |pattern: &str| Ready::new(&Test::Matches(pattern.into())).unwrap_err();
        assert!(refused("a(?=b)").contains("look-around"), "{}", refused("a(?=b)"));
        assert!(refused(r"(a)\1").contains("backreferences"), "{}", refused(r"(a)\1"));
        refused("a)(b");
        refused("(");
    }

    #[test]
    fn a_number_is_compared_with_a_number() {
        Ready::new(&Test::Compares(Comparison::Above, text("much"))).unwrap_err();
        Ready::new(&Test::Compares(Comparison::Above, text("nan"))).unwrap_err();
    }
}
