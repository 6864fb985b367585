//! A crate with a function that has the name of one of `pure_words`.

use oxflow::Message;

/// Writes a text in capitals.
#[oxflow::function]
pub fn capitals(message: Message<String>) -> String {
    message.payload().to_uppercase()
}
