//! Where a thread is: in which lane and step, in which trace and span.
//!
//! A batch is a trace, and each visit of a lane to a step is a span of the runtime in it, the parent of what the step makes.
//! Their identities are made up when something is recorded there, not before.

use std::cell::{Cell, RefCell};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use super::process::{generation, process};
use super::record::Record;
use super::recorder::Recorder;
use super::shard::Shard;
use super::span::Span;
use crate::run::Live;
use crate::telemetry::Export;

thread_local! {
    static SCOPE: RefCell<Scope> = RefCell::default();
    /// For calls from plain Python on this thread.
    static DIRECT: RefCell<Option<(Arc<Recorder>, Arc<Live>)>> = const { RefCell::new(None) };
    /// State of the generator of identities, and the generation of the process that it was seeded in.
    static RANDOM: Cell<(usize, u64)> = const { Cell::new((usize::MAX, 0)) };
}

#[derive(Debug, Default)]
struct Scope {
    place: Option<Place>,
    /// The spans that the thread is in, with the batch that they were entered in.
    spans: Vec<(Arc<Span>, u64)>,
}

/// A thread of the runtime's own, or one that calls a function from plain Python.
#[derive(Debug)]
struct Place {
    recorder: Arc<Recorder>,
    shard: Arc<Shard>,
    live: Arc<Live>,
    lane: Option<usize>,
    /// The batch that `trace_id` is for.
    batch: u64,
    trace_id: u128,
    /// The visit to a step that `call_id` is for.
    visit: u64,
    call_id: u64,
    /// The span that an observer of the run was told of, or that of the program around a call: what is recorded is in that.
    told: Option<Arc<dyn Export>>,
}

/// Where something is recorded.
#[derive(Debug)]
pub(super) struct Here {
    pub(super) recorder: Arc<Recorder>,
    pub(super) shard: Arc<Shard>,
    pub(super) step: Option<usize>,
    pub(super) lane: Option<usize>,
    pub(super) trace_id: u128,
    /// The span of the extension.
    pub(super) span: Option<Arc<Span>>,
    /// Identity of that span, or of the runtime's, or 0.
    pub(super) span_id: u64,
    /// Identity of its parent, or 0.
    pub(super) parent_id: u64,
    /// Takes what is recorded here, too.
    pub(super) export: Option<Arc<dyn Export>>,
}

/// The span that something is recorded in.
#[derive(Debug)]
pub(super) enum Parent {
    /// The one that the thread is in.
    Current,
    /// None.
    Root,
    /// This one.
    Span(Arc<Span>),
}

/// Puts a thread back to where it was.
#[derive(Debug)]
#[must_use]
pub struct Inside(());

/// This thread carries messages from now on.
pub fn lane(recorder: &Arc<Recorder>, live: &Arc<Live>, number: usize) -> Inside {
    place(Some(Place::new(recorder, live, recorder.shard(), Some(number))))
}

/// What this thread records is in this span of the runtime from now on; none for one that is made up.
pub(crate) fn in_span(export: Option<&Arc<dyn Export>>) {
    with(|scope| scope.place.iter_mut().for_each(|place| place.told = export.map(Arc::clone)));
}

/// A span, and that which its extension was called in.
type Innermost = (Arc<dyn Export>, Option<Arc<dyn Export>>);

/// The span that this thread is in, and if an extension made it, that which the extension was called in. None where nobody
/// takes it.
pub fn innermost() -> Option<Innermost> {
    with(|scope| {
        scope.forget_leftovers();
        let called = scope.place.as_ref().and_then(|place| place.told.clone());
        match scope.spans.last() {
            Some((span, _)) => Some((span.export.clone()?, called)),
            None => Some((called?, None)),
        }
    })
    .flatten()
}

fn place(place: Option<Place>) -> Inside {
    with(|scope| *scope = Scope { place, spans: Vec::new() });
    Inside(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Spans that were left behind end here, outside of the borrow.
        drop(with(std::mem::take));
    }
}

