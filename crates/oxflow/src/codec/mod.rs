//! Between bytes and payloads.

pub mod json;

/// Bytes that are not what a type takes.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON, or not the JSON of this type.
    #[error("{reason} at byte {byte}")]
    Json {
        /// What is wrong.
        reason: String,
        /// The byte where it showed, counted from 1.
        byte: usize,
    },
    /// A field that no part of the type names, where the type refuses such.
    #[error("unknown field `{path}`")]
    UnknownField {
        /// The field, and those that it lies in: `tags.region`.
        path: String,
    },
    /// Any other reason, from a [`Payload`](crate::Payload) that was written by hand.
    #[error("{reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}

/// A value that its codec has no form for.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// JSON can't express it.
    #[error("not expressible in JSON")]
    Json(#[from] serde_json::Error),
    /// Any other reason, from a [`Payload`](crate::Payload) that was written by hand.
    #[error("{reason}")]
    Invalid {
        /// What is wrong.
        reason: String,
    },
}
