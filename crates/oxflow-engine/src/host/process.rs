//! What belongs to the process rather than to a run, and what becomes of it in a forked child.
//!
//! Another thread may hold a lock at the moment of a fork, and in the child nobody will ever open it. So a child never touches
//! what its parent had: it begins a **generation** of its own, and a recorder of an older one takes nothing and gives nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};

use super::levels::Levels;
use super::modules;
use super::recorder::Recorder;
use crate::telemetry::Export;

/// A child of a child of a child: the last generation is that of all that come after it.
const GENERATIONS: usize = 8;

static PROCESSES: [OnceLock<Process>; GENERATIONS] = [const { OnceLock::new() }; GENERATIONS];
static GENERATION: AtomicUsize = AtomicUsize::new(0);
/// Who is asked where that goes which belongs to no run.
static OUTSIDE: OnceLock<AskExport> = OnceLock::new();

/// Says where something goes now, if anywhere.
type AskExport = fn() -> Option<Arc<dyn Export>>;

/// What belongs to a process.
#[derive(Debug)]
pub(super) struct Process {
    levels: RwLock<Arc<Levels>>,
    /// Takes what is recorded outside of any run.
    outside: Arc<Recorder>,
    runs: Mutex<Vec<Weak<Recorder>>>,
}

pub(super) fn generation() -> usize {
    GENERATION.load(Ordering::Acquire)
}

pub(super) fn process() -> &'static Process {
    let generation = generation().min(GENERATIONS - 1);
    // The first of an array that is never empty is there.
    let slot = PROCESSES.get(generation).unwrap_or(&PROCESSES[0]);
    slot.get_or_init(|| Process {
        levels: RwLock::default(),
        outside: Arc::new(Recorder::new(Vec::new())),
        runs: Mutex::default(),
    })
}

/// This process is a child that was forked a moment ago: what its parent has recorded isn't its own.
pub fn forked() {
    let next = (generation() + 1).min(GENERATIONS - 1);
    GENERATION.store(next, Ordering::Release);
}

/// What is recorded outside of any run goes where `ask` says at that moment. Only the first one is asked.
pub fn export_outside(ask: AskExport) {
    OUTSIDE.get_or_init(|| ask);
}

/// Where that goes now.
pub(super) fn outside_export() -> Option<Arc<dyn Export>> {
    OUTSIDE.get().and_then(|ask| ask())
}

/// Sets whom anyone listens to, and tells the modules; nothing is done if it is what it was.
pub fn set_levels(levels: Levels) {
    {
        let mut known = process().levels.write().unwrap_or_else(PoisonError::into_inner);
        if **known == levels {
            return;
        }
        *known = Arc::new(levels);
    }
    modules::attach_all();
}

impl Process {
    pub(super) fn levels(&self) -> Arc<Levels> {
        Arc::clone(&self.levels.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A run begins.
    pub(super) fn enlist(&self, run: &Arc<Recorder>) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|run| run.strong_count() > 0);
        runs.push(Arc::downgrade(run));
    }

    /// Takes what a thread records that is no lane: the only run that goes on, or nobody's.
    pub(super) fn recorder(&self) -> Arc<Recorder> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut going = runs.iter().filter_map(Weak::upgrade).filter(|run| !run.has_ended());
        let only = going.next().filter(|_| going.next().is_none());
        only.unwrap_or_else(|| Arc::clone(&self.outside))
    }

    /// Takes what is recorded outside of any run.
    pub(super) fn outside(&self) -> &Arc<Recorder> {
        &self.outside
    }
}
