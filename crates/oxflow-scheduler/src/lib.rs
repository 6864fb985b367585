//! Best-fit matching of tasks to offers, with exactly the answers of the plain loop.
//!
//! ```
//! use std::collections::HashSet;
//! use oxflow_scheduler::{Formula, Matcher, Mode, Offers, Policy, Settings, Tasks};
//!
//! let resources = vec!["cpu".to_owned(), "memory".to_owned()];
//! let policy = Policy::new(Formula::BestFit, vec![1.0, 0.25])?;
//! let settings =
//!     Settings { resources, policy, threshold: 31.0, good_enough: None, mode: Mode::Exclusive, fair: false };
//! let mut matcher = Matcher::new(settings)?;
//! let names = ["large", "small"].into_iter().collect();
//! matcher.add_offers(&Offers { names, rows: vec![8.0, 32.0, 2.0, 8.0], ..Offers::default() })?;
//! let tasks = Tasks::new(["build"].into_iter().collect(), vec![1.0, 4.0]);
//! let matching = matcher.run(tasks, &HashSet::new(), None)?;
//! assert_eq!(vec![("build", "small")], matching.pairs().collect::<Vec<_>>());
//! # Ok::<(), oxflow_scheduler::SchedulerError>(())
//! ```
//!
//! The loop takes the tasks in order, looks at all offers for each, takes the one of the lowest score below a threshold, of equals the first
//! in line, and takes it out of the line, where the last one takes its place. Here the offers lie in a tree of boxes (`tree/`), and a
//! task looks only into boxes that may hold something better than it has, which is as exact since the bounds are
//! (`policy.rs`). What else a task may demand (`rules.rs`, `spread.rs`, `queue.rs`) only leaves out offers or changes the order.

mod attributes;
mod constraint;
mod document;
mod error;
mod explain;
mod matcher;
mod matching;
mod names;
mod offers;
mod planted;
mod policy;
mod quantity;
mod queue;
mod round;
mod rules;
mod scores;
mod spread;
mod table;
mod tasks;
mod tree;

pub use self::attributes::Attributes;
pub use self::constraint::{Comparison, Constraint, Test, Value};
pub use self::document::{MOST_DEPTH, flatten};
pub use self::error::{SchedulerError, Subject};
pub use self::explain::{Explanation, Nearest};
pub use self::matcher::{Matcher, Mode, Settings};
pub use self::matching::{Cause, Matching, Method, Refusal, Stats};
pub use self::names::Names;
pub use self::offers::Offers;
pub use self::policy::{Formula, Policy};
pub use self::quantity::quantity;
pub use self::scores::Score;
pub use self::tasks::{Extras, Spread, Tasks};
