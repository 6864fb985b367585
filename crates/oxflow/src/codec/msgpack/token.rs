//! Msgpack, piece by piece.

/// A piece of a message: a scalar, or the beginning of a list or map, whose items come after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Nil,
    /// True or false.
    Bool(bool),
    /// An integer that isn't negative.
    Unsigned(u64),
    /// An integer that may be negative.
    Signed(i64),
    /// A float of 32 bits.
    Single(f32),
    /// A float of 64 bits.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// A list of so many items.
    List(u32),
    /// A map of so many pairs, each a key and a value.
    Map(u32),
    /// An extension of this type, whose bytes are passed over; -1 is a timestamp.
    Extension(i8),
}

/// Bytes that are no msgpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// They end too early.
    #[error("it ends inside of a value")]
    Truncated,
    /// No value begins with this byte.
    #[error("no value begins with the byte 0xc1")]
    Reserved,
    /// Text that isn't.
    #[error("text that is not UTF-8")]
    NotUtf8,
}

/// The byte that is nothing.
pub(super) const NIL: u8 = 0xc0;

/// Text from which on it is looked at many bytes at a time; of a shorter one the setting out would cost more.
const LONG: usize = 64;

/// Reads pieces one after the other. What a message says of its lengths is only believed as far as it has bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
    /// How many bytes there were where the last piece began.
    began: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, rest: bytes, began: bytes.len() }
    }

    /// The byte where the last piece began, counted from 1; after [`Broken::Truncated`] the one that is missing.
    pub fn byte(&self) -> usize {
        self.bytes.len() - self.began + 1
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The first byte of the next piece.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Says of the next piece that it is the one at fault.
    pub(super) fn blame_next(&mut self) {
        self.began = self.rest.len();
    }

    /// The next piece.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, Broken> {
        self.began = self.rest.len();
        let [first] = self.number()?;
        Ok(match first {
            0..=0x7f => Token::Unsigned(first.into()),
            0x80..=0x8f => Token::Map(u32::from(first & 0x0f)),
            0x90..=0x9f => Token::List(u32::from(first & 0x0f)),
            0xa0..=0xbf => self.text(usize::from(first & 0x1f))?,
            NIL => Token::Nil,
            0xc1 => return Err(Broken::Reserved),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4..=0xc6 => {
                let length = self.length(first - 0xc4)?;
                Token::Binary(self.take(length)?)
            }
            0xc7..=0xc9 => {
                let length = self.length(first - 0xc7)?;
                self.extension(length)?
            }
            0xca => Token::Single(f32::from_be_bytes(self.number()?)),
            0xcb => Token::Float(f64::from_be_bytes(self.number()?)),
            0xcc => Token::Unsigned(u8::from_be_bytes(self.number()?).into()),
            0xcd => Token::Unsigned(u16::from_be_bytes(self.number()?).into()),
            0xce => Token::Unsigned(u32::from_be_bytes(self.number()?).into()),
            0xcf => Token::Unsigned(u64::from_be_bytes(self.number()?)),
            0xd0 => Token::Signed(i8::from_be_bytes(self.number()?).into()),
            0xd1 => Token::Signed(i16::from_be_bytes(self.number()?).into()),
            0xd2 => Token::Signed(i32::from_be_bytes(self.number()?).into()),
            0xd3 => Token::Signed(i64::from_be_bytes(self.number()?)),
            0xd4..=0xd8 => self.extension(1 << (first - 0xd4))?,
            0xd9..=0xdb => {
                let length = self.length(first - 0xd9)?;
                self.text(length)?
            }
            0xdc => Token::List(u16::from_be_bytes(self.number()?).into()),
            0xdd => Token::List(u32::from_be_bytes(self.number()?)),
            0xde => Token::Map(u16::from_be_bytes(self.number()?).into()),
            0xdf => Token::Map(u32::from_be_bytes(self.number()?)),
            0xe0..=0xff => Token::Signed(i8::from_be_bytes([first]).into()),
        })
    }

    /// Passes over the next value with all that is in it. It costs no stack, however deep the value is.
    pub fn skip(&mut self) -> Result<(), Broken> {
        let mut values = 1_u64;
        while values > 0 {
            values -= 1;
            match self.token()? {
                Token::List(items) => values += u64::from(items),
                Token::Map(pairs) => values += 2 * u64::from(pairs),
                _ => {}
            }
        }
        Ok(())
    }

    /// A length of one, two or four bytes.
    fn length(&mut self, size: u8) -> Result<usize, Broken> {
        let length = match size {
            0 => u8::from_be_bytes(self.number()?).into(),
            1 => u16::from_be_bytes(self.number()?).into(),
            _ => u32::from_be_bytes(self.number()?),
        };
        Ok(length as usize)
    }

    #[inline]
    fn text(&mut self, length: usize) -> Result<Token<'a>, Broken> {
        let bytes = self.take(length)?;
        let text = if length < LONG { std::str::from_utf8(bytes).ok() } else { simdutf8::basic::from_utf8(bytes).ok() };
        text.map(Token::Text).ok_or(Broken::NotUtf8)
    }

    fn extension(&mut self, length: usize) -> Result<Token<'a>, Broken> {
        let kind = i8::from_be_bytes(self.number()?);
        self.take(length)?;
        Ok(Token::Extension(kind))
    }

    #[inline]
    fn number<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        match self.rest.split_first_chunk() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(self.truncated()),
        }
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        match self.rest.split_at_checked(length) {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => Err(self.truncated()),
        }
    }

    #[cold]
    fn truncated(&mut self) -> Broken {
        self.began = 0;
        Broken::Truncated
    }
}
