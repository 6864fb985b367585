//! What stands in for the SDK's Python module without the feature `python`.

/// A crate that is a program as well as a module is built without Python, too.
#[doc(hidden)]
#[macro_export]
macro_rules! __python_module {
    ($name:ident, $initialise:ident) => {};
}
