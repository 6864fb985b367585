//! Makes the library's tables from what is registered in it.

use crate::abi::{self, FunctionTable, ModuleTable, TypeTable};
use crate::fingerprint::fingerprint;
use crate::function::{BatchFunction, Construct, Described, Function};
use crate::registry::Entry;
use crate::report::{NONE, lend};
use crate::{Payload, batch, construct, encode, host, python, run};
use std::any::TypeId;
use std::ptr;
use std::sync::OnceLock;

/// All that this library offers. Made on the first call, and never freed: whoever was given it may keep it.
///
/// [`module!`](crate::module) hands it to Python.
pub fn module_table() -> &'static ModuleTable {
    static TABLE: OnceLock<Shared> = OnceLock::new();
    TABLE.get_or_init(|| Shared(Draft::of_library().finish())).0
}

/// Something that the library registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registered {
    /// What it is: a function or a payload type.
    pub what: &'static str,
    /// What it is called in pipelines.
    pub name: &'static str,
    /// Name of the crate that it is in.
    pub module: &'static str,
}

impl Registered {
    fn of<T>(what: &'static str, name: &'static str) -> Self {
        Self { what, name, module: std::any::type_name::<T>().split("::").next().unwrap_or_default() }
    }
}

/// What pipelines name of all crates that are linked together, in the order of names.
pub fn registered() -> Vec<Registered> {
    let mut named = Draft::of_library().named;
    named.sort_unstable();
    named
}

struct Shared(&'static ModuleTable);

// SAFETY: the tables are never written after they are made; their pointers lead to leaked memory, and their functions
// may be called from any thread.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

/// The tables while they are gathered. Functions name their types by `TypeId`, since types still move.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    types: Vec<(TypeId, &'static str, TypeTable)>,
    functions: Vec<DraftFunction>,
    named: Vec<Registered>,
}

#[derive(Debug)]
struct DraftFunction {
    name: &'static str,
    input: TypeId,
    output: TypeId,
    table: FunctionTable,
}

impl Draft {
    fn of_library() -> Self {
        let mut draft = Self::default();
        inventory::iter::<Entry>().for_each(|Entry(enter)| enter(&mut draft));
        draft
    }

    pub(crate) fn publish<T: Payload>(&mut self) {
        let id = self.enter::<T>();
        self.named.push(Registered::of::<T>("payload type", T::name()));
        self.types.iter_mut().filter(|(other, ..)| *other == id).for_each(|(.., table)| table.public = 1);
    }

    pub(crate) fn function<F: Function>(&mut self) {
        let select = F::peek().is_some().then_some(run::select::<F> as abi::Apply);
        self.described::<F>(run::apply::<F>, select);
    }

    pub(crate) fn batch_function<F: BatchFunction>(&mut self) {
        self.described::<F>(batch::apply::<F>, Some(batch::select::<F>));
    }

    /// Adds to the function that was entered before it how it is constructed.
    pub(crate) fn construct<F: Construct>(&mut self) {
        let Some(last) = self.functions.last_mut() else { return };
        last.table.parameters = lend(json(&F::parameters()).leak());
        last.table.create = Some(construct::create::<F>);
        last.table.destroy = Some(construct::destroy::<F>);
        last.table.stateful = u32::from(F::STATEFUL);
    }

    fn described<F: Described>(&mut self, apply: abi::Apply, select: Option<abi::Apply>) {
        let (input, output) = (self.enter::<F::Input>(), self.enter::<F::Output>());
        self.named.push(Registered::of::<F>("function", F::NAME));
        let table = FunctionTable {
            size: size_of::<FunctionTable>(),
            form: F::FORM as u32,
            kind: F::KIND as u32,
            name: lend(F::NAME.as_bytes()),
            doc: lend(documentation(F::DOC).leak().as_bytes()),
            input: ptr::null(),
            output: ptr::null(),
            apply,
            select: select.filter(|_| F::KIND == abi::Kind::Filter),
            parameters: NONE,
            create: None,
            destroy: None,
            stateful: 0,
            wishes: F::wishes().iter().fold(0, |bits, policy| bits | policy.bits()),
        };
        self.functions.push(DraftFunction { name: F::NAME, input, output, table });
    }

