//! A job: a pipeline that is bound to its streams and run to its end.

mod health;
mod keeper;
mod letters;
mod outputs;
mod running;
mod telling;
mod transactions;
mod watchdog;

pub use health::{Health, HealthStatus, KeepingHealth, LaneHealth, SourceHealth};
pub use running::Running;

pub(crate) use health::Monitor;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::checkpoint::CheckpointError;
use crate::clock::Clock;
use crate::config::{Config, Policy, Stream};
use crate::connect::{
    Binding, ConnectError, MalformedUrl, Opened, Partitions, PollLimits, Sink, Transactions, open_source,
};
use crate::dead_letter::TooManyFailed;
use crate::diagnostic::{Code, Diagnostic};
use crate::endpoint::Endpoint;
use crate::fault::StepError;
use crate::host::Recorder;
use crate::lane::{Cut, Lane, LaneError, Progress, Shared, Supply, Unbuilt, build};
use crate::lower::{Bindings, Program, Stage, lower};
use crate::plan::{Plan, Step, Wish};
use crate::run::{Live, Patience};
use crate::telemetry::Provider;
use keeper::{Keeper, Kept};
use running::Inner;

/// Everything that a run needs.
pub struct Job {
    /// The pipeline.
    pub plan: Plan,
    /// How it is to run.
    pub config: Config,
    /// What the names in the plan stand for.
    pub bindings: Bindings,
    /// Streams that are not where the configuration says: lists in memory.
    pub streams: HashMap<String, Binding>,
    /// The time.
    pub clock: Clock,
    /// Set by whoever wants the run to be drained, before it starts or at any time later.
    pub drain: Arc<AtomicBool>,
    /// Where the process tells of its runs already; none for what the configuration says.
    pub telemetry: Option<Arc<dyn Provider>>,
}

/// What ended a run that was not drained, or kept it from starting.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The plan is wrong.
    #[error("the pipeline is wrong")]
    Plan(Vec<Diagnostic>),
    /// A connector failed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The checkpoint can't be used or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A message failed in a step.
    #[error("step `{}` failed", .0.step)]
    Step(Box<StepError>),
    /// Too many messages became dead letters.
    #[error("too many messages failed in step `{}`", .0.last.step)]
    TooManyFailed(Box<TooManyFailed>),
    /// oxflow failed.
    #[error("{0}")]
    Internal(String),
}

impl JobError {
    /// The error for people.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Plan(diagnostics) => diagnostics.clone(),
            Self::Connect(error) => vec![error.diagnostic()],
            Self::Checkpoint(error) => vec![error.diagnostic()],
            Self::Step(error) => vec![error.diagnostic()],
            Self::TooManyFailed(error) => vec![error.diagnostic()],
            Self::Internal(text) => {
                let fix = "please report it with the pipeline and the message above";
                vec![Diagnostic::new(Code::Internal, "oxflow itself failed").because(text.clone()).fix(fix)]
            }
        }
    }
}

/// What a program exits with.
pub mod exit {
    /// A step failed, or oxflow.
    pub const FAILED: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// Plan or configuration are wrong.
    pub const WRONG: u8 = 3;
    /// A stream can't be opened, read or written.
    pub const STREAM: u8 = 4;
    /// Too many messages failed.
    pub const TOO_MANY: u8 = 5;
    /// A second signal ended it.
    pub const INTERRUPTED: u8 = 130;
}

/// What a program exits with that found this: a matter of connections, if nothing else is wrong than the streams.
pub fn exit_code(findings: &[Diagnostic]) -> u8 {
    let about_streams = findings.iter().all(|finding| finding.code.id().starts_with("OXF04"));
    if about_streams { exit::STREAM } else { exit::WRONG }
}

impl JobError {
    /// What a program exits with that this ended.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(findings) => exit_code(findings),
            Self::Connect(_) | Self::Checkpoint(_) => exit::STREAM,
            Self::Step(_) | Self::Internal(_) => exit::FAILED,
            Self::TooManyFailed(_) => exit::TOO_MANY,
        }
    }
}

impl From<LaneError> for JobError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Step(error) => Self::Step(error),
            LaneError::TooManyFailed(error) => Self::TooManyFailed(error),
            LaneError::Connect(error) => Self::Connect(error),
            LaneError::Internal(text) => Self::Internal(text),
            LaneError::Undone => Self::Internal("a lane ended with what was undone".to_owned()),
        }
    }
}

