//! The stages of a program, brought to life for one lane.

use std::collections::HashMap;
use std::sync::Arc;

use super::outbox::Outbox;
use crate::batch::Batch;
use crate::checkpoint::{Marks, Passed};
use crate::connect::Sink;
use crate::extension::NotMade;
use crate::lower::{Bindings, RouterSpec, Stage};
use crate::run::{
    Foreign, ForeignSpec, NativeFilter, NativeRouter, NativeRun, NativeSpec, Patience, RetryingRouter, RetryingRun,
    Router, Run, Serialise,
};
use crate::window::Window;

/// A stage of one lane.
pub(crate) enum Node {
    /// Some steps of one language, by number.
    Run {
        steps: Vec<usize>,
        run: Box<dyn Run>,
    },
    Gather(Gather),
    Route {
        step: usize,
        router: Box<dyn Router>,
        branches: Vec<Vec<Node>>,
    },
    Broadcast {
        step: usize,
        branches: Vec<Vec<Node>>,
    },
    Sink {
        step: usize,
        outbox: Outbox,
        passed: Option<Passed>,
    },
}

impl Node {
    /// The step that it is; none of a run, which may be several and tells where it is by itself.
    pub(super) fn step(&self) -> Option<usize> {
        match self {
            Self::Run { .. } => None,
            Self::Gather(gather) => Some(gather.step),
            Self::Route { step, .. } | Self::Broadcast { step, .. } | Self::Sink { step, .. } => Some(*step),
        }
    }
}

/// A batching step with its open batch.
pub(crate) struct Gather {
    pub(super) step: usize,
    pub(super) window: Window,
    pub(super) pending: Vec<Batch>,
    pub(super) passed: Option<Passed>,
}

/// Builds the nodes of one lane.
///
/// # Errors
///
/// A function with state that its module doesn't make once more, or a bug.
pub(crate) fn build(stages: &[Stage], supply: &Supply<'_>) -> Result<Vec<Node>, Unbuilt> {
    supply.chain(stages, true)
}

/// Why the nodes of a lane can't be built.
#[derive(Debug)]
pub(crate) enum Unbuilt {
    /// The function of a step has state, and can't be made for this lane.
    NotMade { step: usize, error: NotMade },
    /// The name of what is missing: a step in another language without its runtime, or a sink that is not open. Both are checked
    /// before.
    Missing(String),
}

impl From<String> for Unbuilt {
    fn from(missing: String) -> Self {
        Self::Missing(missing)
    }
}

/// What nodes are made with.
pub(crate) struct Supply<'a> {
    pub(crate) bindings: &'a Bindings,
    pub(crate) sinks: &'a HashMap<String, Box<dyn Sink>>,
    /// For each step how far an earlier run came with it; absent where no checkpoint is kept.
    pub(crate) marks: Option<&'a HashMap<usize, Marks>>,
    /// How the functions of some steps are called again.
    pub(crate) patience: Vec<Patience>,
}

fn native(spec: &NativeSpec) -> Result<NativeRun, Unbuilt> {
    spec.for_lane().map(NativeRun::new).map_err(|(step, error)| Unbuilt::NotMade { step, error })
}

impl Supply<'_> {
    /// `first`: no batching step stands before these stages. What comes after one is new by what the step lets pass.
    fn chain(&self, stages: &[Stage], mut first: bool) -> Result<Vec<Node>, Unbuilt> {
        let mut nodes = Vec::with_capacity(stages.len());
        for stage in stages {
            nodes.push(self.node(stage, first)?);
            first &= !matches!(stage, Stage::Gather { .. });
        }
        Ok(nodes)
    }

    fn branches(&self, branches: &[Vec<Stage>], first: bool) -> Result<Vec<Vec<Node>>, Unbuilt> {
        branches.iter().map(|branch| self.chain(branch, first)).collect()
    }

    fn passed(&self, step: usize, first: bool) -> Option<Passed> {
        let marks = self.marks.filter(|_| first)?;
        Some(Passed::resume(marks.get(&step).cloned().unwrap_or_default()))
    }

    fn node(&self, stage: &Stage, first: bool) -> Result<Node, Unbuilt> {
        Ok(match stage {
            Stage::Native(spec) => self.run(stage, Box::new(native(spec)?)),
            Stage::Foreign(spec) => self.run(stage, self.foreign()?.run(spec)),
            Stage::NativeFilter { ask, encode } => {
                let filter = NativeFilter::new(native(ask)?, self.encoder(encode.as_ref())?);
                self.run(stage, Box::new(filter))
            }
            Stage::Serialise(step) => Node::Run { steps: vec![*step], run: Box::new(Serialise::new(*step)) },
            Stage::Gather { step, limits } => {
                let passed = self.passed(*step, first);
                Node::Gather(Gather { step: *step, window: Window::new(*limits), pending: Vec::new(), passed })
            }
            Stage::Route { step, router, branches } => Node::Route {
                step: *step,
                router: self.router(*step, router)?,
                branches: self.branches(branches, first)?,
            },
            Stage::Broadcast { step, branches } => {
                Node::Broadcast { step: *step, branches: self.branches(branches, first)? }
            }
            Stage::Sink { step, stream } => {
                let sink = self.sinks.get(stream).ok_or_else(|| format!("the sink `{stream}` is not open"))?;
                let outbox = Outbox::new(sink.writer());
                Node::Sink { step: *step, outbox, passed: self.passed(*step, first) }
            }
        })
    }

    /// A run begins with the step that may be called again, if one in it may.
    fn run(&self, stage: &Stage, run: Box<dyn Run>) -> Node {
        let steps = stage.steps();
        let run: Box<dyn Run> = match self.patience.iter().find(|patience| steps.first() == Some(&patience.step)) {
            Some(patience) => Box::new(RetryingRun::new(run, patience.clone())),
            None => run,
        };
        Node::Run { steps, run }
    }

    fn router(&self, step: usize, router: &RouterSpec) -> Result<Box<dyn Router>, Unbuilt> {
        let router = self.single_router(step, router)?;
        Ok(match self.patience.iter().find(|patience| patience.step == step) {
            Some(patience) => Box::new(RetryingRouter::new(router, patience.clone())),
            None => router,
        })
    }

    fn single_router(&self, step: usize, router: &RouterSpec) -> Result<Box<dyn Router>, Unbuilt> {
        Ok(match router {
            RouterSpec::Native { ask, encode, keys } => {
                let answers = native(ask)?;
                Box::new(NativeRouter::new(step, answers, self.encoder(encode.as_ref())?, keys.clone()))
            }
            RouterSpec::Foreign { name, input, keys } => self.foreign()?.router(step, name, *input, keys),
        })
    }

    fn encoder(&self, spec: Option<&ForeignSpec>) -> Result<Option<Box<dyn Run>>, Unbuilt> {
        spec.map(|spec| Ok(self.foreign()?.run(spec))).transpose()
    }

    fn foreign(&self) -> Result<&Arc<dyn Foreign>, Unbuilt> {
        self.bindings
            .foreign
            .as_ref()
            .ok_or_else(|| Unbuilt::Missing("the steps in Python have no interpreter".to_owned()))
    }
}
