//! The scheduler, as Python sees it: reads tasks and offers, lets go of the interpreter, matches, shows what came of it.

mod amounts;
mod columns;
mod demands;
mod documents;
mod failure;
mod fields;
mod matcher;
mod matching;
mod objects;
mod score;

pub(crate) use self::documents::flatten_tasks;
pub(crate) use self::matcher::Matcher;
pub(crate) use self::matching::Matching;
