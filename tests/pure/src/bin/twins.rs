//! The program of the library, with another crate in it that has a function of the same name.

use pure_twin as _;
pub use pure_words::main;
