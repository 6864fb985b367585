//! Carries batches through the nodes: `crate::lane::flow` in small.

use super::disk::Item;
use super::judge::{Failed, judge};
use super::lane::{Gather, Node, Row, State};
use super::outside::{End, Outside};
use super::watched::Lists;
use super::world::{Function, Policy};
use crate::checkpoint::Passed;

pub(super) fn push(
    nodes: &mut [Node<'_>],
    rows: Vec<Row>,
    state: &mut State,
    outside: &mut Outside<'_>,
) -> Result<(), End> {
    if rows.is_empty() {
        return Ok(());
    }
    let Some((node, rest)) = nodes.split_first_mut() else { return Ok(()) };
    match node {
        Node::Call(function) => {
            let (outputs, ended) = call(function, &rows, state, outside)?;
            push(rest, outputs, state, outside)?;
            ended
        }
        Node::Gather(gather) => gather_batch(gather, rest, rows, state, outside),
        Node::Route { salt, branches } => {
            let count = branches.len();
            let mut shares: Vec<Vec<Row>> = vec![Vec::new(); count];
            for row in rows {
                let luck = row.values.first().map_or(0, |first| first.hash(*salt));
                shares[usize::try_from(luck % count as u64).unwrap()].push(row);
            }
            each_branch(branches.iter_mut().zip(shares), |(branch, share)| push(branch, share, state, outside))
        }
        Node::Broadcast { branches } => {
            for row in &rows {
                state.fan_out(row, branches.len());
            }
            each_branch(branches, |branch| push(branch, rows.clone(), state, outside))
        }
        Node::Sink { function, stream, passed } => write(function, *stream, passed.as_mut(), rows, state, outside),
    }
}

/// Visits the batching steps, and sends on what those hold that say so.
pub(super) fn each_gather(
    nodes: &mut [Node<'_>],
    state: &mut State,
    outside: &mut Outside<'_>,
    over: &mut dyn FnMut(&mut Lists) -> bool,
) -> Result<(), End> {
    let Some((node, rest)) = nodes.split_first_mut() else { return Ok(()) };
    match node {
        Node::Gather(gather) => {
            if over(&mut gather.lists) {
                emit(gather, rest, state, outside)?;
            }
        }
        Node::Route { branches, .. } | Node::Broadcast { branches } => {
            each_branch(branches, |branch| each_gather(branch, state, outside, over))?;
        }
        Node::Call(_) | Node::Sink { .. } => {}
    }
    each_gather(rest, state, outside, over)
}

/// The first error of the branches; only a crash keeps the later ones from their share.
fn each_branch<T>(
    branches: impl IntoIterator<Item = T>,
    mut each: impl FnMut(T) -> Result<(), End>,
) -> Result<(), End> {
    let mut ended = Ok(());
    for branch in branches {
        match each(branch) {
            Err(End::Crash) => return Err(End::Crash),
            went => ended = ended.and(went),
        }
    }
    ended
}

fn call(
    function: &Function,
    rows: &[Row],
    state: &mut State,
    outside: &mut Outside<'_>,
) -> Result<(Vec<Row>, Result<(), End>), End> {
    let mut failed = Failed::default();
    let mut outputs = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && outside.stops() {
            failed.left = Some(index);
            break;
        }
        if !outside.fails(function, &row.values) {
            outputs.push((index, function.call(&row.values)));
            continue;
        }
        failed.rows.push(index);
        outputs.push((index, Vec::new()));
        if function.policy == Policy::Fail {
            break;
        }
    }
    let judged = judge(function, rows, failed, state, outside)?;
    let mut passed = Vec::new();
    for (index, outputs) in outputs.into_iter().take_while(|(index, _)| *index < judged.handled) {
        let row = &rows[index];
        if outputs.len() != 1 {
            state.fan_out(row, outputs.len());
        }
        passed.extend(outputs.into_iter().map(|values| Row { values, ..row.clone() }));
    }
    Ok((passed, judged.ended))
}

fn gather_batch(
    gather: &mut Gather,
    rest: &mut [Node<'_>],
    rows: Vec<Row>,
    state: &mut State,
    outside: &mut Outside<'_>,
) -> Result<(), End> {
    if gather.lists.expire(outside.now) {
        emit(gather, rest, state, outside)?;
    }
    for row in leave_out_old(gather.passed.as_ref(), rows, state) {
        let size = row.values.iter().map(|value| value.size()).sum();
        gather.pending.push(row);
        if gather.lists.add(size, outside.now) {
            emit(gather, rest, state, outside)?;
        }
    }
    Ok(())
}

/// Sends the open batch on as one message.
fn emit(gather: &mut Gather, rest: &mut [Node<'_>], state: &mut State, outside: &mut Outside<'_>) -> Result<(), End> {
    let rows = std::mem::take(&mut gather.pending);
    if rows.is_empty() {
        return Ok(());
    }
    note(gather.step, gather.passed.as_mut(), &rows, state);
    let list = Row {
        sources: rows.iter().flat_map(|row| row.sources.iter().copied()).collect(),
        values: rows.iter().flat_map(|row| row.values.iter().copied()).collect(),
    };
    outside.log.tell("list", || format!("{:?}", list.values));
    let short = std::mem::take(&mut state.short);
    let pushed = push(rest, vec![list], state, outside);
    if state.short || !matches!(pushed, Ok(()) | Err(End::Limit)) {
        outside.log.tell("torn", || "a list did not come to its end everywhere".to_owned());
        outside.torn = true;
    }
    state.short |= short;
    pushed
}

fn write(
    function: &Function,
    stream: usize,
    passed: Option<&mut Passed>,
    rows: Vec<Row>,
    state: &mut State,
    outside: &mut Outside<'_>,
) -> Result<(), End> {
    let rows = leave_out_old(passed.as_deref(), rows, state);
    let refused: Vec<bool> = rows.iter().map(|row| outside.fails(function, &row.values)).collect();
    let mut failed = Failed::default();
    for index in (0..rows.len()).filter(|index| refused[*index]) {
        failed.rows.push(index);
        if function.policy == Policy::Fail {
            break;
        }
    }
    let judged = judge(function, &rows, failed, state, outside)?;
    let handled = &rows[..judged.handled];
    let written = handled.iter().zip(&refused).filter(|(_, refused)| !**refused);
    let items = written.map(|(row, _)| Item { step: function.step, values: row.values.clone() });
    outside.write(stream, items.collect())?;
    // What was left out is over, too.
    note(function.step, passed, handled, state);
    for row in handled {
        state.fan_out(row, 0);
    }
    judged.ended
}

/// Leaves out what an earlier run has carried past this place.
fn leave_out_old(passed: Option<&Passed>, rows: Vec<Row>, state: &mut State) -> Vec<Row> {
    let Some(passed) = passed else { return rows };
    let new = passed.sift(rows.iter().map(Row::place));
    let (new, old): (Vec<_>, Vec<_>) = rows.into_iter().zip(new).partition(|(_, new)| *new);
    for (row, _) in old {
        state.fan_out(&row, 0);
    }
    new.into_iter().map(|(row, _)| row).collect()
}

/// Notes what passed this place, for a later run.
fn note(step: usize, passed: Option<&mut Passed>, rows: &[Row], state: &mut State) {
    if let Some(passed) = passed {
        passed.note(rows.iter().map(Row::place));
        state.progress.marks.insert(step, passed.marks().clone());
    }
}
