//! Requests over HTTP, as Python sees them: one client a process, many requests a call.

mod client;
mod failure;
mod fetched;
mod fetching;
mod request;

pub(crate) use self::client::client;
pub(crate) use self::fetched::Fetched;
pub(crate) use self::fetching::Fetching;
pub(crate) use self::request::Request;