/// Calls a function outside of any pipeline; what was recorded meanwhile comes with what it returns. Inside of a lane's step
/// it belongs to that step, and comes with the run's. `around` takes it, too: the span of the program that the call is in.
pub fn directly<R>(around: Option<Arc<dyn Export>>, call: impl FnOnce(&Live) -> R) -> (R, Vec<Record>) {
    let (recorder, live) = direct();
    if with(|scope| scope.place.is_some()).unwrap_or(true) {
        let _between = around.map(Between::new);
        return (call(&Live::new(1)), Vec::new());
    }
    live.begin();
    let here = Place { told: around, ..Place::new(&recorder, &live, Arc::clone(recorder.common()), None) };
    let inside = place(Some(here));
    let result = call(&live);
    drop(inside);
    let records = if recorder.is_empty() && process().outside().is_empty() { Vec::new() } else { recorder.take() };
    (result, records)
}

/// Inside of a step its function calls another one, in a span of its own: the spans around it are not those of the other.
#[derive(Debug)]
struct Between {
    told: Option<Arc<dyn Export>>,
    spans: Vec<(Arc<Span>, u64)>,
}

impl Between {
    fn new(around: Arc<dyn Export>) -> Self {
        let exchanged = with(|scope| {
            let told = scope.place.as_mut().and_then(|place| place.told.replace(around));
            Self { told, spans: std::mem::take(&mut scope.spans) }
        });
        // Not made at once: dropped, it would put back nothing.
        exchanged.unwrap_or_else(|| Self { told: None, spans: Vec::new() })
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        let (told, spans) = (self.told.take(), std::mem::take(&mut self.spans));
        // Outside of the borrow, since a span may end with it.
        drop(with(|scope| {
            scope.place.iter_mut().for_each(|place| place.told.clone_from(&told));
            std::mem::replace(&mut scope.spans, spans)
        }));
    }
}

fn direct() -> (Arc<Recorder>, Arc<Live>) {
    let new = || (Arc::new(Recorder::new(Vec::new())), Arc::new(Live::new(1)));
    let kept = DIRECT.try_with(|kept| {
        let mut kept = kept.try_borrow_mut().ok()?;
        kept.take_if(|(recorder, _)| !recorder.is_of_this_process());
        Some(kept.get_or_insert_with(new).clone())
    });
    kept.ok().flatten().unwrap_or_else(new)
}

/// This thread goes into a span.
pub(super) fn enter(span: Arc<Span>) {
    with(|scope| {
        let batch = scope.batch();
        scope.spans.push((span, batch));
    });
}

/// This thread leaves a span, which need not be the innermost.
pub(super) fn exit(number: u64) {
    let left = with(|scope| {
        let at = scope.spans.iter().rposition(|(entered, _)| entered.number == number)?;
        Some(scope.spans.remove(at))
    });
    // Outside of the borrow, since it may be the last that has it.
    drop(left);
}

/// The innermost span of a module that the thread is in.
pub(super) fn current(source: usize) -> Option<Arc<Span>> {
    let find = |scope: &mut Scope| {
        let mut spans = scope.spans.iter().rev().map(|(span, _)| span);
        spans.find(|span| span.source == source).map(Arc::clone)
    };
    with(find).flatten()
}

/// Where this thread records something.
pub(super) fn here(parent: Parent) -> Here {
    let (innermost, mut here) = with(|scope| {
        scope.forget_leftovers();
        (scope.spans.last().map(|(span, _)| Arc::clone(span)), scope.place.as_mut().map(Place::here))
    })
    .unwrap_or_default();
    let span = match parent {
        Parent::Current => innermost,
        Parent::Span(span) => Some(span),
        Parent::Root => {
            here = here.map(|here| Here { trace_id: 0, span_id: 0, export: here.recorder.export(), ..here });
            None
        }
    };
    if let Some(span) = span {
        return inside(span, here);
    }
    here.unwrap_or_else(|| {
        let recorder = process().recorder();
        let shard = Arc::clone(recorder.common());
        let export = recorder.export();
        Here { recorder, shard, step: None, lane: None, trace_id: 0, span: None, span_id: 0, parent_id: 0, export }
    })
}