impl Job {
    /// Checks, opens the streams and starts the lanes.
    pub fn start(mut self) -> Result<Running, JobError> {
        let mut findings = crate::plan::check(&self.plan);
        findings.extend(self.check_config());
        if !findings.is_empty() {
            return Err(JobError::Plan(findings));
        }
        self.bindings.retried = self.retried();
        let program = lower(&self.plan, &self.bindings).map_err(|finding| JobError::Plan(vec![finding]))?;
        if self.bindings.foreign.is_none() {
            program.without_python().map_err(|finding| JobError::Plan(vec![finding]))?;
        }
        self.telemetry = self.provider()?;
        let endpoint = self.endpoint()?;
        let known = Arc::default();
        let mut source = self.open(&known)?;
        let streams = sink_streams(&program.stages);
        let dead_letters = self.dead_letter_stream();
        let outputs = self.outputs(&streams, dead_letters, &source, &known)?;
        let claims = self.claim(&outputs)?;
        let kept = self.kept(&program, &source, &outputs)?;
        let before = kept.as_ref().and_then(|kept| kept.before.as_ref());
        if let Some(before) = before {
            source.resume(&before.sources);
        }
        let transactions = self.transactions(&source, &outputs)?;
        let sinks = self.open_sinks(&outputs, claims, before, transactions.as_ref())?;
        let running = self.spawn(&program, source, &known, sinks, kept, transactions)?;
        Ok(match endpoint {
            Some(endpoint) => running.shown_at(endpoint),
            None => running,
        })
    }

    fn endpoint(&self) -> Result<Option<Endpoint>, JobError> {
        let Some(config) = &self.config.run.endpoint else { return Ok(None) };
        let failed = |error: std::io::Error| {
            let message = format!("`run.endpoint.address` is `{}`, which can't be listened on", config.address);
            let finding = Diagnostic::new(Code::EndpointFailed, message).because(error.to_string());
            JobError::Plan(vec![finding.fix("choose another port, or end the program that has this one")])
        };
        Endpoint::open(config).map(Some).map_err(failed)
    }

    /// The steps whose functions may be called again.
    fn retried(&self) -> HashSet<String> {
        let again =
            |step: &&Step| self.config.step(&step.name).on_error.retry().is_some() || step.may_wish(Wish::Retry);
        self.plan.all_steps().into_iter().filter(again).map(|step| step.name.clone()).collect()
    }

    /// What the configuration gets wrong about the plan; streams that were handed over need no entry in it.
    fn check_config(&self) -> Vec<Diagnostic> {
        let mut config = self.config.clone();
        for stream in self.streams.keys() {
            config.streams.entry(stream.clone()).or_insert_with(|| Stream::at("memory:"));
        }
        config.check(&self.plan)
    }

