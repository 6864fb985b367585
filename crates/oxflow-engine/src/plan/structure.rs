//! The shape of the tree: every branch ends in a sink, and batches can close.

use super::{Limits, Operation, Place, Plan, Step};
use crate::diagnostic::{Code, Diagnostic};

pub(super) fn check(plan: &Plan) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    check_row("the pipeline", plan.source.place.as_ref(), &plan.steps, &mut found);
    found
}

/// One row of steps: the trunk or a branch.
fn check_row(row: &str, start: Option<&Place>, steps: &[Step], found: &mut Vec<Diagnostic>) {
    check_end(row, start, steps, found);
    for step in steps {
        match &step.operation {
            Operation::Batch(limits) => found.extend(check_limits(step, limits)),
            Operation::Broadcast(branches) if branches.is_empty() => found.push(
                Diagnostic::new(Code::NoSink, format!("broadcast `{}` has no branch", step.name))
                    .at(step.place.clone())
                    .because("its messages would never reach a sink")
                    .fix("give it branches: `routes=[branch(\"a\")...]`"),
            ),
            _ => {}
        }
        for branch in step.branches() {
            let start = branch.place.as_ref().or(step.place.as_ref());
            check_row(&format!("branch `{}`", branch.name), start, &branch.steps, found);
        }
    }
}

fn check_end(row: &str, start: Option<&Place>, steps: &[Step], found: &mut Vec<Diagnostic>) {
    let mut rest = steps.iter();
    if let Some(end) = rest.find(|step| step.ends()) {
        found.extend(rest.next().map(|after| {
            Diagnostic::new(Code::NoSink, format!("step `{}` comes after `{}`, which ends {row}", after.name, end.name))
                .at(after.place.clone())
                .because("nothing comes after a sink, a route or a broadcast")
                .fix(format!("move `{}` before `{}`, or into its branches", after.name, end.name))
        }));
        return;
    }
    let place = steps.last().map_or(start, |last| last.place.as_ref().or(start));
    found.push(
        Diagnostic::new(Code::NoSink, format!("{row} does not end in a sink"))
            .at(place.cloned())
            .because("a message is settled when the sink of every branch has it")
            .fix("end it with `.sink(StreamSink(\"out\", stream_name=\"...\"))`; the stream may be bound to `null:`"),
    );
}

fn check_limits(step: &Step, limits: &Limits) -> Option<Diagnostic> {
    let zero = [("batch_size", limits.messages), ("batch_bytes", limits.bytes), ("batch_timedelta", limits.time_ms)];
    let (what, why) = match zero.iter().find(|(_, limit)| *limit == Some(0)) {
        Some((name, _)) => (format!("has `{name}` 0"), "a batch holds at least one message"),
        None if limits.messages.is_some() || limits.time_ms.is_some() => return None,
        None if limits.bytes.is_some() => {
            ("is limited by bytes only".into(), "if messages stop coming before it is full, it never closes")
        }
        None => ("has no limit".into(), "it would never close"),
    };
    Some(
        Diagnostic::new(Code::BadLimits, format!("batch `{}` {what}", step.name))
            .at(step.place.clone())
            .because(why)
            .fix("give `batch_size` of at least 1 or `batch_timedelta` of at least a millisecond"),
    )
}

impl Step {
    /// Does a row of steps end here?
    fn ends(&self) -> bool {
        matches!(self.operation, Operation::Sink(_) | Operation::Route(_) | Operation::Broadcast(_))
    }
}
