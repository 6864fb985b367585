//! Functions that are closures: the tables of a pipeline that is built when the program runs.
//!
//! A closure needs no name and its result no codec: what one gives the next takes, as the rows of a handle, as long as nothing
//! stands between them. A type is described as soon as somebody says that it is a [`Payload`]; until then it can't be read or
//! written, and its shape is not known. Tables and closures are never freed: a program builds its pipeline once.

use crate::abi::{
    self, Encoded, Faults, Form, FunctionTable, Handle, Held, Instance, Kind, ModuleTable, Rows, TypeTable,
};
use crate::codec::{DecodeError, EncodeError};
use crate::encode::{encode_by, release};
use crate::function::{Described, Emitter, Failure};
use crate::guard::{drop_each, each};
use crate::registry::Entry;
use crate::report::{NONE, Reporter, lend};
use crate::run::{Pass, Row, claim, give, keep};
use crate::shape::Type;
use crate::step::{Make, Step};
use crate::table::{Draft, json, leak};
use crate::{Message, Payload};
use std::any::{TypeId, type_name};
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;

/// A payload that borrows nothing, described or not.
pub trait Own: Send + 'static {}

impl<T: Send + 'static> Own for T {}

/// What a closure takes or gives, for each lifetime of the bytes that it may borrow from.
pub trait Lies: 'static {
    /// The payload.
    type For<'a>: 'a;

    /// Enters its type into the tables.
    fn enter(tables: &mut Tables) -> TypeId;
}

/// A payload that borrows nothing. It is known by the number of this type and not of its own: to a closure that takes an
/// `Event<'static>` no `Event<'a>` is given that was read from bytes, which are gone when the closure may still have it.
#[derive(Debug)]
pub struct Owned<T>(PhantomData<T>);

/// A payload that lies in the message that it was read from.
#[derive(Debug)]
pub struct Lent<T>(PhantomData<T>);

impl<T: Own> Lies for Owned<T> {
    type For<'a> = T;

    fn enter(tables: &mut Tables) -> TypeId {
        tables.draft.enter_undescribed(TypeId::of::<Self>(), type_name::<T>(), undescribed::<T>);
        TypeId::of::<Self>()
    }
}

impl<T: Payload + 'static> Lies for Lent<T> {
    type For<'a> = T::Borrowed<'a>;

    fn enter(tables: &mut Tables) -> TypeId {
        tables.draft.enter::<T>()
    }
}

/// A function that is being made a table.
trait Call<I: Lies, O: Lies>: Send + Sync + 'static {
    fn call<'a>(&self, message: Message<I::For<'a>>, to: Emitter<'_, O::For<'a>>) -> Result<(), Failure>;
}

struct Map<C>(C);
struct TryMap<C>(C);
struct FilterMap<C>(C);
struct FlatMap<C>(C);
struct Choose<C>(C);

impl<I: Lies, U: Own, C> Call<I, Owned<U>> for Map<C>
where
    C: for<'a> Fn(Message<I::For<'a>>) -> U + Send + Sync + 'static,
{
    fn call(&self, message: Message<I::For<'_>>, to: Emitter<'_, U>) -> Result<(), Failure> {
        to.give((self.0)(message));
        Ok(())
    }
}

impl<I: Lies, U: Own, E: Display, C> Call<I, Owned<U>> for TryMap<C>
where
    C: for<'a> Fn(Message<I::For<'a>>) -> Result<U, E> + Send + Sync + 'static,
{
    fn call(&self, message: Message<I::For<'_>>, to: Emitter<'_, U>) -> Result<(), Failure> {
        to.give((self.0)(message).map_err(|error| Failure::of(&error))?);
        Ok(())
    }
}

impl<I: Lies, U: Own, C> Call<I, Owned<U>> for FilterMap<C>
where
    C: for<'a> Fn(Message<I::For<'a>>) -> Option<U> + Send + Sync + 'static,
{
    fn call(&self, message: Message<I::For<'_>>, to: Emitter<'_, U>) -> Result<(), Failure> {
        if let Some(payload) = (self.0)(message) {
            to.give(payload);
        }
        Ok(())
    }
}