/// What is recorded in a span belongs to its run and step; on a lane of that run to the step that the lane is in.
fn inside(span: Arc<Span>, here: Option<Here>) -> Here {
    let here = here.filter(|here| Arc::ptr_eq(&here.recorder, &span.recorder));
    let (step, lane) = here.as_ref().map_or((span.step, None), |here| (here.step, here.lane));
    Here {
        shard: here.map_or_else(|| Arc::clone(span.recorder.common()), |here| here.shard),
        recorder: Arc::clone(&span.recorder),
        step,
        lane,
        trace_id: span.trace_id,
        span_id: span.id,
        parent_id: span.parent_id,
        export: span.export.clone(),
        span: Some(span),
    }
}

/// Calls `measure` with the shard of this thread, and `export` with who takes it, too.
pub(super) fn measure(measure: impl Fn(&Shard), export: impl Fn(&dyn Export)) {
    let measured = with(|scope| scope.place.as_ref().map(|place| (measure(&place.shard), place.export()).1)).flatten();
    let taker = measured.unwrap_or_else(|| {
        let recorder = process().recorder();
        measure(recorder.common());
        recorder.export()
    });
    if let Some(taker) = taker {
        export(&*taker);
    }
}

/// The scope of this thread; none while the thread ends.
fn with<R>(body: impl FnOnce(&mut Scope) -> R) -> Option<R> {
    SCOPE
        .try_with(|scope| {
            let mut scope = scope.try_borrow_mut().ok()?;
            // In a forked child this thread carries nothing.
            if scope.place.as_ref().is_some_and(|place| !place.recorder.is_of_this_process()) {
                *scope = Scope::default();
            }
            Some(body(&mut scope))
        })
        .ok()
        .flatten()
}

impl Scope {
    fn batch(&self) -> u64 {
        self.place.as_ref().map_or(0, |place| place.live.batch())
    }

    /// A span that is still entered when its batch is over was never left, and nothing more is in it.
    fn forget_leftovers(&mut self) {
        let batch = self.batch();
        if self.spans.last().is_some_and(|(_, entered)| *entered != batch) {
            self.spans.retain(|(_, entered)| *entered == batch);
        }
    }
}

impl Place {
    fn new(recorder: &Arc<Recorder>, live: &Arc<Live>, shard: Arc<Shard>, lane: Option<usize>) -> Self {
        let (recorder, live) = (Arc::clone(recorder), Arc::clone(live));
        Self { recorder, shard, live, lane, batch: u64::MAX, trace_id: 0, visit: u64::MAX, call_id: 0, told: None }
    }

    fn here(&mut self) -> Here {
        let (batch, visit) = (self.live.batch(), self.live.visit());
        if batch != self.batch {
            (self.batch, self.trace_id) = (batch, (u128::from(identity()) << 64) | u128::from(identity()));
            self.visit = u64::MAX;
        }
        if visit != self.visit {
            (self.visit, self.call_id) = (visit, identity());
        }
        let export = self.export();
        let told = export.as_ref().and_then(|export| export.identity());
        let (trace_id, span_id) = told.unwrap_or((self.trace_id, self.call_id));
        Here {
            recorder: Arc::clone(&self.recorder),
            shard: Arc::clone(&self.shard),
            step: self.live.step(),
            lane: self.lane,
            trace_id,
            span: None,
            span_id,
            parent_id: 0,
            export,
        }
    }

    fn export(&self) -> Option<Arc<dyn Export>> {
        self.told.clone().or_else(|| self.recorder.export())
    }
}

/// An identity that nothing else has, never 0. Not secret.
pub(super) fn identity() -> u64 {
    let generation = generation();
    let seed = || RandomState::new().hash_one((std::process::id(), std::time::SystemTime::now()));
    RANDOM
        .try_with(|random| {
            let (seeded, state) = random.get();
            let state = if seeded == generation { state } else { seed() };
            let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            random.set((generation, state));
            mixed(state)
        })
        .unwrap_or_else(|_| seed())
        .max(1)
}

/// The output function of `SplitMix64`: Steele et al. 2014, "Fast splittable pseudorandom number generators".
fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
