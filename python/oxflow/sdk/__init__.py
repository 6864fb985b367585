"""Tools for those who write steps in Rust: projects, functions in them, stubs, and what of their environment fits together."""