    pub(crate) fn enter<T: Payload>(&mut self) -> TypeId {
        self.enter_as::<T>(TypeId::of::<T::Borrowed<'static>>())
    }

    /// Describes a type that is known by `id`.
    pub(crate) fn enter_as<T: Payload>(&mut self, id: TypeId) -> TypeId {
        match self.types.iter_mut().find(|(other, ..)| *other == id) {
            None => self.types.push((id, T::name(), describe::<T>())),
            // Until now nobody had said what it is.
            Some(entered) if entered.2.codecs == 0 => *entered = (id, T::name(), describe::<T>()),
            Some(_) => {}
        }
        id
    }

    /// Lets the function that was entered last take and give types that are known by other numbers.
    pub(crate) fn retype_last(&mut self, input: Option<TypeId>, output: Option<TypeId>) {
        let Some(last) = self.functions.last_mut() else { return };
        last.input = input.unwrap_or(last.input);
        last.output = output.unwrap_or(last.output);
    }

    /// What the types are known by, in their order.
    pub(crate) fn types(&self) -> Vec<TypeId> {
        self.types.iter().map(|&(id, ..)| id).collect()
    }

    /// Adds what another draft has, its functions after these.
    pub(crate) fn append(&mut self, other: Self) {
        for (id, name, table) in other.types {
            match self.types.iter_mut().find(|(known, ..)| *known == id) {
                None => self.types.push((id, name, table)),
                Some(known) if known.2.codecs == 0 => *known = (id, name, table),
                Some(_) => {}
            }
        }
        self.functions.extend(other.functions);
    }

    /// Enters a type that nobody has described; a description that is there, or comes later, stays.
    pub(crate) fn enter_undescribed(&mut self, id: TypeId, name: &'static str, table: fn() -> TypeTable) {
        if !self.types.iter().any(|(other, ..)| *other == id) {
            self.types.push((id, name, table()));
        }
    }

    /// Enters a function of types that are entered.
    pub(crate) fn function_of(&mut self, input: TypeId, output: TypeId, table: FunctionTable) {
        self.functions.push(DraftFunction { name: "", input, output, table });
    }

    /// Sorts by name: the linker decides the order of registration.
    fn finish(mut self) -> &'static ModuleTable {
        self.types.sort_by_key(|&(_, name, _)| name);
        self.functions.sort_by_key(|function| function.name);
        self.finish_in_order()
    }

    /// Lets the types be of a library of their own: numbers of types mean nothing in another one's tables.
    pub(crate) fn be_apart(&mut self) {
        let library = ptr::from_ref(leak(0_u8)).cast();
        self.types.iter_mut().for_each(|(.., table)| table.library = library);
    }

    pub(crate) fn finish_in_order(self) -> &'static ModuleTable {
        let ids: Vec<TypeId> = self.types.iter().map(|&(id, ..)| id).collect();
        let types = self.types.into_iter().zip(1..).map(|((.., table), key)| leak(TypeTable { key, ..table }));
        let types: Vec<&'static TypeTable> = types.collect();
        let find = |wanted| {
            ids.iter()
                .zip(&types)
                .find(|(id, _)| **id == wanted)
                .map_or(ptr::null(), |(_, table)| ptr::from_ref(*table))
        };
        let functions = self.functions.into_iter().map(|DraftFunction { input, output, table, .. }| {
            ptr::from_ref(leak(FunctionTable { input: find(input), output: find(output), ..table }))
        });
        let functions: Vec<*const FunctionTable> = functions.collect();
        let types: Vec<*const TypeTable> = types.into_iter().map(ptr::from_ref).collect();
        leak(module(types.leak(), functions.leak()))
    }
}

fn module(types: &'static [*const TypeTable], functions: &'static [*const FunctionTable]) -> ModuleTable {
    ModuleTable {
        magic: abi::MAGIC,
        major: abi::MAJOR,
        minor: abi::MINOR,
        size: size_of::<ModuleTable>(),
        debug: u32::from(cfg!(debug_assertions)),
        types_len: u32::try_from(types.len()).unwrap_or(u32::MAX),
        functions_len: u32::try_from(functions.len()).unwrap_or(u32::MAX),
        sdk: lend(env!("CARGO_PKG_VERSION").as_bytes()),
        types: types.as_ptr(),
        functions: functions.as_ptr(),
        attach: host::attach,
        needs: abi::NEEDS,
        unused: 0,
    }
}

fn describe<T: Payload>() -> TypeTable {
    static LIBRARY: u8 = 0;
    let shape = T::shape();
    TypeTable {
        size: size_of::<TypeTable>(),
        library: (&raw const LIBRARY).cast(),
        key: 0,
        hash: fingerprint(&shape),
        codec: T::CODEC as u32,
        public: 0,
        name: lend(T::name().as_bytes()),
        doc: lend(documentation(T::doc()).leak().as_bytes()),
        shape: lend(json(&shape).leak()),
        decode: run::decode::<T>,
        encode: encode::encode::<T>,
        free: run::free::<T>,
        release: encode::release,
        take_unknown: run::take_unknown,
        objects: if T::DIRECT {
            python::object_table::<T>().map_or(ptr::null(), |table| leak(table))
        } else {
            ptr::null()
        },
        codecs: T::CODECS,
        absent: T::ABSENT_CODECS,
    }
}

/// `/// text` is the line ` text`: the blank after the slashes isn't part of it.
fn documentation(lines: &str) -> String {
    let lines: Vec<&str> = lines.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect();
    lines.join("\n").trim().to_owned()
}

/// A shape is made of strings, lists and flags: it always has a JSON form.
pub(crate) fn json(shape: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(shape).unwrap_or_default()
}

pub(crate) fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
