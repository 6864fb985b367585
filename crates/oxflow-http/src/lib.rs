//! HTTP requests with limits, one or many at a time, on one thread of their own.
//!
//! It is for the calls around a piece of work: ten thousand small requests to a few services, or one document from a stranger that must
//! not take more time or memory than it is allowed. It speaks HTTP/1.1 with TLS, keeps connections, follows redirects and
//! repeats what may be repeated. It knows no proxies, no cookies and no HTTP/2, and unpacks nothing: what a body is packed with stands in
//! `content-encoding`, and is nothing unless the request asks for it by `accept-encoding`.
//!
//! ```no_run
//! use oxflow_http::{Addresses, Client, Limits, Request};
//! use std::time::Duration;
//!
//! let client = Client::new()?;
//! let limits = Limits { timeout: Duration::from_secs(5), body_bytes: 1 << 20, addresses: Addresses::Public, ..Limits::default() };
//! let response = client.fetch(Request::get("https://example.com/bundle.js.map"), limits)?; // waits
//! println!("{} {:?} {} bytes", response.status, response.header("content-type"), response.body.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Client::fetch`] is one request: it waits until the response is whole, and is an error of [`FetchError`] otherwise. A status of
//!   404 or 500 is a response.
//! - [`Client::start`] is many: a [`Fetching`] takes requests while there is [room](Fetching::room), does a given number of them at a
//!   time, and hands back what is done in batches, each with its own outcome.
//!
//! A client is a thread called `oxflow-http` and its connections. It belongs to the process that made it: in a child of a fork there is
//! no such thread, so a call there is [`FetchError::Forked`] at once, and dropping the client there touches nothing. Whoever forks makes
//! another one. None of these calls may be made on a thread of an asynchronous runtime, since they wait.

mod client;
mod connect;
mod desk;
mod error;
mod exchange;
mod limits;
mod pool;
mod request;
mod retry;
mod target;

pub use self::client::{Client, Fetching};
pub use self::desk::{Done, Taken};
pub use self::error::FetchError;
pub use self::limits::{Addresses, Limits};
pub use self::request::{Request, Response};
pub use self::target::shown;
