//! Payloads that are taken as they are.

use std::ops::Deref;

/// A raw payload: no codec touches it.
///
/// `Vec<u8>` isn't a payload, since a function that returns a `Vec` gives any number of outputs.
///
/// ```
/// use oxflow::{Bytes, Message};
///
/// fn shout(msg: Message<Bytes>) -> Bytes {
///     msg.payload().to_ascii_uppercase().into()
/// }
///
/// assert_eq!(&*shout(Message::new(Bytes::from(b"hi"))), b"HI");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// The bytes, without a copy.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(bytes: &[u8; N]) -> Self {
        Self(bytes.to_vec())
    }
}
