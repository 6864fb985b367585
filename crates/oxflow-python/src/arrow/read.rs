//! Values out of the buffers of Arrow arrays.
#![allow(unsafe_code)]

use std::ffi::CStr;

use super::interface::{Array, Schema};

/// What a column has.
pub(super) enum Column {
    Numbers(Vec<f64>),
    Texts(Vec<Option<String>>),
    /// A column that nobody asks for may be of any type, so what is wrong with one is told when it is used.
    Struct(Vec<(String, Result<Column, Wrong>)>),
}

/// Why a column can't be read.
pub(super) struct Wrong(pub(super) String);

/// Tables of tables of tables have no use here.
const DEPTH: usize = 4;

/// The values of all these arrays, one after the other.
///
/// # Safety
///
/// The arrays are of the schema, as the interface says, and none was released.
pub(super) unsafe fn read(schema: &Schema, arrays: &[&Array]) -> Result<Column, Wrong> {
    // SAFETY: as the caller promises.
    unsafe { column(schema, arrays, DEPTH) }
}

unsafe fn column(schema: &Schema, arrays: &[&Array], depth: usize) -> Result<Column, Wrong> {
    if !schema.dictionary.is_null() {
        return Err(Wrong("is encoded by a dictionary, which is not read here".to_owned()));
    }
    // SAFETY: a schema has a format, a text that ends.
    let format = unsafe { CStr::from_ptr(schema.format) }.to_str().unwrap_or_default();
    // SAFETY: the format says which buffers an array has and how wide their values are, and `Slots` how many.
    unsafe {
        match format {
            "g" => numbers::<f64>(arrays, |number| number),
            "f" => numbers::<f32>(arrays, f64::from),
            "c" => numbers::<i8>(arrays, f64::from),
            "C" => numbers::<u8>(arrays, f64::from),
            "s" => numbers::<i16>(arrays, f64::from),
            "S" => numbers::<u16>(arrays, f64::from),
            "i" => numbers::<i32>(arrays, f64::from),
            "I" => numbers::<u32>(arrays, f64::from),
            #[allow(clippy::cast_precision_loss, reason = "as Python's `float` does")]
            "l" => numbers::<i64>(arrays, |number| number as f64),
            #[allow(clippy::cast_precision_loss, reason = "as Python's `float` does")]
            "L" => numbers::<u64>(arrays, |number| number as f64),
            "u" => texts(arrays, spans::<i32>),
            "U" => texts(arrays, spans::<i64>),
            "vu" => texts(arrays, views),
            "+s" if depth > 0 => fields(schema, arrays, depth),
            _ => Err(Wrong(format!("has the type `{format}`, which is neither a number nor a text"))),
        }
    }
}

/// Where the values of an array are.
struct Slots {
    offset: usize,
    length: usize,
}

impl Slots {
    fn of(array: &Array) -> Result<Self, Wrong> {
        let (offset, length) = (usize::try_from(array.offset), usize::try_from(array.length));
        match (offset, length) {
            (Ok(offset), Ok(length)) => Ok(Self { offset, length }),
            _ => Err(Wrong("has an impossible length".to_owned())),
        }
    }
}

/// The values of a buffer.
///
/// # Safety
///
/// The buffer, if it is there, has so many values of this type.
unsafe fn values<T>(array: &Array, buffer: usize, count: usize) -> Result<&[T], Wrong> {
    if count == 0 {
        return Ok(&[]);
    }
    if i64::try_from(buffer).is_ok_and(|buffer| buffer < array.n_buffers) && !array.buffers.is_null() {
        // SAFETY: there are so many buffers.
        let start = unsafe { *array.buffers.add(buffer) }.cast::<T>();
        if !start.is_null() && start.is_aligned() {
            // SAFETY: the caller promises the count.
            return Ok(unsafe { std::slice::from_raw_parts(start, count) });
        }
    }
    Err(Wrong("lacks a buffer".to_owned()))
}

/// Whether the value of a slot is there.
///
/// # Safety
///
/// The array is as the interface says.
unsafe fn present(array: &Array, slots: &Slots) -> Result<Option<Vec<bool>>, Wrong> {
    // SAFETY: an array that has buffers has the pointer to its first.
    let absent = array.n_buffers < 1 || array.buffers.is_null() || unsafe { *array.buffers }.is_null();
    if array.null_count == 0 || absent {
        return Ok(None);
    }
    let end = slots.offset + slots.length;
    // SAFETY: the first buffer has a bit for each slot.
    let bits = unsafe { values::<u8>(array, 0, end.div_ceil(8)) }?;
    let bit = |slot: usize| bits.get(slot / 8).is_some_and(|byte| byte >> (slot % 8) & 1 == 1);
    Ok(Some((slots.offset..end).map(bit).collect()))
}

unsafe fn numbers<T: Copy>(arrays: &[&Array], number: impl Fn(T) -> f64) -> Result<Column, Wrong> {
    let mut all = Vec::new();
    for array in arrays {
        let slots = Slots::of(array)?;
        // SAFETY: the caller promises that the array is of this type.
        let (present, values) =
            unsafe { (present(array, &slots)?, values::<T>(array, 1, slots.offset + slots.length)?) };
        if let Some(missing) = present.and_then(|present| present.iter().position(|present| !present)) {
            return Err(Wrong(format!("has no number at {}", all.len() + missing)));
        }
        all.extend(values.iter().skip(slots.offset).map(|value| number(*value)));
    }
    Ok(Column::Numbers(all))
}

