//! A lowered plan: what happens to messages, stage by stage.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic};
use crate::plan::{Language, Limits};
use crate::report::StepInfo;
use crate::run::{ForeignSpec, Form, NativeSpec};

/// A lowered plan.
#[derive(Debug)]
pub struct Program {
    /// All steps, the source first, in the order in which they are reported.
    pub steps: Vec<StepInfo>,
    /// What happens to the messages.
    pub stages: Vec<Stage>,
}

/// A part of a program.
#[derive(Debug)]
pub enum Stage {
    /// Rust steps.
    Native(NativeSpec),
    /// Steps in the other language.
    Foreign(ForeignSpec),
    /// A Rust filter that gets a copy of what it asks about.
    NativeFilter {
        /// The question.
        ask: NativeSpec,
        /// Makes JSON of the payloads first.
        encode: Option<ForeignSpec>,
    },
    /// A serializer of what is JSON already.
    Serialise(usize),
    /// A batching step.
    Gather {
        /// Number of the step.
        step: usize,
        /// When a batch closes.
        limits: Limits,
    },
    /// A routing step.
    Route {
        /// Number of the step.
        step: usize,
        /// Who chooses.
        router: RouterSpec,
        /// The branches.
        branches: Vec<Vec<Stage>>,
    },
    /// A broadcast.
    Broadcast {
        /// Number of the step.
        step: usize,
        /// The branches.
        branches: Vec<Vec<Stage>>,
    },
    /// The end of a branch.
    Sink {
        /// Number of the step.
        step: usize,
        /// Logical name of the stream.
        stream: String,
    },
}

/// Who chooses the branch of a message.
#[derive(Debug)]
pub enum RouterSpec {
    /// A Rust function.
    Native {
        /// The question.
        ask: NativeSpec,
        /// Makes JSON of the payloads first.
        encode: Option<ForeignSpec>,
        /// The answers that lead to the branches.
        keys: Vec<Value>,
    },
    /// A function of the other language.
    Foreign {
        /// Name of the step.
        name: String,
        /// How the payloads arrive.
        input: Form,
        /// The answers that lead to the branches.
        keys: Vec<Value>,
    },
}

/// Steps that are called together, without a conversion between them.
#[derive(Debug, Serialize)]
pub struct RunInfo {
    /// Language of the steps; none for what the engine does itself.
    pub language: Option<Language>,
    /// Names of the steps.
    pub steps: Vec<String>,
}

