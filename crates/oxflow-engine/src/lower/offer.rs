//! Where rows of a native run become objects of the run after it with no JSON in between.

use super::{Bindings, Stage};
use crate::report::StepInfo;
use crate::run::{ForeignSpec, Form, NativeSpec};

/// Lets native runs offer their rows to the runs that come right after them.
pub(super) fn offer(stages: &mut [Stage], steps: &[StepInfo], bindings: &Bindings) {
    for place in 0..stages.len() {
        if let Some([Stage::Native(gives), Stage::Foreign(takes)]) = stages.get_mut(place..place + 2) {
            gives.offers = is_taken(gives, takes, steps, bindings);
        }
        if let Some(Stage::Route { branches, .. } | Stage::Broadcast { branches, .. }) = stages.get_mut(place) {
            for branch in branches {
                offer(branch, steps, bindings);
            }
        }
    }
}

/// What is offered can be neither copied nor put together again, which a run whose first step may be called again needs, and a
/// filter that lets pass what it was given.
fn is_taken(gives: &NativeSpec, takes: &ForeignSpec, steps: &[StepInfo], bindings: &Bindings) -> bool {
    let Some(first) = takes.operations.first() else { return false };
    let began = gives.steps().first().and_then(|step| steps.get(*step)).map(|step| &step.name);
    let again = [began, Some(&first.name)].into_iter().flatten().any(|name| bindings.retried.contains(name));
    let json = takes.input == Form::Json && gives.serializer.is_none() && gives.to.is_none();
    let takes_objects = || bindings.foreign.as_ref().is_some_and(|foreign| foreign.takes_objects(&first.name));
    json && !takes.selects && !again && gives.output().offer().is_some() && takes_objects()
}
