//! Everything that can be known before the first message.
//!
//! Each group of rules is a module and walks the tree on its own, so that one mistake doesn't hide another: all findings
//! are reported at once, in the order in which a user would mend them.

use super::{Plan, VERSION, edges, names, routes, structure};
use crate::diagnostic::{Code, Diagnostic};

/// What is wrong with a plan; nothing if it can run.
pub fn check(plan: &Plan) -> Vec<Diagnostic> {
    if plan.version != VERSION {
        let message = format!("the plan has form {}, but this engine reads form {VERSION}", plan.version);
        return vec![Diagnostic::new(Code::Internal, message)];
    }
    [names::check, structure::check, routes::check, edges::check].iter().flat_map(|rules| rules(plan)).collect()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
