//! Whom anyone listens to: a level for each target, and one for all others.

use oxflow::abi::host::{Level, Recorded};

/// Spans of this level are kept whatever the level of log records is: they tell where time goes.
const SPANS: u32 = Level::Info as u32;

/// The most verbose level that is wanted of each target. A level is a number of [`Level`], or 0 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    rest: u32,
    /// Names with dots, `my_steps.parser`; each is for the targets below it, too.
    named: Vec<(String, u32)>,
    most: u32,
}

impl Levels {
    /// `named`: names with dots, as loggers of Python have them, each for the targets below it, too; `rest`: for all others.
    pub fn new(named: Vec<(String, u32)>, rest: u32) -> Self {
        let most = named.iter().map(|(_, level)| *level).max().unwrap_or(0).max(rest);
        Self { rest, named, most }
    }

    /// The most verbose level of a kind that is wanted of anyone.
    pub(super) fn most(&self, kind: u32) -> u32 {
        if kind == Recorded::Span as u32 { self.most.max(SPANS) } else { self.most }
    }

    /// True if this is wanted.
    pub(super) fn wants(&self, kind: u32, level: u32, target: &str) -> bool {
        let spans = if kind == Recorded::Span as u32 { SPANS } else { 0 };
        level <= self.most(kind) && (level <= spans || level <= self.of(target))
    }

    fn of(&self, target: &str) -> u32 {
        let covering = self.named.iter().filter(|(name, _)| covers(name, target));
        covering.max_by_key(|(name, _)| name.len()).map_or(self.rest, |(_, level)| *level)
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::new(Vec::new(), Level::Warn as u32)
    }
}

/// True if the logger of this name is that of the target, or above it.
fn covers(name: &str, target: &str) -> bool {
    let mut parts = target.split("::").flat_map(|part| part.split('.'));
    name.split('.').all(|part| parts.next() == Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: bool, kind: Recorded, level: Level, target: &str) {
        let named = [("steps", 4), ("steps.quiet", 1), ("steps.quiet.loud", 5), ("off", 0)];
        let levels = Levels::new(named.map(|(name, level)| (name.to_owned(), level)).to_vec(), 2);
        assert_eq!(expected, levels.wants(kind as u32, level as u32, target), "{level:?} of {target}");
    }

    #[test]
    fn the_nearest_name_decides() {
        check(true, Recorded::Event, Level::Debug, "steps::parser");
        check(false, Recorded::Event, Level::Trace, "steps::parser");
        check(false, Recorded::Event, Level::Warn, "steps::quiet::deep");
        check(true, Recorded::Event, Level::Trace, "steps::quiet::loud");
        check(false, Recorded::Event, Level::Error, "off");
        check(true, Recorded::Event, Level::Warn, "stepsister");
        check(false, Recorded::Event, Level::Info, "stepsister");
        check(true, Recorded::Event, Level::Debug, "steps.by.dots");
    }

    #[test]
    fn spans_of_info_are_always_wanted() {
        check(true, Recorded::Span, Level::Info, "off");
        check(false, Recorded::Span, Level::Debug, "other");
        check(true, Recorded::Span, Level::Debug, "steps");
    }
}