    fn binding(&self, stream: &str) -> Result<Cow<'_, Binding>, JobError> {
        if let Some(binding) = self.streams.get(stream) {
            return Ok(Cow::Borrowed(binding));
        }
        let bound = self
            .config
            .stream(stream)
            .ok_or_else(|| JobError::Internal(format!("the stream `{stream}` passed the check without being bound")))?;
        let url = bound.place().map_err(|error: MalformedUrl| JobError::Plan(vec![error.diagnostic(stream)]))?;
        Ok(Cow::Owned(Binding::Url(url)))
    }

    fn open(&self, known: &Arc<Partitions>) -> Result<Opened, JobError> {
        let bound =
            self.plan.source.streams().map(|stream| Ok((Arc::from(stream), self.binding(stream)?.into_owned())));
        let bound = bound.collect::<Result<Vec<_>, JobError>>()?;
        Ok(open_source(&bound, known, self.config.run.instance_id.as_deref())?)
    }

    fn spawn(
        self,
        program: &Program,
        source: Opened,
        known: &Arc<Partitions>,
        sinks: HashMap<String, Box<dyn Sink>>,
        kept: Option<Kept>,
        transactions: Option<Arc<dyn Transactions>>,
    ) -> Result<Running, JobError> {
        let lanes = self.lanes(if source.grows { usize::MAX } else { known.count() });
        let reached = source.reached.clone();
        let group = source.group.clone();
        let shared = Arc::new(Shared {
            cut: transactions.is_some().then(|| Cut::new(lanes)),
            ..self.shared(program, Arc::clone(known), lanes, kept.is_some())
        });
        let marks = kept.as_ref().map(|kept| kept.marks(&program.steps));
        let start = kept.as_ref().map(|kept| kept.progress(&program.steps)).unwrap_or_default();
        let patience = self.patience(&shared);
        let supply = Supply { bindings: &self.bindings, sinks: &sinks, marks: marks.as_ref(), patience };
        let mut ready = Vec::with_capacity(lanes);
        for (number, source) in source.split(lanes).into_iter().enumerate() {
            let nodes = build(&program.stages, &supply).map_err(|error| unbuilt(error, program))?;
            let letters = self.letters(program, &sinks, kept.is_some());
            ready.push(Lane::new(number, source, nodes, Arc::clone(&shared), start.clone(), letters));
        }
        let dead_letters = self.dead_letter_stream().map(str::to_owned);
        let keeper = kept.map(|kept| Keeper { kept, shared: Arc::clone(&shared), dead_letters });
        if let Some(keeper) = &keeper {
            // From here on the outputs are this run's: a checkpoint of other outputs, or none, would mislead the next one.
            keeper.save(&sinks)?;
        }
        Running::start(
            ready,
            Inner {
                reached,
                foreign: self.bindings.foreign,
                keeper,
                group,
                transactions,
                checkpoint_interval: Duration::from_millis(u64::from(self.config.run.checkpoint_ms.0.get())),
                shared,
                sinks,
                started: Instant::now(),
                end: Mutex::default(),
                ended: Condvar::new(),
            },
        )
    }

    /// As many as configured, or as there are cores, but no more than partitions. A controlled clock moves in one lane.
    fn lanes(&self, partitions: usize) -> usize {
        let cores = || thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self.clock {
            Clock::Manual(_) => 1,
            Clock::System(_) => {
                self.config.run.lanes.map_or_else(cores, |lanes| lanes.get() as usize).min(partitions.max(1))
            }
        }
    }

    fn shared(&self, program: &Program, partitions: Arc<Partitions>, lanes: usize, resumable: bool) -> Shared {
        let run = &self.config.run;
        let policies: Vec<Policy> =
            program.steps.iter().map(|step| self.config.step(&step.name).on_error.policy()).collect();
        let (observer, names) = (self.observer(program), program.steps.iter().map(|step| step.name.clone()).collect());
        Shared {
            clock: match &self.clock {
                Clock::System(start) => Clock::System(*start),
                Clock::Manual(_) => Clock::manual(),
            },
            fatal: policies.iter().map(|policy| *policy == Policy::Fail).collect(),
            policies,
            steps: program.steps.clone(),
            partitions,
            limits: PollLimits {
                messages: run.batch.messages.get() as usize,
                bytes: run.batch.bytes.get() as usize,
                wait: Duration::from_millis(u64::from(run.batch.wait_ms.get())),
                message_bytes: run.message_bytes.0.get() as usize,
                decompression_ratio: u64::from(run.decompression_ratio.0.get()),
            },
            resumable,
            drain: Arc::clone(&self.drain),
            committed: Mutex::default(),
            gate: RwLock::new(()),
            torn: AtomicBool::new(false),
            cut: None,
            exit: Mutex::default(),
            recorder: Recorder::of_run(names, observer.as_ref().map(|observer| observer.export())),
            observer,
            monitor: Monitor::new(Duration::from_secs(u64::from(run.stalled_s.0.get())), lanes),
            keeping: Mutex::default(),
            live: (0..lanes).map(|_| Arc::new(Live::new(program.steps.len()))).collect(),
            progress: (0..lanes).map(|_| Mutex::new(Progress::default())).collect(),
        }
    }
}

impl Job {
    /// How the functions of some steps are called again.
    fn patience(&self, shared: &Shared) -> Vec<Patience> {
        let waits = matches!(self.clock, Clock::System(_));
        let steps = shared.steps.iter().enumerate();
        let patience = steps.filter_map(|(step, info)| {
            let retry = self.config.step(&info.name).on_error.retry();
            if !self.bindings.retried.contains(&info.name) {
                return None;
            }
            let mut fatal = shared.fatal.clone();
            fatal.get_mut(step).into_iter().for_each(|fatal| *fatal &= retry.is_none());
            Some(Patience { step, retry, fatal, waits })
        });
        patience.collect()
    }
}

/// A function that Python made is made once more for each lane: what its `new` says then is the user's.
fn unbuilt(error: Unbuilt, program: &Program) -> JobError {
    match error {
        Unbuilt::Missing(text) => JobError::Internal(text),
        Unbuilt::NotMade { step, error } => {
            let step = program.steps.get(step);
            let name = step.map(|step| step.name.as_str()).unwrap_or_default();
            let message = format!("the function of step `{name}` can't be made for a lane");
            let finding = Diagnostic::new(Code::NotMade, message)
                .at(step.and_then(|step| step.place.clone()))
                .because(error.to_string())
                .fix("let its `new` succeed as often as it is called: once in Python, and once for each lane");
            JobError::Plan(vec![finding])
        }
    }
}

fn sink_streams(stages: &[Stage]) -> Vec<&str> {
    stages
        .iter()
        .flat_map(|stage| match stage {
            Stage::Sink { stream, .. } => vec![stream.as_str()],
            Stage::Route { branches, .. } | Stage::Broadcast { branches, .. } => {
                branches.iter().flat_map(|branch| sink_streams(branch)).collect()
            }
            _ => Vec::new(),
        })
        .collect()
}