/// The bytes of each slot; `None` where they lie nowhere, as they may for one that is null.
type Pieces<'a> = Result<Vec<Option<&'a [u8]>>, Wrong>;

unsafe fn texts(
    arrays: &[&Array],
    pieces: for<'a> unsafe fn(&'a Array, &Slots) -> Pieces<'a>,
) -> Result<Column, Wrong> {
    let mut all = Vec::new();
    for array in arrays {
        let slots = Slots::of(array)?;
        // SAFETY: as the caller promises.
        let (present, pieces) = unsafe { (present(array, &slots)?, pieces(array, &slots)?) };
        for (index, piece) in pieces.into_iter().enumerate() {
            let there = present.as_ref().is_none_or(|present| present.get(index) == Some(&true));
            let text = piece.and_then(|piece| std::str::from_utf8(piece).ok());
            let text = text.ok_or_else(|| Wrong(format!("has no text at {}", all.len())));
            all.push(if there { Some(text?.to_owned()) } else { None });
        }
    }
    Ok(Column::Texts(all))
}

/// Texts that lie one after the other, by where they end.
///
/// # Safety
///
/// The array is of texts with such offsets.
unsafe fn spans<'a, T: Copy + TryInto<usize> + 'static>(array: &'a Array, slots: &Slots) -> Pieces<'a> {
    if slots.length == 0 {
        return Ok(Vec::new());
    }
    let wrong = || Wrong("has offsets that lead nowhere".to_owned());
    // SAFETY: there is one offset more than slots.
    let offsets = unsafe { values::<T>(array, 1, slots.offset + slots.length + 1) }?;
    let place = |offset: T| offset.try_into().map_err(|_| wrong());
    let end = offsets.last().map_or(Ok(0), |last| place(*last))?;
    // SAFETY: the last offset is the length of the texts.
    let data = unsafe { values::<u8>(array, 2, end) }?;
    let ranges = offsets.iter().zip(offsets.iter().skip(1)).skip(slots.offset);
    ranges.map(|(start, end)| Ok(data.get(place(*start)?..place(*end)?))).collect()
}

/// Texts of which short ones lie in their slot and others where it points: those of polars.
///
/// # Safety
///
/// The array is of views.
unsafe fn views<'a>(array: &'a Array, slots: &Slots) -> Pieces<'a> {
    // Behind the slots come buffers of texts, and behind these one with their lengths.
    let count = usize::try_from(array.n_buffers).unwrap_or(0).saturating_sub(3);
    // SAFETY: there are as many lengths as buffers of texts.
    let lengths = unsafe { values::<i64>(array, count + 2, count) }?;
    let mut data: Vec<&[u8]> = Vec::with_capacity(count);
    for (index, length) in lengths.iter().enumerate() {
        let length = usize::try_from(*length).map_err(|_| Wrong("has a buffer of impossible length".to_owned()))?;
        // SAFETY: the buffer is as long as the lengths say.
        data.push(unsafe { values::<u8>(array, index + 2, length) }?);
    }
    // SAFETY: a slot has sixteen bytes.
    let views = unsafe { values::<[u8; 16]>(array, 1, slots.offset + slots.length) }?;
    Ok(views.iter().skip(slots.offset).map(|view| seen(view, &data)).collect())
}

/// What a view shows: up to twelve bytes lie in it; of more it says the buffer and the place there.
fn seen<'a>(view: &'a [u8; 16], data: &[&'a [u8]]) -> Option<&'a [u8]> {
    let number = |at: usize| usize::try_from(i32::from_ne_bytes(*view.get(at..)?.first_chunk()?)).ok();
    let length = number(0)?;
    if length <= 12 {
        return view.get(4..4 + length);
    }
    let start = number(12)?;
    data.get(number(8)?)?.get(start..start.checked_add(length)?)
}

unsafe fn fields(schema: &Schema, arrays: &[&Array], depth: usize) -> Result<Column, Wrong> {
    let count = usize::try_from(schema.n_children).unwrap_or(0);
    let mut all = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: a schema has as many children as it says, each with a name or none.
        let (child, name) = unsafe {
            let child = &**schema.children.add(index);
            (child, if child.name.is_null() { c"" } else { CStr::from_ptr(child.name) })
        };
        let mut parts = Vec::with_capacity(arrays.len());
        for array in arrays {
            let sliced = || Wrong("is a part of a table, which is not read here".to_owned());
            if array.n_children != schema.n_children || array.offset != 0 {
                return Err(sliced());
            }
            // SAFETY: it has as many children as its schema.
            let part = unsafe { &**array.children.add(index) };
            if part.length != array.length {
                return Err(sliced());
            }
            parts.push(part);
        }
        let name = name.to_string_lossy().into_owned();
        // SAFETY: the children of an array are of the children of its schema.
        all.push((name, unsafe { column(child, &parts, depth - 1) }));
    }
    Ok(Column::Struct(all))
}
