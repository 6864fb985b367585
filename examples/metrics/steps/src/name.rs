//! Names of metrics: `c:sessions/session@none` is type, use case, name and unit.

use std::fmt;
use std::str::FromStr;

/// What the pipeline wants to know of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricName {
    pub use_case: String,
    pub unit: String,
}

/// A name that isn't of the form `type:use_case/name@unit`.
#[derive(Clone, Debug, PartialEq)]
pub struct Malformed {
    pub name: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not of the form `type:use_case/name@unit`", self.name)
    }
}

impl std::error::Error for Malformed {}

impl FromStr for MetricName {
    type Err = Malformed;

    fn from_str(name: &str) -> Result<Self, Malformed> {
        let parts = || {
            let (_, rest) = name.split_once(':')?;
            let (use_case, rest) = rest.split_once('/')?;
            let (_, unit) = rest.rsplit_once('@')?;
            Some(Self { use_case: use_case.to_owned(), unit: unit.to_owned() })
        };
        parts().ok_or_else(|| Malformed { name: name.to_owned() })
    }
}
