//! The state of a function that changes it: one call at a time.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// State, and the thread that is in a call with it.
#[doc(hidden)]
#[derive(Debug)]
pub struct State<T> {
    state: Mutex<T>,
    /// What [`this_thread`] gives in that thread; 0 for none.
    holder: AtomicUsize,
}

/// State for the time of a call.
#[doc(hidden)]
#[derive(Debug)]
pub struct InCall<'s, T> {
    state: MutexGuard<'s, T>,
    holder: &'s AtomicUsize,
}

impl<T> State<T> {
    /// The state that a function begins with.
    pub const fn new(state: T) -> Self {
        Self { state: Mutex::new(state), holder: AtomicUsize::new(0) }
    }

    /// The state for one call. Other threads wait for their turn.
    ///
    /// # Panics
    ///
    /// This thread is in a call of the same function, which would wait for itself.
    pub fn enter(&self) -> InCall<'_, T> {
        let this = this_thread();
        // Only this thread writes its own number.
        assert!(
            self.holder.load(Ordering::Relaxed) != this,
            "a function with state (`&mut self`) was called from inside its own call, which would wait for itself for ever; call \
             another instance of it, or keep what both need behind a lock of your own and take `&self`"
        );
        // A panic of an earlier call left what it left: the function goes on with that.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.holder.store(this, Ordering::Relaxed);
        InCall { state, holder: &self.holder }
    }
}

/// A number that no other thread has at the same time, and that is never 0.
fn this_thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here) as usize)
}

impl<T> Deref for InCall<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.state
    }
}

impl<T> DerefMut for InCall<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

impl<T> Drop for InCall<'_, T> {
    fn drop(&mut self) {
        // Before the lock is opened, which happens when the fields are dropped.
        self.holder.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;
    use std::thread;

    #[test]
    fn a_call_inside_of_a_call_is_told_and_costs_nothing_else() {
        let state = State::new(0);
        let panic = catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _outer = state.enter();
            let _inner = state.enter();
        }));
        let text = panic.expect_err("it can't go on").downcast::<&str>().expect("a text");
        assert!(text.starts_with("a function with state (`&mut self`) was called from inside its own call"), "{text}");
        *state.enter() += 1;
        assert_eq!(1, *state.enter());
    }

    #[test]
    fn threads_take_turns() {
        let state = State::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| *state.enter() += 1));
            }
        });
        assert_eq!(4000, *state.enter());
    }
}
