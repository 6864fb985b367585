//! What follows the name of a program, read as `oxflow` reads it.

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Run,
    Check,
    Graph,
    Explain,
}

impl Command {
    fn of(word: &str) -> Option<Self> {
        match word {
            "run" => Some(Self::Run),
            "check" => Some(Self::Check),
            "graph" => Some(Self::Graph),
            "explain" => Some(Self::Explain),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Check => "check",
            Self::Graph => "graph",
            Self::Explain => "explain",
        }
    }
}

/// How to do it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) command: Command,
    /// A file with a pipeline, in place of the program's own; of `explain` the code.
    pub(super) target: Option<String>,
    pub(super) config: Option<String>,
    pub(super) sets: Vec<(String, String)>,
    pub(super) streams: Vec<(String, String)>,
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) format: String,
}

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Options(Options),
    Version,
    Help(String),
}

/// Reads the arguments; an error is the text for the user.
pub(super) fn parse(name: &str, arguments: impl Iterator<Item = String>) -> Result<Parsed, String> {
    let mut arguments = arguments.peekable();
    match arguments.peek().map(String::as_str) {
        Some("--version") => return Ok(Parsed::Version),
        Some("-h" | "--help") => return Ok(Parsed::Help(help(name))),
        _ => {}
    }
    // Without a command the program does what it is there for.
    let command = match arguments.peek() {
        Some(word) if !word.starts_with('-') => {
            let choices = "choose from run, check, graph, explain";
            let wrong = format!("argument COMMAND: invalid choice: '{word}' ({choices})");
            let command = Command::of(word).ok_or_else(|| complain(name, None, &wrong))?;
            arguments.next();
            command
        }
        _ => Command::Run,
    };
    Reading { name, arguments, options: Options::of(command) }.read()
}

impl Options {
    fn of(command: Command) -> Self {
        Self {
            command,
            target: None,
            config: None,
            sets: Vec::new(),
            streams: Vec::new(),
            json: false,
            quiet: false,
            format: "mermaid".to_owned(),
        }
    }
}

struct Reading<'n, I> {
    name: &'n str,
    arguments: I,
    options: Options,
}

impl<I: Iterator<Item = String>> Reading<'_, I> {
    fn read(mut self) -> Result<Parsed, String> {
        while let Some(argument) = self.arguments.next() {
            let (option, value) = match argument.split_once('=') {
                Some((option, value)) if option.starts_with("--") => (option.to_owned(), Some(value.to_owned())),
                _ => (argument.clone(), None),
            };
            match (option.as_str(), self.options.command) {
                ("-h" | "--help", _) => return Ok(Parsed::Help(help(self.name))),
                ("--config", Command::Run | Command::Check) => {
                    self.options.config = Some(self.value("--config", value)?);
                }
                ("--set", Command::Run | Command::Check) => {
                    let pair = self.pair("--set", "KEY=VALUE", value)?;
                    self.options.sets.push(pair);
                }
                ("--stream", Command::Run | Command::Check) => {
                    let pair = self.pair("--stream", "NAME=URL", value)?;
                    self.options.streams.push(pair);
                }
                ("--json", Command::Run | Command::Check) if value.is_none() => self.options.json = true,
                ("--quiet", Command::Run) if value.is_none() => self.options.quiet = true,
                ("--format", Command::Graph) => self.options.format = self.format(value)?,
                (target, _) if !target.starts_with('-') && self.options.target.is_none() => {
                    self.options.target = Some(argument);
                }
                _ => return Err(self.complain(&format!("unrecognized arguments: {argument}"))),
            }
        }
        Ok(Parsed::Options(self.options))
    }

    fn value(&mut self, option: &str, given: Option<String>) -> Result<String, String> {
        let next = given.or_else(|| self.arguments.next().filter(|next| !next.starts_with("--")));
        next.ok_or_else(|| self.complain(&format!("argument {option}: expected one argument")))
    }

    fn pair(&mut self, option: &str, form: &str, given: Option<String>) -> Result<(String, String), String> {
        let text = self.value(option, given)?;
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(self.complain(&format!("argument {option}: `{text}` is not of the form {form}"))),
        }
    }

    fn format(&mut self, given: Option<String>) -> Result<String, String> {
        let format = self.value("--format", given)?;
        if crate::graph::FORMATS.contains(&format.as_str()) {
            return Ok(format);
        }
        let choices = crate::graph::FORMATS.join(", ");
        Err(self.complain(&format!("argument --format: invalid choice: '{format}' (choose from {choices})")))
    }

    fn complain(&self, text: &str) -> String {
        complain(self.name, Some(self.options.command), text)
    }
}

fn complain(name: &str, command: Option<Command>, text: &str) -> String {
    let program = command.map_or_else(|| name.to_owned(), |command| format!("{name} {}", command.word()));
    format!("{}\n{program}: error: {text}", usage(name))
}

fn usage(name: &str) -> String {
    format!("usage: {name} [run | check | graph | explain] [PIPELINE.yaml | CODE] [OPTION ...]")
}

fn help(name: &str) -> String {
    format!(
        "{}

Without a command it runs; without PIPELINE.yaml it takes the pipeline that it was built with.

commands:
  run               run the pipeline until its source ends
  check             check every name, type and configuration key without running
  graph             draw the pipeline
  explain           show the page of an error code, OXF0201 or 201; without one list all codes

options of run and check:
  --config FILE     YAML configuration
  --set KEY=VALUE   set a configuration value; may be given several times
  --stream NAME=URL bind a stream; may be given several times
  --json            print the report, or what is wrong, as JSON
  --quiet           print no report but that of --json, and no notes (run)

option of graph:
  --format FORMAT   mermaid (default), svg, dot, json, or plan: the plan as JSON

  --version         print the versions of the program, of oxflow, of the ABI and of the functions",
        usage(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<Parsed, String> {
        parse("words", arguments.split_whitespace().map(str::to_owned))
    }

    #[track_caller]
    fn is_refused(arguments: &str, expected: &str) {
        let told = read(arguments).expect_err("a usage that is wrong");
        assert_eq!(Some(expected), told.lines().last());
    }

    #[test]
    fn without_a_command_it_runs() {
        assert_eq!(Ok(Parsed::Options(Options::of(Command::Run))), read(""));
        let config = Some("a.yaml".to_owned());
        assert_eq!(Ok(Parsed::Options(Options { config, ..Options::of(Command::Run) })), read("--config=a.yaml"));
    }

    #[test]
    fn a_file_stands_for_the_own_pipeline() {
        let target = Some("other.yaml".to_owned());
        assert_eq!(Ok(Parsed::Options(Options { target, ..Options::of(Command::Check) })), read("check other.yaml"));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        is_refused("check --quiet", "words check: error: unrecognized arguments: --quiet");
        is_refused("run a.yaml b.yaml", "words run: error: unrecognized arguments: b.yaml");
        is_refused("run --config", "words run: error: argument --config: expected one argument");
        is_refused("run --set a", "words run: error: argument --set: `a` is not of the form KEY=VALUE");
        is_refused("--stream =x", "words run: error: argument --stream: `=x` is not of the form NAME=URL");
        is_refused(
            "walk",
            "words: error: argument COMMAND: invalid choice: 'walk' (choose from run, check, graph, explain)",
        );
    }
}
