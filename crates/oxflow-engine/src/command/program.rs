//! Which pipeline a program runs, and what it has to run it with.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

use oxflow::{Registered, abi};

use super::show::{self, Failed};
use crate::builder::Pipeline;
use crate::definition::{Catalog, Definition, Resolved};
use crate::diagnostic::{Code, Diagnostic};
use crate::extension::Module;

/// A program of one pipeline.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    module: &'static str,
    version: &'static str,
    pipeline: Own,
}

/// The pipeline of a program.
#[derive(Clone, Copy, Debug)]
enum Own {
    /// In YAML.
    Text(&'static str),
    /// Built when it is wanted.
    Built(fn() -> Pipeline),
    /// None: it is read where the program runs.
    Nowhere,
}

/// Name of the file that holds a pipeline.
const FILE: &str = "pipeline.yaml";

impl Program {
    /// The one that the crate registered, or one of nothing but its functions.
    pub fn registered() -> Self {
        let nameless = Self { name: executable(), module: executable(), version: "", pipeline: Own::Nowhere };
        oxflow::program::Program::registered().map_or(nameless, Self::of)
    }

    /// The one that a crate says of itself.
    pub const fn of(said: oxflow::program::Program) -> Self {
        let oxflow::program::Program { name, module, version, pipeline } = said;
        Self { name, module, version, pipeline: Own::Text(pipeline) }
    }

    /// One that builds its pipeline in Rust.
    pub const fn built(
        name: &'static str,
        module: &'static str,
        version: &'static str,
        pipeline: fn() -> Pipeline,
    ) -> Self {
        Self { name, module, version, pipeline: Own::Built(pipeline) }
    }

    /// The pipeline in the file, or its own.
    pub(super) fn pipeline(&self, file: Option<&str>) -> Result<Resolved, Failed> {
        let (text, file) = match (file, self.pipeline) {
            (None, Own::Built(build)) => return build().resolve().map_err(Failed::wrong),
            (None, Own::Text(own)) => (Cow::Borrowed(own), FILE),
            (file, _) => read(file.unwrap_or(FILE))?,
        };
        let doubles = doubles(self.module);
        if !doubles.is_empty() {
            return Err(Failed::wrong(doubles));
        }
        let catalog = Catalog { module: module()?, name: self.module };
        let loaded = Definition::load(&text, file).and_then(|definition| definition.resolve(&text, file, catalog));
        loaded.map_err(Failed::wrong)
    }

    /// Lets the functions' records arrive in the runs of this process.
    pub(super) fn connect(&self) -> Result<(), Failed> {
        module()?.connect(self.module);
        Ok(())
    }

    /// What is in it: of each function the version of what it takes and gives, which is the hash of its fields.
    pub(super) fn versions(&self) -> String {
        let module = module();
        let functions = module.iter().flat_map(Module::functions).map(|function| {
            let (input, output) = (function.input(), function.output());
            let hashes = format!("{:016x} -> {:016x}", input.hash(), output.hash());
            format!("{}:{}  {} -> {}  {hashes}", self.module, function.name(), input.name(), output.name())
        });
        let own = (!self.version.is_empty()).then(|| format!("{} {}", self.name, self.version));
        let oxflow = [format!("oxflow {}", env!("CARGO_PKG_VERSION")), format!("ABI {}.{}", abi::MAJOR, abi::MINOR)];
        own.into_iter().chain(oxflow).chain(functions).collect::<Vec<_>>().join("\n")
    }
}

/// The functions and types that are linked into this program.
fn module() -> Result<Module, Failed> {
    Module::linked().map_err(|error| Failed::wrong(vec![error.diagnostic(None)]))
}

/// What has one name in two places of the crates that are linked together: a pipeline could mean either.
fn doubles(program: &str) -> Vec<Diagnostic> {
    let registered = oxflow::registered();
    let pairs = registered.iter().zip(registered.iter().skip(1));
    let same = pairs.filter(|(one, other)| (one.what, one.name) == (other.what, other.name));
    let double = |(one, other): (&Registered, &Registered)| {
        let message = format!("`{program}` has two {}s that are named `{}`", one.what, one.name);
        let why = if one.module == other.module {
            format!("both are in the crate `{}`", one.module)
        } else {
            format!("one is in the crate `{}`, the other in `{}`", one.module, other.module)
        };
        Diagnostic::new(Code::NotAnExtension, message).because(why).fix("rename one of them in Rust")
    };
    same.map(double).collect()
}

fn read(file: &str) -> Result<(Cow<'static, str>, &str), Failed> {
    let missing = |message: String| {
        let wrong = Diagnostic::new(Code::NoPipeline, message);
        Failed::wrong(vec![wrong.fix("name a file with a pipeline in YAML")])
    };
    if !Path::new(file).is_file() {
        return Err(missing(format!("`{file}`: there is no file `{file}`")));
    }
    let text = show::text_of(file).map_err(|reason| missing(format!("`{file}` cannot be read: {reason}")))?;
    Ok((Cow::Owned(text), file))
}

/// What the program's file is called.
fn executable() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let path = std::env::current_exe().unwrap_or_default();
        path.file_stem().and_then(OsStr::to_str).unwrap_or("pipeline").to_owned()
    })
}
