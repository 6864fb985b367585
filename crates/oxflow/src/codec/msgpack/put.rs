//! The pieces of msgpack as bytes, each as short as it can be.

/// More than a value of msgpack can hold: 4 GiB of text or bytes, 2^32 items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a value is longer than msgpack can say")]
pub struct TooLong;

/// Appends nothing, as a value.
#[inline]
pub fn nil(out: &mut Vec<u8>) {
    out.push(super::token::NIL);
}

/// Appends true or false.
#[inline]
pub fn bool(truth: bool, out: &mut Vec<u8>) {
    out.push(0xc2 + u8::from(truth));
}

/// Appends an integer.
#[inline]
pub fn unsigned(number: u64, out: &mut Vec<u8>) {
    if let Ok(short) = u8::try_from(number) {
        if short >= 0x80 {
            out.push(0xcc);
        }
        out.push(short);
    } else if let Ok(number) = u16::try_from(number) {
        headed(0xcd, number.to_be_bytes(), out);
    } else if let Ok(number) = u32::try_from(number) {
        headed(0xce, number.to_be_bytes(), out);
    } else {
        headed(0xcf, number.to_be_bytes(), out);
    }
}

/// Appends an integer.
#[inline]
pub fn signed(number: i64, out: &mut Vec<u8>) {
    if let Ok(number) = u64::try_from(number) {
        return unsigned(number, out);
    }
    if let Ok(short) = i8::try_from(number) {
        if short < -32 {
            out.push(0xd0);
        }
        out.extend_from_slice(&short.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        headed(0xd1, number.to_be_bytes(), out);
    } else if let Ok(number) = i32::try_from(number) {
        headed(0xd2, number.to_be_bytes(), out);
    } else {
        headed(0xd3, number.to_be_bytes(), out);
    }
}

/// Appends a float of 32 bits.
#[inline]
pub fn single(number: f32, out: &mut Vec<u8>) {
    headed(0xca, number.to_be_bytes(), out);
}

/// Appends a float of 64 bits.
#[inline]
pub fn float(number: f64, out: &mut Vec<u8>) {
    headed(0xcb, number.to_be_bytes(), out);
}

/// Appends text.
#[inline]
pub fn text(text: &str, out: &mut Vec<u8>) -> Result<(), TooLong> {
    // Room for both parts at once.
    out.reserve(text.len() + 5);
    match text.len() {
        length @ 0..32 => out.push(0xa0 | short(length)),
        length => sized([0xd9, 0xda, 0xdb], length, out)?,
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Appends bytes.
#[inline]
pub fn binary(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
    sized([0xc4, 0xc5, 0xc6], bytes.len(), out)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends the beginning of a list of so many items, which come after it.
#[inline]
pub fn list(items: usize, out: &mut Vec<u8>) -> Result<(), TooLong> {
    match items {
        items @ 0..16 => out.push(0x90 | short(items)),
        items => sized([0xdc, 0xdc, 0xdd], items, out)?,
    }
    Ok(())
}

/// Appends the beginning of a map of so many pairs, which come after it.
#[inline]
pub fn map(pairs: usize, out: &mut Vec<u8>) -> Result<(), TooLong> {
    match pairs {
        pairs @ 0..16 => out.push(0x80 | short(pairs)),
        pairs => sized([0xde, 0xde, 0xdf], pairs, out)?,
    }
    Ok(())
}

/// A length that was looked at: it is below 32.
#[inline]
fn short(length: usize) -> u8 {
    length.to_le_bytes()[0]
}

/// Appends a head and a length of one byte, two or four; where two heads are the same there is none for one byte.
fn sized(heads: [u8; 3], length: usize, out: &mut Vec<u8>) -> Result<(), TooLong> {
    let [least, middle, most] = heads;
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if least != middle => headed(least, [length], out),
        (_, Ok(length)) => headed(middle, length.to_be_bytes(), out),
        _ => headed(most, long(length)?, out),
    }
    Ok(())
}

#[inline]
fn headed<const N: usize>(head: u8, bytes: [u8; N], out: &mut Vec<u8>) {
    out.push(head);
    out.extend_from_slice(&bytes);
}

fn long(length: usize) -> Result<[u8; 4], TooLong> {
    u32::try_from(length).map(u32::to_be_bytes).map_err(|_| TooLong)
}
