//! What stands in for the room `python` without the feature of that name.

use crate::abi::ObjectTable;

/// Without Python there are no objects.
#[expect(clippy::extra_unused_type_parameters, reason = "with the feature it is the table of a type")]
pub(crate) fn object_table<T>() -> Option<ObjectTable> {
    None
}

#[doc(hidden)]
#[macro_export]
macro_rules! __python_module {
    ($name:ident, $initialise:ident) => {
        ::core::compile_error!(
            "`oxflow::module!` needs the feature `python`: oxflow = { version = \"0.1\", features = [\"python\"] }"
        );
    };
}
