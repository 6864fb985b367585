//! What a pipeline that is built in Rust calls a registered function by: a type.

use crate::function::Described;
use crate::registry::Entry;
use std::fmt::Display;

/// A type that stands for a function `F` of oxflow. `F` has no name; the compiler finds it.
///
/// [`rust_function!`](crate::rust_function) makes one, the type of an `impl` block with
/// [`#[oxflow::function]`](macro@crate::function) is one, and `#[oxflow::function(step = Name)]` on a plain function makes one of that
/// name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't stand for a function of oxflow",
    note = "that do the types of `rust_function!` and of `impl` blocks with `#[oxflow::function]`; a plain function has one by \
            `#[oxflow::function(step = Name)]`"
)]
pub trait Step<F: Described>: Sized + 'static {
    #[doc(hidden)]
    const ENTRY: Entry;

    #[doc(hidden)]
    fn function(self) -> F;
}

/// What makes a function `F` for a pipeline: the type that stands for one without settings, or a closure that gives one with
/// settings, or an error. A function with state is made once for each lane.
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no function of oxflow",
    note = "give the type of a function, or for one with settings or state a closure that makes it: `|| Above::new(4)`"
)]
pub trait Make<F: Described, S: Step<F>>: Send + Sync + 'static {
    /// Makes one; an error is the text for who runs the pipeline.
    fn make(&self) -> Result<S, String>;
}

/// What a closure makes: a function, or an error.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no function of oxflow",
    note = "the closure gives what `new` of an `impl` block with `#[oxflow::function]` gives"
)]
pub trait Made<F: Described, S: Step<F>> {
    fn made(self) -> Result<S, String>;
}

impl<F: Described, S: Step<F>> Made<F, S> for S {
    fn made(self) -> Result<S, String> {
        Ok(self)
    }
}

impl<F: Described, S: Step<F>, E: Display> Made<F, S> for Result<S, E> {
    fn made(self) -> Result<S, String> {
        self.map_err(|error| error.to_string())
    }
}

impl<F: Described, S: Step<F>, C, M> Make<F, S> for C
where
    C: Fn() -> M + Send + Sync + 'static,
    M: Made<F, S>,
{
    fn make(&self) -> Result<S, String> {
        self().made()
    }
}
