//! Identities of traces and spans.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::SystemTime;

use crate::fork;

thread_local! {
    /// State of the generator, and the process that it was seeded in: a forked child must not repeat what its parent makes.
    static STATE: Cell<(u32, [u64; 4])> = const { Cell::new((u32::MAX, [0; 4])) };
}

/// An identity of a trace, never 0. Not secret.
pub(crate) fn trace_id() -> u128 {
    (u128::from(next()) << 64 | u128::from(next())).max(1)
}

/// An identity of a span, never 0.
pub(crate) fn span_id() -> u64 {
    next().max(1)
}

/// A number between 0 and 1, for waits that must not be those of everybody.
pub(crate) fn fraction() -> f64 {
    (next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn next() -> u64 {
    STATE
        .try_with(|kept| {
            let (process, state) = kept.get();
            let mut state = if process == fork::generation() { state } else { seed() };
            let made = step(&mut state);
            kept.set((fork::generation(), state));
            made
        })
        .unwrap_or_else(|_| step(&mut seed()))
}

/// What the system's random keys, the process and the time make: 128 bits of them are random.
fn seed() -> [u64; 4] {
    let keys = RandomState::new();
    let here = (std::process::id(), SystemTime::now(), fork::generation());
    [1_u8, 2, 3, 4].map(|part| keys.hash_one((part, here)))
}

/// xoshiro256++: Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4).
fn step(state: &mut [u64; 4]) -> u64 {
    let [a, b, c, d] = *state;
    let made = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
    let (c, d) = (c ^ a, d ^ b);
    *state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
    made
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn the_generator_is_that_of_the_paper() {
        // From the reference implementation, seeded with 1, 2, 3, 4.
        let mut state = [1, 2, 3, 4];
        let made = [(); 4].map(|()| step(&mut state));
        assert_eq!([41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386], made);
    }

    #[test]
    fn no_identity_comes_twice() {
        let made = || (0..20_000).map(|_| span_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(made)).collect();
        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("it ends")).collect();
        assert_eq!(all.len(), all.iter().collect::<HashSet<_>>().len());
    }
}
