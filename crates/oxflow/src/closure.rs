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
use crate::function::{Emitter, Failure};
use crate::guard::drop_each;
use crate::report::{NONE, Reporter, lend};
use crate::run::{Pass, Row, claim, give, keep};
use crate::shape::Type;
use crate::table::{Draft, json, leak};
use crate::{Message, Payload};
use std::any::{TypeId, type_name};
use std::fmt::Display;
use std::ptr;

/// A payload that a closure may take or give: any that borrows nothing.
pub trait Own: Send + 'static {}

impl<T: Send + 'static> Own for T {}

/// A function that is being made a table.
trait Call<T, U>: Send + Sync + 'static {
    fn call(&self, message: Message<T>, to: Emitter<'_, U>) -> Result<(), Failure>;
}

struct Map<C>(C);
struct TryMap<C>(C);
struct FilterMap<C>(C);
struct FlatMap<C>(C);

impl<T, U, C: Fn(Message<T>) -> U + Send + Sync + 'static> Call<T, U> for Map<C> {
    fn call(&self, message: Message<T>, to: Emitter<'_, U>) -> Result<(), Failure> {
        to.give((self.0)(message));
        Ok(())
    }
}

impl<T, U, E: Display, C: Fn(Message<T>) -> Result<U, E> + Send + Sync + 'static> Call<T, U> for TryMap<C> {
    fn call(&self, message: Message<T>, to: Emitter<'_, U>) -> Result<(), Failure> {
        to.give((self.0)(message).map_err(|error| Failure::of(&error))?);
        Ok(())
    }
}

impl<T, U, C: Fn(Message<T>) -> Option<U> + Send + Sync + 'static> Call<T, U> for FilterMap<C> {
    fn call(&self, message: Message<T>, to: Emitter<'_, U>) -> Result<(), Failure> {
        if let Some(payload) = (self.0)(message) {
            to.give(payload);
        }
        Ok(())
    }
}

impl<T, U, I: IntoIterator<Item = U>, C: Fn(Message<T>) -> I + Send + Sync + 'static> Call<T, U> for FlatMap<C> {
    fn call(&self, message: Message<T>, to: Emitter<'_, U>) -> Result<(), Failure> {
        let Emitter { rows, row, metadata } = to;
        for payload in (self.0)(message) {
            Emitter { rows: &mut *rows, row, metadata: metadata.clone() }.give(payload);
        }
        Ok(())
    }
}

impl<U> Emitter<'_, U> {
    fn give(self, payload: U) {
        self.rows.push(Row { row: self.row, message: Message::with_metadata(payload, self.metadata) });
    }
}

/// The tables while the pipeline is built.
#[derive(Debug, Default)]
pub struct Tables {
    draft: Draft,
    instances: Vec<*const Instance>,
}

impl Tables {
    /// Describes a payload type; gives its number in the tables.
    pub fn payload<T>(&mut self) -> usize
    where
        T: Own,
        for<'a> T: Payload<Borrowed<'a> = T>,
    {
        self.draft.number_of::<T>()
    }

    /// One output for each message.
    pub fn map<T: Own, U: Own>(&mut self, name: &str, call: impl Fn(Message<T>) -> U + Send + Sync + 'static) {
        self.function::<T, U, _>(name, Kind::Map, Map(call));
    }

    /// One output for each message, or an error.
    pub fn try_map<T: Own, U: Own, E: Display + 'static>(
        &mut self,
        name: &str,
        call: impl Fn(Message<T>) -> Result<U, E> + Send + Sync + 'static,
    ) {
        self.function::<T, U, _>(name, Kind::Map, TryMap(call));
    }

    /// One output for a message, or none.
    pub fn filter_map<T: Own, U: Own>(
        &mut self,
        name: &str,
        call: impl Fn(Message<T>) -> Option<U> + Send + Sync + 'static,
    ) {
        self.function::<T, U, _>(name, Kind::FilterMap, FilterMap(call));
    }

    /// Any number of outputs for each message.
    pub fn flat_map<T: Own, U: Own, I: IntoIterator<Item = U> + 'static>(
        &mut self,
        name: &str,
        call: impl Fn(Message<T>) -> I + Send + Sync + 'static,
    ) {
        self.function::<T, U, _>(name, Kind::FlatMap, FlatMap(call));
    }

    /// Keeps the messages for which the closure says true.
    pub fn filter<T: Own, C: Fn(&Message<T>) -> bool + Send + Sync + 'static>(&mut self, name: &str, call: C) {
        self.enter::<T>();
        self.draft.publish::<bool>();
        let instance = leak(call);
        let table = table(name, Kind::Filter, ask::<C, T>, Some(select::<C, T>));
        self.draft.function_of(TypeId::of::<T>(), TypeId::of::<bool>(), table);
        self.instances.push(ptr::from_ref(instance).cast());
    }

    fn function<T: Own, U: Own, C: Call<T, U>>(&mut self, name: &str, kind: Kind, call: C) {
        self.enter::<T>();
        self.enter::<U>();
        let instance = leak(call);
        self.draft.function_of(TypeId::of::<T>(), TypeId::of::<U>(), table(name, kind, apply::<C, T, U>, None));
        self.instances.push(ptr::from_ref(instance).cast());
    }

    fn enter<T: Own>(&mut self) {
        self.draft.enter_undescribed(TypeId::of::<T>(), type_name::<T>(), undescribed::<T>);
    }

    /// The finished tables, with the functions in the order in which they were given, and what each is called with.
    pub fn finish(mut self) -> (&'static ModuleTable, Vec<*const Instance>) {
        self.draft.be_apart();
        (self.draft.finish_in_order(), self.instances)
    }
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
unsafe extern "C" fn apply<C: Call<T, U>, T, U>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) = unsafe { (&*instance.cast::<C>(), claim::<T>(handle), Reporter::new(faults)) };
    let mut pass = Pass::new(faults, rows.len());
    let call = |pass: &mut Pass<'_, U>, Row { row, message }: Row<T>| {
        pass.begin(row);
        let metadata = message.metadata().clone();
        pass.emit(metadata, |to| function.call(message, to));
    };
    crate::guard::each(rows.into_iter(), &mut pass, call, Pass::recover);
    give(pass.output)
}

/// # Safety
///
/// As for [`apply`].
unsafe extern "C" fn ask<C: Fn(&Message<T>) -> bool, T>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) = unsafe { (&*instance.cast::<C>(), claim::<T>(handle), Reporter::new(faults)) };
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
unsafe extern "C" fn select<C: Fn(&Message<T>) -> bool, T>(
    instance: *const Instance,
    handle: *mut Handle,
    faults: *const Faults,
) -> Held {
    // SAFETY: the caller's promise.
    let (function, rows, faults) = unsafe { (&*instance.cast::<C>(), claim::<T>(handle), Reporter::new(faults)) };
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
    crate::guard::each(rows.iter(), &mut pass, ask, |(pass, _), panic| pass.recover(panic));
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
