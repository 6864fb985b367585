//! The allocator of the program or module that has the feature `mimalloc`.
//!
//! Hundreds of messages are in hand at a time. Of what they free, glibc's `malloc` keeps seven pieces of each size at hand and merges
//! the others with their neighbours, to cut them out again for the next messages.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