impl<I: Lies, U: Own, L: IntoIterator<Item = U>, C> Call<I, Owned<U>> for FlatMap<C>
where
    C: for<'a> Fn(Message<I::For<'a>>) -> L + Send + Sync + 'static,
{
    fn call(&self, message: Message<I::For<'_>>, to: Emitter<'_, U>) -> Result<(), Failure> {
        let Emitter { rows, row, metadata } = to;
        for payload in (self.0)(message) {
            Emitter { rows: &mut *rows, row, metadata: metadata.clone() }.give(payload);
        }
        Ok(())
    }
}

impl<I: Lies, K: Own, C> Call<I, Owned<K>> for Choose<C>
where
    C: for<'a> Fn(&Message<I::For<'a>>) -> K + Send + Sync + 'static,
{
    fn call(&self, message: Message<I::For<'_>>, to: Emitter<'_, K>) -> Result<(), Failure> {
        to.give((self.0)(&message));
        Ok(())
    }
}

impl<U> Emitter<'_, U> {
    fn give(self, payload: U) {
        self.rows.push(Row { row: self.row, message: Message::with_metadata(payload, self.metadata) });
    }
}

/// Makes what the entries of a function are called with: null for a function that is called with nothing. An error is the text
/// for the user.
pub type Maker = Arc<dyn Fn() -> Result<*const Instance, String> + Send + Sync>;

/// The tables while the pipeline is built.
#[derive(Default)]
pub struct Tables {
    draft: Draft,
    makers: Vec<Maker>,
}

/// Finished tables.
pub struct Finished {
    /// The module, with functions in the order in which they were given.
    pub module: &'static ModuleTable,
    /// What makes them, in the same order.
    pub makers: Vec<Maker>,
    /// The types of the module, in its order.
    pub types: Vec<TypeId>,
}

impl fmt::Debug for Tables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draft.fmt(formatter)
    }
}

impl Tables {
    /// Describes a payload type that borrows nothing; gives what it is known by.
    pub fn own<T>(&mut self) -> TypeId
    where
        for<'a> T: Payload<Borrowed<'a> = T> + 'static,
    {
        self.draft.enter_as::<T>(TypeId::of::<Owned<T>>())
    }

