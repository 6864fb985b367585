//! The client of this process.

use std::io;
use std::sync::{Mutex, PoisonError};

use oxflow_http::Client;
use pyo3::prelude::*;

/// Locked only while the interpreter is held, as it is during a fork: so no child finds it locked for ever.
static CLIENT: Mutex<Option<Client>> = Mutex::new(None);

/// The client that all calls of this process share. It is made by the first of them, and by the first in a child of a fork.
pub(crate) fn client(_held: Python<'_>) -> io::Result<Client> {
    let mut current = CLIENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = current.as_ref().filter(|client| client.process() == std::process::id()) {
        return Ok(client.clone());
    }
    let made = Client::new()?;
    *current = Some(made.clone());
    Ok(made)
}
