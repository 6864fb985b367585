//! Names of metrics: `c:sessions/session@none` is type, use case, name and unit.

use std::fmt;
use std::str::FromStr;

use oxflow::metrics::Counter;
use tracing::{debug, debug_span};

static MALFORMED: Counter = Counter::new("malformed_names", "names that say no use case or unit");

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
        let _span = debug_span!("understand", name).entered();
        let parts = || {
            let (_, rest) = name.split_once(':')?;
            let (use_case, rest) = rest.split_once('/')?;
            let (_, unit) = rest.rsplit_once('@')?;
            Some(Self { use_case: use_case.to_owned(), unit: unit.to_owned() })
        };
        let Some(parts) = parts() else {
            MALFORMED.add(1);
            return Err(Malformed { name: name.to_owned() });
        };
        debug!(use_case = parts.use_case, unit = parts.unit, "understood");
        Ok(parts)
    }
}
