//! What [`module!`](crate::module) says without the feature `python`.

#[doc(hidden)]
#[macro_export]
macro_rules! __python_module {
    ($name:ident, $initialise:ident) => {
        ::core::compile_error!(
            "`oxflow::module!` needs the feature `python`: oxflow = { version = \"0.1\", features = [\"python\"] }"
        );
    };
}
