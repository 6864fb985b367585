//! What becomes of all this in a forked child.
//!
//! A fork copies one thread. A lock that another thread holds at that moment stays locked in the child for good, and what
//! waits to be sent would be sent twice. So every lock is taken right before the fork and given back on both sides of it, where the child
//! forgets what its parent had recorded, and begins to count anew. The C library does that, inside of `fork`: hooks of Python run
//! earlier, and those of others may record something, or wait for a thread that does. No lock here is held while something is
//! waited for, an interpreter least of all, so that whoever forks never waits long.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static KEPT: Mutex<Vec<&'static dyn Keeps>> = Mutex::new(Vec::new());

thread_local! {
    /// What this thread took on its way into a fork.
    static HELD: RefCell<Vec<Box<dyn Held>>> = const { RefCell::new(Vec::new()) };
}

/// Something behind a lock that lives as long as the process.
pub(crate) trait Keeps: Sync {
    /// Takes the lock.
    fn hold(&'static self) -> Box<dyn Held>;
}

/// A lock that was taken.
pub(crate) trait Held {
    /// This is the child: nothing was recorded yet.
    fn forget(&mut self);
}

/// A lock whose content knows how to forget.
impl<T: Forgets + 'static> Held for MutexGuard<'static, T> {
    fn forget(&mut self) {
        T::forget(self);
    }
}

/// What a child has nothing of.
pub(crate) trait Forgets {
    /// As if the process had begun a moment ago.
    fn forget(&mut self);
}

impl Forgets for Vec<&'static dyn Keeps> {
    fn forget(&mut self) {}
}

/// From now on a fork keeps an eye on this.
pub(crate) fn keep(what: &'static dyn Keeps) {
    system::watch();
    lock(&KEPT).push(what);
}

/// How many forks lie between this process and the first one.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Takes a lock of what is kept; it is held for moments.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread is about to fork.
fn before() {
    let known = lock(&KEPT);
    let mut held: Vec<Box<dyn Held>> = known.iter().map(|what| what.hold()).collect();
    held.push(Box::new(known));
    // A thread that ends can't keep them, and what forks there is no program.
    let _ = HELD.try_with(|kept| kept.replace(held));
}

/// This thread has forked, and goes on as it was.
fn in_parent() {
    drop(HELD.try_with(RefCell::take));
}

/// This process is the child that was forked.
fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    for held in &mut HELD.try_with(RefCell::take).unwrap_or_default() {
        held.forget();
    }
}

#[cfg(unix)]
#[allow(unsafe_code, reason = "the C library forks")]
mod system {
    use std::sync::Once;

    static WATCHED: Once = Once::new();

    pub(super) fn watch() {
        // SAFETY: the functions live as long as the process. What they do between the two sides of a fork, to allocate and to unlock,
        // the C libraries of Linux and macOS see to.
        WATCHED.call_once(|| unsafe {
            // It fails only where there is no memory; then a child may wait for ever, as with most programs.
            libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child));
        });
    }

    unsafe extern "C" fn before() {
        super::before();
    }

    unsafe extern "C" fn in_parent() {
        super::in_parent();
    }

    unsafe extern "C" fn in_child() {
        super::in_child();
    }
}

#[cfg(not(unix))]
mod system {
    /// Nothing forks here.
    pub(super) fn watch() {}
}
