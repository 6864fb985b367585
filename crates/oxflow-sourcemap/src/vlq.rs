//! Numbers of base64 digits outside of `mappings`: those of `rangeMappings`, `scopes`, and Hermes.

use crate::mappings::CLASSES;

/// What is wrong at a byte of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) reason: &'static str,
}

/// Reads numbers one after the other.
#[derive(Clone)]
pub(crate) struct Numbers<'a> {
    text: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Numbers<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Steps over a byte, if it is the next one.
    pub(crate) fn accept(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Whether a number begins here.
    pub(crate) fn is_number(&self) -> bool {
        !matches!(self.peek(), None | Some(b',' | b';'))
    }

    pub(crate) fn fault<T>(&self, reason: &'static str) -> Result<T, Fault> {
        Err(Fault { offset: self.at, reason })
    }

    /// A number without a sign, of at most 32 bits.
    pub(crate) fn unsigned(&mut self) -> Result<u32, Fault> {
        let start = self.at;
        let (mut value, mut shift) = (0u64, 0);
        loop {
            let Some(byte) = self.peek().filter(|byte| !matches!(byte, b',' | b';')) else {
                return self.fault(if shift > 0 { "a number announces another digit" } else { "a number is missing" });
            };
            let Some(digit) = CLASSES.get(usize::from(byte)).copied().filter(|class| *class < 64) else {
                return self.fault("is no base64");
            };
            let bits = u64::from(digit & 31);
            if shift > 30 && bits != 0 {
                return Err(Fault { offset: start, reason: "a number has more than 32 bits" });
            }
            value |= bits << shift.min(30);
            shift += 5;
            self.at += 1;
            if digit < 32 {
                break;
            }
        }
        u32::try_from(value).map_err(|_| Fault { offset: start, reason: "a number has more than 32 bits" })
    }

    /// A number whose lowest bit is its sign.
    pub(crate) fn signed(&mut self) -> Result<i64, Fault> {
        let value = self.unsigned()?;
        let magnitude = i64::from(value >> 1);
        Ok(if value & 1 == 0 { magnitude } else { -magnitude })
    }
}

/// Adds a difference to a running value that is an index or a place.
pub(crate) fn add(running: u32, difference: i64) -> Option<u32> {
    u32::try_from(i64::from(running) + difference).ok().filter(|sum| i32::try_from(*sum).is_ok())
}

/// Appends a number without a sign.
pub(crate) fn put(text: &mut Vec<u8>, value: u64) {
    let mut rest = value;
    loop {
        let digit = (rest & 31) as u8;
        rest >>= 5;
        text.push(crate::mappings::letter(if rest > 0 { digit | 32 } else { digit }));
        if rest == 0 {
            return;
        }
    }
}

/// Appends a number with its sign.
pub(crate) fn put_signed(text: &mut Vec<u8>, value: i64) {
    put(text, value.unsigned_abs() << 1 | u64::from(value < 0));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(unsigned: u32, signed in -(1i64 << 31) + 1..1 << 31) {
            let mut text = Vec::new();
            put(&mut text, unsigned.into());
            put_signed(&mut text, signed);
            let mut numbers = Numbers::new(&text);
            prop_assert_eq!(Ok(unsigned), numbers.unsigned());
            prop_assert_eq!(Ok(signed), numbers.signed());
            prop_assert!(!numbers.is_number());
        }
    }

    #[test]
    fn what_is_no_number_says_where() {
        let read = |text: &str| Numbers::new(text.as_bytes()).unsigned().unwrap_err();
        assert_eq!(Fault { offset: 0, reason: "a number is missing" }, read(""));
        assert_eq!(Fault { offset: 1, reason: "a number announces another digit" }, read("g,"));
        assert_eq!(Fault { offset: 1, reason: "is no base64" }, read("g!"));
        assert_eq!(Fault { offset: 0, reason: "a number has more than 32 bits" }, read("gggggggB"));
        assert_eq!(Fault { offset: 0, reason: "a number has more than 32 bits" }, read("//////H"));
        assert_eq!(Ok(1), Numbers::new(b"hgggggggggA").unsigned());
    }
}
