//! The command line of a binary that is a pipeline: `run`, `check`, `graph` and `explain`, as `oxflow` has them, without Python.
//!
//! A crate says [`main_function!`](crate::main_function), and is a program that knows its own functions, since what the macros
//! of the SDK register is linked into it, and its own pipeline. Options, texts and exit codes are those of `oxflow`:
//! `tests/test_pure.py` compares them.

mod check;
mod logs;
mod options;
mod program;
mod run;
mod show;
mod signals;

use std::process::ExitCode;

use self::options::{Command, Options, Parsed};
pub use self::program::Program;
use self::show::Failed;
use crate::diagnostic;
use crate::graph;
use crate::job::exit;

/// The main function of the crate that said [`main_function!`](crate::main_function); without that, of a program that reads
/// `pipeline.yaml` in the working directory. A bin target takes it over with `pub use oxflow::main;`.
pub fn main() -> ExitCode {
    main_of(&Program::registered())
}

/// The main function of a program.
pub fn main_of(program: &Program) -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    let code = match options::parse(program.name, arguments) {
        Ok(Parsed::Options(options)) => command(program, &options),
        Ok(Parsed::Version) => show::out(&program.versions()),
        Ok(Parsed::Help(text)) => show::out(&text),
        Err(usage) => {
            show::note(&usage);
            exit::USAGE
        }
    };
    ExitCode::from(code)
}

fn command(program: &Program, options: &Options) -> u8 {
    let done = match options.command {
        Command::Run => run::run(program, options),
        Command::Check => check::check(program, options),
        Command::Graph => draw(program, options),
        Command::Explain => Ok(explain(options.target.as_deref())),
    };
    done.unwrap_or_else(|failed| failed.show())
}

fn draw(program: &Program, options: &Options) -> Result<u8, Failed> {
    let resolved = program.pipeline(options.target.as_deref())?;
    let drawn = graph::draw(&resolved.plan, &resolved.bindings, &options.format).unwrap_or_default();
    Ok(show::out(drawn.trim_end_matches('\n')))
}

/// Shows the page of an error code, or the titles of all.
fn explain(code: Option<&str>) -> u8 {
    let page = |code: &str| diagnostic::explain(code).unwrap_or_default().trim_end_matches('\n');
    let Some(asked) = code else {
        let title = |code: &str| page(code).lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
        return show::out(&diagnostic::codes().into_iter().map(title).collect::<Vec<_>>().join("\n"));
    };
    let is_number = !asked.is_empty() && asked.chars().all(|letter| letter.is_ascii_digit());
    let code = if is_number { format!("OXF{asked:0>4}") } else { asked.to_owned() };
    if diagnostic::explain(&code).is_some() {
        return show::out(page(&code));
    }
    show::note(&format!("error: there is no code `{asked}`; codes are {}", diagnostic::codes().join(", ")));
    exit::USAGE
}

/// Makes the crate a program that runs its own pipeline.
///
/// `main_function!()` defines `main`, which takes the `pipeline.yaml` beside the crate's `Cargo.toml`: its text becomes part of
/// the program. Said in `src/lib.rs`, `pub use my_pipeline::main;` is all of `src/main.rs`.
///
/// `main_function!(pipeline)` takes what a function gives that builds the pipeline in Rust.
///
/// ```text
/// oxflow::main_function!();
/// ```
#[macro_export]
macro_rules! main_function {
    ($pipeline:path) => {
        /// Runs the crate's pipeline, as the command line says.
        #[must_use]
        pub fn main() -> ::std::process::ExitCode {
            $crate::command::main_of(&$crate::command::Program::built(
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_CRATE_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
                $pipeline,
            ))
        }
    };
    () => {
        /// Runs the crate's pipeline, as the command line says.
        #[must_use]
        pub fn main() -> ::std::process::ExitCode {
            $crate::command::main_of(&$crate::command::Program::of(__OXFLOW_PROGRAM))
        }

        /// What the crate registers, and what its own `main` takes: a crate that it depends on may be a program as well.
        const __OXFLOW_PROGRAM: $crate::program::Program = $crate::program::Program {
            name: ::core::env!("CARGO_PKG_NAME"),
            module: ::core::env!("CARGO_CRATE_NAME"),
            version: ::core::env!("CARGO_PKG_VERSION"),
            pipeline: ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/pipeline.yaml")),
        };

        $crate::__private::inventory::submit! { __OXFLOW_PROGRAM }
    };
}
