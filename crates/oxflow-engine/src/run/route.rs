//! Chooses a branch for each message.

use serde_json::Value;

use super::filter::ask;
use super::{Context, NativeRun, Run, RunFailed};
use crate::batch::Batch;
use crate::fault::{Fault, FaultKind};

/// A routing function.
pub trait Router: Send {
    /// The number of the branch for each message; none for one that failed.
    fn route(&mut self, batch: &Batch, context: &mut Context<'_>) -> Result<Vec<Option<u32>>, RunFailed>;
}

/// Routes by the answer of a Rust function.
pub struct NativeRouter {
    step: usize,
    answers: NativeRun,
    encoder: Option<Box<dyn Run>>,
    keys: Vec<Value>,
}

impl NativeRouter {
    /// A router of its own for one lane; `keys` lead to the branches in their order.
    pub fn new(step: usize, answers: NativeRun, encoder: Option<Box<dyn Run>>, keys: Vec<Value>) -> Self {
        Self { step, answers, encoder, keys }
    }

    fn find(&self, row: u32, answer: &[u8]) -> Result<u32, Box<Fault>> {
        let key: Value = serde_json::from_slice(answer).unwrap_or_default();
        let found = self.keys.iter().position(|known| *known == key);
        let unrouted = || Box::new(unrouted(self.step, row, &key.to_string(), &self.keys));
        found.map(crate::batch::row_number).ok_or_else(unrouted)
    }
}

/// The fault of a key that no branch has.
pub fn unrouted(step: usize, row: u32, key: &str, keys: &[Value]) -> Fault {
    let known: Vec<String> = keys.iter().map(ToString::to_string).collect();
    Fault {
        step,
        row,
        kind: FaultKind::Unrouted,
        class: "UnknownKey".to_owned(),
        text: format!("the routing function gave {key}; the branches have {}", known.join(", ")),
        detail: None,
        cause: None,
        wish: None,
    }
}

impl Router for NativeRouter {
    fn route(&mut self, batch: &Batch, context: &mut Context<'_>) -> Result<Vec<Option<u32>>, RunFailed> {
        let mut branches = vec![None; batch.len()];
        let (rows, answers) = ask(&mut self.answers, self.encoder.as_deref_mut(), batch, context)?;
        for (row, answer) in rows.into_iter().zip(answers.iter()) {
            match self.find(row, answer) {
                Ok(branch) => {
                    if let Some(slot) = branches.get_mut(row as usize) {
                        *slot = Some(branch);
                    }
                }
                Err(fault) => {
                    context.fail(*fault);
                }
            }
        }
        Ok(branches)
    }
}
