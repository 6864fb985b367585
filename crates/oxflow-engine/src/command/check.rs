//! Everything that can be known before the first message.

use serde_json::json;

use super::options::Options;
use super::program::Program;
use super::run::config;
use super::show::{self, Failed};
use crate::config::Config;
use crate::definition::Resolved;
use crate::diagnostic::{Code, Diagnostic};
use crate::job::exit_code;
use crate::lower::{Program as Lowered, RunInfo, lower};
use crate::plan;

/// Checks the pipeline. Streams may be left unbound, since they may be bound when it runs.
pub(super) fn check(program: &Program, options: &Options) -> Result<u8, Failed> {
    let checked = program.pipeline(options.target.as_deref()).and_then(|resolved| {
        let config = config(options)?;
        Ok(findings(&resolved, &config))
    });
    let (lowered, findings) = match checked {
        Ok(checked) => checked,
        Err(failed) if options.json => (None, failed.findings),
        Err(failed) => return Err(failed),
    };
    let (unbound, wrong): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.code == Code::StreamUnbound);
    let notes: Vec<&str> = unbound.iter().map(|finding| finding.message.as_str()).collect();
    let code = if wrong.is_empty() { 0 } else { exit_code(&wrong) };
    if options.json {
        let found = json!({"ok": wrong.is_empty(), "diagnostics": show::as_json(&wrong), "notes": notes});
        return Ok(show::out(&format!("{found:#}")).max(code));
    }
    match lowered {
        Some(lowered) if wrong.is_empty() => Ok(good(&lowered, &notes)),
        _ => Err(Failed { code, findings: wrong }),
    }
}

/// What is wrong, and the lowered plan where it can be had.
fn findings(resolved: &Resolved, config: &Config) -> (Option<Lowered>, Vec<Diagnostic>) {
    let mut found = plan::check(&resolved.plan);
    let mut lowered = None;
    if found.is_empty() {
        let made = lower(&resolved.plan, &resolved.bindings);
        match made.and_then(|made| made.without_python().map(|()| made)) {
            Ok(made) => lowered = Some(made),
            Err(wrong) => found.push(wrong),
        }
    }
    found.extend(config.check(&resolved.plan));
    (lowered, found)
}

fn good(lowered: &Lowered, notes: &[&str]) -> u8 {
    let runs = lowered.runs();
    let count: usize = runs.iter().map(|run| run.steps.len()).sum();
    let line = |run: &RunInfo| {
        let language = run.language.map_or("engine", plan::Language::word);
        format!("  {language:6}  {}", run.steps.join(", "))
    };
    let head = format!("ok: {count} steps in {} runs", runs.len());
    let lines: Vec<String> = std::iter::once(head).chain(runs.iter().map(line)).collect();
    let code = show::out(&lines.join("\n"));
    for note in notes {
        show::note(&format!("note: {note}"));
    }
    code
}
