//! Write a step of a Python stream pipeline in Rust.
//!
//! A pipeline is written in Python and run by oxflow. A step that is too slow there moves into a function of a [`Message`],
//! in a crate of your own that links nothing of the runtime:
//!
//! ```
//! use oxflow::{Message, Payload};
//! use serde::{Deserialize, Serialize};
//!
//! /// A measurement as it arrives.
//! #[derive(Serialize, Deserialize, Payload)]
//! struct Reading {
//!     sensor: String,
//!     celsius: f64,
//! }
//!
//! /// Is this a reading that anyone wants to hear about?
//! #[oxflow::function]
//! fn is_hot(msg: &Message<Reading>) -> bool {
//!     msg.payload().celsius > 40.0
//! }
//!
//! oxflow::rust_function!(
//!     /// Rounds to whole degrees.
//!     Round, Reading, Reading,
//!     |msg: Message<Reading>| -> Reading {
//!         let (reading, _) = msg.take();
//!         Reading { celsius: reading.celsius.round(), ..reading }
//!     }
//! );
//!
//! let message = Message::new(Reading { sensor: "roof".into(), celsius: 41.6 });
//! assert!(is_hot(&message));
//! assert_eq!(Round::call(message).celsius, 42.0);
//! ```
//!
//! With the feature `python` and one more line, `oxflow::module!(weather);`, the crate is a Python module whose functions
//! go into a pipeline as they are: `Filter("hot", function=weather.is_hot)`, `Map("round", function=weather.Round())`.
//!
//! What a function returns says what its step does with the message:
//!
//! | returns | the step |
//! |---|---|
//! | `T` | gives one payload, with key, headers and timestamp of the message that came in |
//! | [`Message<T>`] | the same, with key, headers and timestamp of its own |
//! | `bool` | selects |
//! | `Option` of `T` or `Message<T>` | gives one or none |
//! | `Vec` of `T` or `Message<T>` | gives any number |
//! | `Result<R, E>` of one of these, `E: Display` | the same, or fails this message and no other |
//!
//! A panic fails its message and no other, too. The two ways for a payload to be known are [`derive(Payload)`](derive@Payload),
//! which also tells Python the fields, and [`convert_via_json!`], which tells nothing; [`Payload`] can be written by hand.
//!
//! What a function records with [`metrics`], and with `tracing` and `log` if the features of these names are on, arrives in
//! Python's `logging` and in the report of the run.
//! A score of your own for `oxflow.scheduler` is such a function, too: see [`score`].
//!
//! At the ends of a pipeline payloads are JSON, or with the features `msgpack` and `protobuf` these: see [`codec`]. Every payload
//! of serde's has msgpack; a message of protobuf derives `prost::Message` and says `#[payload(codec = "protobuf")]`.

pub mod abi;
#[cfg(feature = "mimalloc")]
mod allocator;
mod batch;
pub mod bytes;
#[doc(hidden)]
pub mod closure;
pub mod codec;
mod columns;
mod construct;
pub mod describe;
mod encode;
pub mod error_policy;
mod fingerprint;
pub mod function;
mod guard;
mod host;
mod list;
mod macros;
pub mod message;
mod metadata;
pub mod metrics;
mod nullable;
mod open_tuple;
pub mod payload;
pub mod program;
#[cfg(feature = "python")]
pub mod python;
#[cfg(not(feature = "python"))]
#[path = "python_absent.rs"]
mod python;
mod registry;
mod report;
mod run;
pub mod score;
pub mod shape;
mod state;
pub mod step;
mod table;
mod text;

pub use bytes::Bytes;
pub use codec::{DecodeError, EncodeError};
pub use describe::Shape;
pub use error_policy::ErrorPolicy;
pub use host::{TraceContext, trace_context};
pub use list::List;
pub use message::{Message, Origin};
pub use nullable::{Nullable, present};
pub use open_tuple::OpenTuple;
pub use oxflow_macros::{ErrorPolicy, Payload, function, module, rust_function, schema};
pub use payload::Payload;
pub use table::{Registered, module_table, registered};
pub use text::Text;

/// What the macros' expansion names. No promise is made for anything in it.
#[doc(hidden)]
pub mod __private {
    pub use crate::construct::read_arguments;
    pub use crate::describe::{generic_name, short_name};
    pub use crate::function::{
        Argument, ByClone, ByConfiguration, ByNothing, ByPolicy, Constructed, Default, Errors, Probe, Unwritten,
        Written, known,
    };
    pub use crate::registry::Entry;
    pub use crate::state::State;
    pub use inventory;
    pub use serde;
}
