//! What a crate says of itself whose whole pipeline is Rust.

/// A crate with a pipeline of its own. `main_function!` of the engine registers it; an extension module shows the pipeline to
/// Python as `run_streams`.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Name of the crate's package.
    pub name: &'static str,
    /// Name of its Rust module, in which its functions are.
    pub module: &'static str,
    /// Version of the package.
    pub version: &'static str,
    /// Its pipeline, in YAML.
    pub pipeline: &'static str,
}

inventory::collect!(Program);

impl Program {
    /// The one that the library registered.
    pub fn registered() -> Option<Self> {
        inventory::iter::<Self>().next().copied()
    }
}
