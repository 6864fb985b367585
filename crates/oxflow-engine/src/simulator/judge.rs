//! Decides what it means that a function failed: `crate::lane::judge` and `letters` in small.

use std::collections::BTreeMap;

use super::disk::Item;
use super::lane::{Origin, Row, State};
use super::outside::{End, Outside};
use super::world::{Function, Policy, Value};
use crate::limits::Breach;

/// What a step did not handle.
#[derive(Default)]
pub(super) struct Failed {
    /// Indices of what it failed on, ascending.
    pub(super) rows: Vec<usize>,
    /// The first that was left because the pipeline stops.
    pub(super) left: Option<usize>,
}

pub(super) struct Judged {
    /// So many rows, from the first on, are over with this step.
    pub(super) handled: usize,
    pub(super) ended: Result<(), End>,
}

/// A dead letter, not yet written.
struct Letter {
    about: Origin,
    item: Item,
}

pub(super) fn judge(
    function: &Function,
    rows: &[Row],
    failed: Failed,
    state: &mut State,
    outside: &mut Outside<'_>,
) -> Result<Judged, End> {
    let mut judged = Judged { handled: failed.left.unwrap_or(rows.len()), ended: Ok(()) };
    let mut posted = Vec::new();
    for row in failed.rows {
        outside.log.tell("fault", || format!("{:?} of step {} on {:?}", function.policy, function.step, rows[row]));
        match function.policy {
            Policy::Fail => judged = Judged { handled: row, ended: Err(End::Step) },
            Policy::Skip => {}
            Policy::DeadLetter => {
                let breach = post(function.step, &rows[row], &mut posted, state);
                if let Some(breach) = breach.filter(|_| outside.patient()) {
                    outside.log.tell("limit", || format!("{breach:?}"));
                    judged = Judged { handled: row + 1, ended: Err(End::Limit) };
                }
            }
        }
        if judged.ended.is_err() {
            break;
        }
    }
    send(posted, outside)?;
    state.short |= judged.handled < rows.len();
    Ok(judged)
}

/// Makes dead letters of the messages of a row, unless an earlier run did; the limit that they reach, if one is.
fn post(step: usize, row: &Row, posted: &mut Vec<Letter>, state: &mut State) -> Option<Breach> {
    let mut failed: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for source in &row.sources {
        let mine = |value: &&Value| (value.partition, value.offset) == (source.partition, source.offset);
        let values = row.values.iter().filter(mine).copied();
        if let Some(letter) = posted.iter_mut().find(|letter| letter.about == *source) {
            // Of several outputs of a message that fail in a step, the first is told.
            let known = letter.item.values.clone();
            letter.item.values.extend(values.filter(|value| !known.contains(value)));
        } else if !state.sent(step, source) {
            posted.push(Letter { about: *source, item: Item { step, values: values.collect() } });
            failed.entry(source.partition).or_default().push(source.sequence);
        }
    }
    let breaches = failed.iter().filter_map(|(partition, sequences)| {
        state.partitions.get_mut(partition).and_then(|of_it| of_it.failures.fail(sequences))
    });
    breaches.fold(None, |first, breach| first.or(Some(breach)))
}

fn send(posted: Vec<Letter>, outside: &mut Outside<'_>) -> Result<(), End> {
    if posted.is_empty() {
        return Ok(());
    }
    outside.write(outside.world.letters(), posted.into_iter().map(|letter| letter.item).collect())?;
    Ok(())
}

impl State {
    /// True if an earlier run has sent the dead letter; if not, this one does.
    fn sent(&mut self, step: usize, source: &Origin) -> bool {
        let again = self.again.contains(&step);
        again && !self.progress.letters.entry(step).or_default().note(source.partition, source.offset)
    }
}