/// Checks that what leaves a run of Rust can be bytes. What a closure gives need not, as long as it stays in its run.
pub(super) fn written(stages: &[Stage], steps: &[StepInfo]) -> Result<(), Diagnostic> {
    for stage in stages {
        match stage {
            Stage::Native(spec) if !spec.output().has_codec() => {
                let step = spec.calls.last().and_then(|call| steps.get(call.step));
                let (name, place) = step.map(|step| (step.name.as_str(), step.place.clone())).unwrap_or_default();
                let message = format!("step `{name}` gives `{}`, which has no codec", spec.output().name());
                return Err(Diagnostic::new(Code::BadCodec, message)
                    .at(place)
                    .because("the step after it may be called again, and is given bytes then")
                    .fix("derive `Payload` for the type, or don't retry the step after it"));
            }
            Stage::Route { branches, .. } | Stage::Broadcast { branches, .. } => {
                branches.iter().try_for_each(|branch| written(branch, steps))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The first step that another language runs or converts for.
fn foreign(stages: &[Stage]) -> Option<usize> {
    stages.iter().find_map(|stage| match stage {
        Stage::Foreign(spec) => Some(spec.first_step),
        Stage::NativeFilter { encode, .. } => encode.as_ref().map(|spec| spec.first_step),
        Stage::Route { step, router, branches } => match router {
            RouterSpec::Foreign { .. } | RouterSpec::Native { encode: Some(_), .. } => Some(*step),
            RouterSpec::Native { .. } => branches.iter().find_map(|branch| foreign(branch)),
        },
        Stage::Broadcast { branches, .. } => branches.iter().find_map(|branch| foreign(branch)),
        Stage::Native(_) | Stage::Serialise(_) | Stage::Gather { .. } | Stage::Sink { .. } => None,
    })
}

impl Program {
    /// What is wrong with it where there is no Python: the first step that needs it.
    pub fn without_python(&self) -> Result<(), Diagnostic> {
        let Some(step) = foreign(&self.stages).and_then(|number| self.steps.get(number)) else { return Ok(()) };
        Err(Diagnostic::new(Code::NoPython, format!("step `{}` needs Python", step.name))
            .at(step.place.clone())
            .because("what reaches it or what it gives has to become Python objects, and there is no Python here")
            .fix("put a Rust function or a Rust type there, or run the pipeline with `oxflow run`"))
    }

    /// The steps that may be given a message again by a later run: those of no way that comes from a batching step, which
    /// lets pass what is new. The source is one of them, and so is the batching step, to which messages are converted.
    pub fn unbatched(&self) -> BTreeSet<usize> {
        let mut steps = BTreeSet::from([0]);
        unbatched(&self.stages, &mut steps);
        steps
    }

    /// How the steps are cut into runs: each boundary between two languages converts every message.
    pub fn runs(&self) -> Vec<RunInfo> {
        let name = |step: &usize| self.steps.get(*step).map(|step| step.name.clone());
        let named =
            |(language, steps): (_, Vec<usize>)| RunInfo { language, steps: steps.iter().filter_map(name).collect() };
        cuts(&self.stages).into_iter().map(named).collect()
    }
}

impl Stage {
    /// The steps that it carries out, in order; none for a conversion alone.
    pub fn steps(&self) -> Vec<usize> {
        match self {
            Self::Native(spec) | Self::NativeFilter { ask: spec, .. } => spec.steps(),
            Self::Foreign(spec) => spec.operations.iter().map(|operation| operation.step).collect(),
            Self::Serialise(step)
            | Self::Gather { step, .. }
            | Self::Route { step, .. }
            | Self::Broadcast { step, .. }
            | Self::Sink { step, .. } => vec![*step],
        }
    }

    /// What comes after it on each way.
    pub fn branches(&self) -> &[Vec<Self>] {
        match self {
            Self::Route { branches, .. } | Self::Broadcast { branches, .. } => branches,
            _ => &[],
        }
    }

    /// Language of the steps; none for what the engine does itself.
    fn language(&self) -> Option<Language> {
        match self {
            Self::Native(_) | Self::NativeFilter { .. } | Self::Route { router: RouterSpec::Native { .. }, .. } => {
                Some(Language::Rust)
            }
            Self::Foreign(_) | Self::Route { .. } => Some(Language::Python),
            Self::Serialise(_) | Self::Gather { .. } | Self::Broadcast { .. } | Self::Sink { .. } => None,
        }
    }
}

/// The language and steps of each stage, branches after what they come from.
pub(super) fn cuts(stages: &[Stage]) -> Vec<(Option<Language>, Vec<usize>)> {
    let mut runs = Vec::new();
    cut(stages, &mut runs);
    runs
}

fn cut(stages: &[Stage], runs: &mut Vec<(Option<Language>, Vec<usize>)>) {
    for stage in stages {
        let steps = stage.steps();
        if !steps.is_empty() {
            runs.push((stage.language(), steps));
        }
        for branch in stage.branches() {
            cut(branch, runs);
        }
    }
}

fn unbatched(stages: &[Stage], steps: &mut BTreeSet<usize>) {
    for stage in stages {
        steps.extend(stage.steps());
        if matches!(stage, Stage::Gather { .. }) {
            break;
        }
        for branch in stage.branches() {
            unbatched(branch, steps);
        }
    }
}
