//! Runs a program's pipeline until its source ends or a signal drains it.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::logs;
use super::options::Options;
use super::program::Program;
use super::show::{self, Failed};
use super::signals::{self, StoppedBy};
use crate::clock::Clock;
use crate::config::{Config, Stream};
use crate::definition::Resolved;
use crate::diagnostic::{Code, Diagnostic};
use crate::job::{Job, JobError, Running};
use crate::plan;
use crate::report::{self, Report};

/// How often a run is looked at: so long a signal may wait while it starts.
const TURN: Duration = Duration::from_millis(100);
/// How long a run that is to be drained may go on starting.
const LAST_START: Duration = Duration::from_millis(500);

/// Runs the pipeline and prints the report, also that of a run that failed.
pub(super) fn run(program: &Program, options: &Options) -> Result<u8, Failed> {
    let job = match prepared(program, options) {
        Ok(job) => job,
        Err(failed) => {
            print(options, false, None, &failed.findings);
            return Err(failed);
        }
    };
    // Where messages go to standard output, nothing else may.
    let shared = job.config.streams.values().any(|stream| stream.url.starts_with("stdout:"));
    let ended = carry(job, options.quiet);
    let findings = ended.error.as_ref().map(|error| error.findings.as_slice()).unwrap_or_default();
    let code = print(options, shared, ended.report.as_ref(), findings);
    ended.error.map_or(Ok(code), Err)
}

/// How a run ended.
struct Ended {
    report: Option<Value>,
    error: Option<Failed>,
}

/// The configuration that the options name.
pub(super) fn config(options: &Options) -> Result<Config, Failed> {
    let file = options.config.as_deref().unwrap_or_default();
    let text = if file.is_empty() { Ok(String::new()) } else { show::text_of(file) };
    let text = text.map_err(|reason| {
        let message = format!("cannot read the configuration `{file}`: {reason}");
        Failed::wrong(vec![Diagnostic::new(Code::ConfigUnreadable, message)])
    })?;
    let environment =
        std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
    let loaded = Config::load(&text, file, &options.sets, &environment.collect());
    let mut config = loaded.map_err(|wrong| Failed::wrong(vec![wrong]))?;
    for (name, url) in &options.streams {
        config.streams.insert(name.clone(), Stream::at(url));
    }
    Ok(config)
}

fn prepared(program: &Program, options: &Options) -> Result<Job, Failed> {
    let Resolved { plan, bindings } = program.pipeline(options.target.as_deref())?;
    let config = config(options)?;
    for findings in [plan::check(&plan), config.check(&plan)] {
        if !findings.is_empty() {
            return Err(Failed::wrong(findings));
        }
    }
    program.connect()?;
    let drain = Arc::new(AtomicBool::new(false));
    Ok(Job { plan, config, bindings, streams: HashMap::new(), clock: Clock::system(), drain, telemetry: None })
}

fn carry(job: Job, quiet: bool) -> Ended {
    let (drain, stopped_by) = (Arc::clone(&job.drain), StoppedBy::default());
    let told = move || {
        if !quiet {
            let how = if std::io::stderr().is_terminal() {
                "press Ctrl-C again to end at once"
            } else {
                "a second signal ends it at once"
            };
            show::note(&format!("oxflow: stopping; {how}"));
        }
    };
    let watched = signals::watch(Arc::clone(&drain), Arc::clone(&stopped_by), told);
    let started = match watched {
        Ok(()) => started(job, &drain),
        Err(error) => Err(JobError::Internal(format!("signals can't be watched: {error}"))),
    };
    match started {
        Err(error) => Ended { report: None, error: Some(failed(&error)) },
        Ok(None) => Ended { report: Some(value(&Report::unstarted(), &stopped_by)), error: None },
        Ok(Some(running)) => {
            while !running.wait_for_news(TURN) {
                tell(&running, quiet);
            }
            tell(&running, quiet);
            let error = running.take_error().as_ref().map(failed);
            Ended { report: Some(value(&running.report(), &stopped_by)), error }
        }
    }
}

/// Starts a job where a signal can end the start: to open a pipe that nobody writes to takes for ever. None if the run was to
/// be drained and the start came to no end.
fn started(job: Job, drain: &AtomicBool) -> Result<Option<Running>, JobError> {
    let (sender, started) = sync_channel(1);
    let start = move || drop(sender.send(job.start()));
    let panicked = || JobError::Internal("the start of the run panicked".to_owned());
    let spawned = thread::Builder::new().name("oxflow-start".to_owned()).spawn(start);
    spawned.map_err(|error| JobError::Internal(format!("a thread could not be started: {error}")))?;
    let mut until: Option<Instant> = None;
    loop {
        match started.recv_timeout(TURN) {
            Ok(answer) => return answer.map(Some),
            Err(RecvTimeoutError::Disconnected) => return Err(panicked()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if drain.load(Ordering::Acquire) && *until.get_or_insert(now + LAST_START) <= now {
            return Ok(None);
        }
    }
}

fn tell(running: &Running, quiet: bool) {
    let records = running.recorder().take();
    if !quiet {
        for record in &records {
            show::note(&logs::said(record));
        }
    }
}

fn failed(error: &JobError) -> Failed {
    Failed { code: error.exit_code(), findings: error.diagnostics() }
}

/// The report as programs read it.
fn value(report: &Report, stopped_by: &StoppedBy) -> Value {
    let mut value = json!(report);
    let stopped_by = *stopped_by.lock().unwrap_or_else(PoisonError::into_inner);
    value.as_object_mut().into_iter().for_each(|fields| {
        fields.insert("stopped_by".to_owned(), json!(stopped_by));
    });
    value
}

/// Prints the report as the options say; gives the exit code.
fn print(options: &Options, to_stderr: bool, report: Option<&Value>, wrong: &[Diagnostic]) -> u8 {
    let text = if options.json {
        let mut fields = report.and_then(Value::as_object).cloned().unwrap_or_default();
        if !wrong.is_empty() {
            fields.insert("error".to_owned(), show::as_json(wrong));
        }
        format!("{:#}", Value::Object(fields))
    } else {
        match report {
            Some(report) if !options.quiet => report::text(report, &[]),
            _ => return 0,
        }
    };
    if to_stderr {
        show::note(&text);
        return 0;
    }
    show::out(&text)
}
