//! The macros that need no parser of their own.

/// Makes a type with serde's two traits a payload, and tells Python nothing about its fields.
///
/// [`derive(Payload)`](derive@crate::Payload) tells the fields, and lets `oxflow check` compare them.
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "kind")]
/// enum Event {
///     Started,
///     Ended { code: i32 },
/// }
///
/// oxflow::convert_via_json!(Event);
/// ```
#[macro_export]
macro_rules! convert_via_json {
    ($type:ty) => {
        impl $crate::Shape for $type {
            fn describe(_: &mut $crate::describe::Scope) -> $crate::shape::Type {
                $crate::shape::Type::Any
            }
        }

        impl $crate::Payload for $type {
            fn name() -> &'static str {
                $crate::__private::short_name::<Self>()
            }

            fn shape() -> $crate::shape::Type {
                $crate::shape::Type::Any
            }

            fn decode(bytes: &[u8]) -> ::core::result::Result<Self, $crate::DecodeError> {
                $crate::codec::json::decode(bytes)
            }

            fn encode(&self, out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<(), $crate::EncodeError> {
                $crate::codec::json::encode(self, out)
            }
        }

        $crate::__private::inventory::submit! { $crate::__private::Entry::payload::<$type>() }
    };
}

/// Makes a function from a closure: name, payload that it takes, payload that it gives, closure.
///
/// The closure returns that payload, or what [`Output`](crate::function::Output) makes of it: an `Option`, `Vec` or `Result`,
/// or a `Message`. The name is a type with an associated function `call`, for tests; in Python it is a class.
///
/// ```
/// use oxflow::Message;
///
/// oxflow::rust_function!(
///     /// Splits into words.
///     Words, String, String,
///     |msg: Message<String>| -> Vec<String> {
///         msg.payload().split_whitespace().map(str::to_owned).collect()
///     }
/// );
///
/// assert_eq!(Words::call(Message::new("to be".to_owned())), ["to", "be"]);
/// ```
#[macro_export]
macro_rules! rust_function {
    (
        $(#[$($meta:tt)*])* $visibility:vis $name:ident, $input:ty, $output:ty,
        |$($argument:ident)+ : $message:ty| -> $result:ty { $($body:tt)* } $(,)?
    ) => {
        $crate::__rust_function! {
            [$(#[$($meta)*])*] [$visibility] $name, $input, $output, $result, |$($argument)+: $message| -> $result { $($body)* }
        }
    };
    ($(#[$($meta:tt)*])* $visibility:vis $name:ident, $input:ty, $output:ty, $function:expr $(,)?) => {
        $crate::__rust_function! { [$(#[$($meta)*])*] [$visibility] $name, $input, $output, $output, $function }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __rust_function {
    ([$(#[$($meta:tt)*])*] [$visibility:vis] $name:ident, $input:ty, $output:ty, $result:ty, $function:expr) => {
        $(#[$($meta)*])*
        $visibility struct $name;

        impl $name {
            /// Calls the function, as a pipeline does for each message.
            #[allow(dead_code, reason = "for tests, which not every crate has")]
            $visibility fn call(message: $crate::Message<$input>) -> $result {
                let function: fn($crate::Message<$input>) -> $result = $function;
                function(message)
            }
        }

        impl $crate::function::Function for $name {
            type Input = $input;
            type Output = $output;
            type Result = $result;
            const FORM: $crate::abi::Form = $crate::abi::Form::Class;
            const NAME: &'static str = ::core::stringify!($name);
            const DOC: &'static str = $crate::__doc!($(#[$($meta)*])*);

            fn call(message: $crate::Message<$input>) -> $result {
                $name::call(message)
            }

            fn peek() -> ::core::option::Option<$crate::__private::Peek<Self>> {
                #[allow(unused_imports, reason = "which of the two serves depends on the type")]
                use $crate::__private::{ByClone as _, ByNothing as _};
                (&$crate::__private::Probe::<Self>(::core::marker::PhantomData)).peek()
            }
        }

        $crate::__private::inventory::submit! { $crate::__private::Entry::function::<$name>() }
        $crate::__refuse_abort! {}
    };
}

/// The documentation among attributes, a line each.
#[doc(hidden)]
#[macro_export]
macro_rules! __doc {
    () => { "" };
    (#[doc = $line:expr] $($rest:tt)*) => { ::core::concat!($line, "\n", $crate::__doc!($($rest)*)) };
    (#[$($other:tt)*] $($rest:tt)*) => { $crate::__doc!($($rest)*) };
}

/// A panic must be catchable: with `panic = "abort"` one bad message would end the whole process.
#[doc(hidden)]
#[macro_export]
macro_rules! __refuse_abort {
    () => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "oxflow catches the panic of a step and fails its message only; remove `panic = \"abort\"` from this crate's profile"
        );
    };
}