    /// Describes a payload type that may borrow; gives what it is known by.
    pub fn lent<T: Payload + 'static>(&mut self) -> TypeId {
        self.draft.enter::<T>()
    }

    /// One output for each message.
    pub fn map<I: Lies, U: Own, C>(&mut self, call: C)
    where
        C: for<'a> Fn(Message<I::For<'a>>) -> U + Send + Sync + 'static,
    {
        self.function::<I, Owned<U>, _>("map", Kind::Map, Map(call));
    }

    /// One output for each message, or an error.
    pub fn try_map<I: Lies, U: Own, E: Display + 'static, C>(&mut self, call: C)
    where
        C: for<'a> Fn(Message<I::For<'a>>) -> Result<U, E> + Send + Sync + 'static,
    {
        self.function::<I, Owned<U>, _>("try_map", Kind::Map, TryMap(call));
    }

    /// One output for a message, or none.
    pub fn filter_map<I: Lies, U: Own, C>(&mut self, call: C)
    where
        C: for<'a> Fn(Message<I::For<'a>>) -> Option<U> + Send + Sync + 'static,
    {
        self.function::<I, Owned<U>, _>("filter_map", Kind::FilterMap, FilterMap(call));
    }

    /// Any number of outputs for each message.
    pub fn flat_map<I: Lies, U: Own, L: IntoIterator<Item = U> + 'static, C>(&mut self, call: C)
    where
        C: for<'a> Fn(Message<I::For<'a>>) -> L + Send + Sync + 'static,
    {
        self.function::<I, Owned<U>, _>("flat_map", Kind::FlatMap, FlatMap(call));
    }

    /// The key of a branch for each message.
    pub fn route<I: Lies, K, C>(&mut self, call: C)
    where
        C: for<'a> Fn(&Message<I::For<'a>>) -> K + Send + Sync + 'static,
        for<'a> K: Payload<Borrowed<'a> = K> + 'static,
    {
        self.own::<K>();
        self.function::<I, Owned<K>, _>("route", Kind::Map, Choose(call));
    }

    /// Keeps the messages for which the closure says true.
    pub fn filter<I: Lies, C>(&mut self, call: C)
    where
        C: for<'a> Fn(&Message<I::For<'a>>) -> bool + Send + Sync + 'static,
    {
        let input = I::enter(self);
        self.draft.publish::<bool>();
        let table = table("filter", Kind::Filter, ask::<C, I>, Some(select::<C, I>));
        self.draft.function_of(input, TypeId::of::<bool>(), table);
        self.called_with(call);
    }

    /// A function that its crate registered.
    pub fn registered<F: Described, N: Step<F>, M: Make<F, N>>(&mut self, make: M) {
        let Entry(enter) = N::ENTRY;
        enter(&mut self.draft);
        self.makers.push(Arc::new(move || made::<F, N, M>(&make)));
    }

    /// Lets the registered function that was added last take what borrows nothing.
    pub fn takes_own<T>(&mut self)
    where
        for<'a> T: Payload<Borrowed<'a> = T> + 'static,
    {
        let input = self.own::<T>();
        self.draft.retype_last(Some(input), None);
    }

    /// Lets the registered function that was added last give what borrows nothing.
    pub fn gives_own<T>(&mut self)
    where
        for<'a> T: Payload<Borrowed<'a> = T> + 'static,
    {
        let output = self.own::<T>();
        self.draft.retype_last(None, Some(output));
    }

    fn function<I: Lies, O: Lies, C: Call<I, O>>(&mut self, name: &str, kind: Kind, call: C) {
        let (input, output) = (I::enter(self), O::enter(self));
        self.draft.function_of(input, output, table(name, kind, apply::<C, I, O>, None));
        self.called_with(call);
    }

    fn called_with<C: Send + Sync + 'static>(&mut self, call: C) {
        let call: &'static C = leak(call);
        self.makers.push(Arc::new(move || Ok(ptr::from_ref(call).cast())));
    }

    /// Adds what another pipeline's part has, its functions after these.
    pub fn append(&mut self, other: Self) {
        self.draft.append(other.draft);
        self.makers.extend(other.makers);
    }

    /// The finished tables.
    pub fn finish(mut self) -> Finished {
        self.draft.be_apart();
        let types = self.draft.types();
        Finished { module: self.draft.finish_in_order(), makers: self.makers, types }
    }
}

/// Makes a function of the user's code, which may panic.
fn made<F: Described, N: Step<F>, M: Make<F, N>>(make: &M) -> Result<*const Instance, String> {
    if F::ONLY.is_some() {
        return Ok(ptr::null());
    }
    let mut outcome = Err("it was not made".to_owned());
    let attempt = |outcome: &mut Result<*const Instance, String>, ()| {
        *outcome = make.make().map(|step| Box::into_raw(Box::new(step.function())).cast_const().cast());
    };
    each(std::iter::once(()), &mut outcome, attempt, |outcome, panic| {
        *outcome = Err(format!("it panicked: {}", panic.text));
    });
    outcome
}

fn table(name: &str, kind: Kind, apply: abi::Apply, select: Option<abi::Apply>) -> FunctionTable {
    FunctionTable {
        size: size_of::<FunctionTable>(),
        form: Form::Object as u32,
        kind: kind as u32,
        name: lend(name.to_owned().leak().as_bytes()),
        doc: NONE,
        input: ptr::null(),
        output: ptr::null(),
        apply,
        select,
        parameters: NONE,
        create: None,
        destroy: None,
        stateful: 0,
        wishes: 0,
    }
}

/// A type of which nothing is known but how to free it.
fn undescribed<T: Own>() -> TypeTable {
    TypeTable {
        size: size_of::<TypeTable>(),
        library: ptr::null(),
        key: 0,
        hash: 0,
        codec: abi::Codec::Json as u32,
        public: 0,
        name: lend(type_name::<T>().as_bytes()),
        doc: NONE,
        shape: lend(json(&Type::Any).leak()),
        decode: undecoded::<T>,
        encode: unencoded::<T>,
        free: free_own::<T>,
        release,
        take_unknown: crate::run::take_unknown,
        objects: ptr::null(),
        codecs: 0,
        absent: 0,
    }
}

