//! Connections that wait for their next request.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::sync::Notify;

use crate::limits::Addresses;
use crate::target::Origin;

/// One connection.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// Servers close what rests for a minute or so; a request that meets such a close has to be sent again.
const REST: Duration = Duration::from_secs(20);

/// Most connections at rest, to all servers: each is a descriptor, of which a process has a thousand or so.
const MOST: usize = 256;

/// Who it leads to, and whether that was looked at: what may go inside is never lent to what may not.
type Key = (Origin, Addresses);

/// Connections at rest, by server.
#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    filled: Notify,
}

#[derive(Default)]
struct Idle {
    resting: HashMap<Key, Vec<(Connection, Instant)>>,
    count: usize,
}

impl Pool {
    /// The connection that rested least.
    pub(crate) fn take(&self, key: &Key) -> Option<Connection> {
        let mut idle = self.lock();
        let Idle { resting, count } = &mut *idle;
        let resting = resting.get_mut(key)?;
        while let Some((connection, since)) = resting.pop() {
            *count -= 1;
            if !connection.is_closed() && since.elapsed() < REST {
                return Some(connection);
            }
        }
        None
    }

    pub(crate) fn put(&self, key: &Key, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut idle = self.lock();
        if idle.count == MOST {
            return;
        }
        if idle.resting.is_empty() {
            self.filled.notify_one();
        }
        idle.count += 1;
        match idle.resting.get_mut(key) {
            Some(resting) => resting.push((connection, Instant::now())),
            None => drop(idle.resting.insert(key.clone(), vec![(connection, Instant::now())])),
        }
    }

    /// Closes what rested too long, for ever. Nothing wakes up while there is nothing to close.
    pub(crate) async fn sweep(&self) {
        loop {
            if self.lock().resting.is_empty() {
                self.filled.notified().await;
            }
            tokio::time::sleep(REST).await;
            let mut idle = self.lock();
            idle.resting.retain(|_, resting| {
                resting.retain(|(connection, since)| !connection.is_closed() && since.elapsed() < REST);
                !resting.is_empty()
            });
            idle.count = idle.resting.values().map(Vec::len).sum();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