/// # Safety
///
/// As for [`crate::run::apply`]; `instance` is a `C`.
unsafe extern "C" fn apply<C: Call<I, O>, I: Lies, O: Lies>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (&*instance.cast::<C>(), claim::<I::For<'_>>(handle), Reporter::new(faults)) };
    give(outputs::<C, I, O>(function, rows, faults))
}

fn outputs<'a, C: Call<I, O>, I: Lies, O: Lies>(
    function: &C,
    rows: Vec<Row<I::For<'a>>>,
    faults: Reporter<'_>,
) -> Vec<Row<O::For<'a>>> {
    let mut pass = Pass::new(faults, rows.len());
    let call = |pass: &mut Pass<'_, O::For<'a>>, Row { row, message }: Row<I::For<'a>>| {
        pass.begin(row);
        let metadata = message.metadata().clone();
        pass.emit(metadata, |to| function.call(message, to));
    };
    each(rows.into_iter(), &mut pass, call, Pass::recover);
    pass.output
}

/// # Safety
///
/// As for [`apply`].
unsafe extern "C" fn ask<C: for<'a> Fn(&Message<I::For<'a>>) -> bool, I: Lies>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (&*instance.cast::<C>(), claim::<I::For<'_>>(handle), Reporter::new(faults)) };
    let asked = answers(function, &rows, faults);
    let given = rows.iter().zip(asked).filter_map(|(row, answer)| {
        Some(Row { row: row.row, message: Message::with_metadata(answer?, row.message.metadata().clone()) })
    });
    let given = given.collect();
    drop_each(rows.into_iter());
    give(given)
}

/// # Safety
///
/// As for [`apply`].
unsafe extern "C" fn select<C: for<'a> Fn(&Message<I::For<'a>>) -> bool, I: Lies>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) =
        unsafe { (&*instance.cast::<C>(), claim::<I::For<'_>>(handle), Reporter::new(faults)) };
    let kept = answers(function, &rows, faults).into_iter().map(|answer| answer.unwrap_or(false)).collect();
    give(keep(rows, kept))
}

/// What the filter says of each row; none where it failed. By place and not by number: the outputs of a `flat_map` have the
/// number of the row that they came from.
fn answers<T>(function: &impl Fn(&Message<T>) -> bool, rows: &[Row<T>], faults: Reporter<'_>) -> Vec<Option<bool>> {
    let mut pass = (Pass::<bool>::new(faults, 0), Vec::with_capacity(rows.len()));
    let ask = |(pass, answers): &mut (Pass<'_, bool>, Vec<Option<bool>>), Row { row, message }: &Row<T>| {
        pass.begin(*row);
        answers.push(None);
        let answer = function(message);
        answers.last_mut().into_iter().for_each(|slot| *slot = Some(answer));
    };
    each(rows.iter(), &mut pass, ask, |(pass, _), panic| pass.recover(panic));
    pass.1
}

/// # Safety
///
/// As for [`crate::run::decode`].
unsafe extern "C" fn undecoded<T>(_: u32, rows: *const Rows, faults: *const Faults) -> Held {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (&*rows, Reporter::new(faults)) };
    let error = DecodeError::Invalid { reason: format!("`{}` isn't read from bytes", type_name::<T>()) };
    for row in (0..).take(rows.len) {
        faults.undecodable(row, &error);
    }
    give(Vec::<Row<T>>::new())
}

/// # Safety
///
/// As for [`crate::encode::encode`].
unsafe extern "C" fn unencoded<T>(_: u32, handle: *mut Handle, faults: *const Faults) -> *mut Encoded {
    // SAFETY: the caller's promise.
    let (rows, faults) = unsafe { (claim::<T>(handle), Reporter::new(faults)) };
    let refuse = |_: &T, _: &mut Vec<u8>| {
        Err(EncodeError::Invalid { reason: format!("`{}` isn't written as bytes", type_name::<T>()) })
    };
    encode_by(rows, faults, refuse)
}

/// # Safety
///
/// As for [`crate::run::free`].
unsafe extern "C" fn free_own<T>(handle: *mut Handle) {
    // SAFETY: the caller's promise.
    drop_each(unsafe { claim::<T>(handle) }.into_iter());
}
