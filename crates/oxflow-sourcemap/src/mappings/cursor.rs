//! Reads segments of `mappings` one by one, and says exactly what is wrong with one.

use super::{Original, Segment, key};
use crate::error::{Error, Field, Reason};

/// What a byte is: a digit below 64, or one of these.
pub(crate) const COMMA: u8 = 64;
pub(crate) const SEMICOLON: u8 = 65;
pub(crate) const INVALID: u8 = 128;

/// What each byte is.
pub(crate) const CLASSES: [u8; 256] = classes();

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const MORE: u8 = 32;
/// The digits that a value of 32 bits has.
const MOST_DIGITS: usize = 7;

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "computed when it is compiled")]
const fn classes() -> [u8; 256] {
    let mut table = [INVALID; 256];
    let mut digit = 0;
    while digit < 64 {
        table[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    table[b',' as usize] = COMMA;
    table[b';' as usize] = SEMICOLON;
    table
}

/// The value that each byte is by itself, above `ZERO`; or one of these.
const SINGLES: [u8; 256] = singles();
const ZERO: u8 = 16;
/// A digit that another follows, a minus zero, or no digit.
const OTHER: u8 = 64;
/// A separator.
const END: u8 = 128;

#[expect(clippy::indexing_slicing, reason = "computed when it is compiled")]
const fn singles() -> [u8; 256] {
    let mut table = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match CLASSES[byte] {
            COMMA | SEMICOLON => END,
            digit if digit >= MORE || digit == 1 => OTHER,
            digit if digit & 1 == 1 => ZERO - (digit >> 1),
            digit => ZERO + (digit >> 1),
        };
        byte += 1;
    }
    table
}

/// The digit of base64.
#[expect(clippy::indexing_slicing, reason = "six bits")]
pub(crate) const fn letter(digit: u8) -> u8 {
    ALPHABET[(digit & 63) as usize]
}

/// The running values that segments add to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) source: u32,
    pub(crate) source_line: u32,
    pub(crate) source_column: u32,
    pub(crate) name: u32,
}

impl State {
    /// Line and column as one number, in the order of positions.
    #[inline]
    pub(crate) fn key(&self) -> u64 {
        key(self.line, self.column)
    }

    /// The segment of so many fields that led here.
    #[inline]
    pub(crate) fn segment(&self, fields: u8) -> Segment {
        let Self { line, column, source, source_line, source_column, name } = *self;
        let original = (fields > 1).then_some(Original { source, line: source_line, column: source_column });
        Segment { line, column, original, name: (fields > 4).then_some(name) }
    }
}

/// What was seen that the standard forbids and that does no harm, and what has no place in the index as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Oddities {
    /// Places of segments without fields.
    pub(crate) empty: Option<Place>,
    /// A sign without a value.
    pub(crate) minus_zero: Option<Place>,
    /// A value with more digits than 32 bits need.
    pub(crate) long: bool,
}

/// A place in `mappings`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) line: u32,
    pub(crate) segment: u32,
}

impl Place {
    pub(crate) fn fault(self, reason: Reason) -> Error {
        Error::Mappings { offset: self.offset, line: self.line, segment: self.segment, reason }
    }
}

/// A place in `mappings` between two segments.
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    pub(crate) at: usize,
    pub(crate) state: State,
    pub(crate) oddities: Oddities,
    /// Segments of this line that were read.
    segment: u32,
    needs: bool,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8], at: usize, state: State) -> Self {
        Self { text, at, state, oddities: Oddities::default(), segment: 0, needs: false }
    }

    /// A place behind a separator, which may be a comma.
    pub(crate) fn after(text: &'a [u8], at: usize, state: State, is_comma: bool) -> Self {
        Self { needs: is_comma, ..Self::new(text, at, state) }
    }

    /// Steps over the separator behind a segment, if there is one.
    pub(crate) fn step_over_separator(&mut self) {
        match self.class() {
            Some(COMMA) => self.at += 1,
            Some(SEMICOLON) => {
                self.at += 1;
                self.state.line = self.state.line.saturating_add(1);
                self.state.column = 0;
            }
            _ => {}
        }
    }

    fn class(&self) -> Option<u8> {
        self.text.get(self.at).map(|byte| class(*byte))
    }

    pub(crate) fn place(&self) -> Place {
        Place { offset: self.at, line: self.state.line, segment: self.segment }
    }

    /// Goes to the next segment; false at the end.
    pub(crate) fn skip_separators(&mut self) -> bool {
        loop {
            match self.class() {
                Some(SEMICOLON) => {
                    self.note_empty(self.needs);
                    self.needs = false;
                    self.state.line = self.state.line.saturating_add(1);
                    self.state.column = 0;
                    self.segment = 0;
                }
                Some(COMMA) => {
                    self.note_empty(self.needs || self.segment == 0);
                    self.needs = true;
                }
                None => {
                    self.note_empty(self.needs);
                    return false;
                }
                Some(_) => {
                    self.needs = false;
                    return true;
                }
            }
            self.at += 1;
        }
    }

    fn note_empty(&mut self, is_empty: bool) {
        if is_empty && self.oddities.empty.is_none() {
            self.oddities.empty = Some(self.place());
        }
    }

    /// Reads the next segment.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Segment>, Error> {
        Ok(match self.step()? {
            0 => None,
            fields => Some(self.state.segment(fields)),
        })
    }

    /// Goes over the next segment; gives how many fields it has, or 0 at the end.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<u8, Error> {
        if self.skip_separators() { self.take() } else { Ok(0) }
    }

    /// Goes over the segment that begins here.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<u8, Error> {
        if let Some(fields) = self.digits() {
            return Ok(fields);
        }
        match self.quick() {
            Some(fields) => Ok(fields),
            None => self.segment(),
        }
    }

    /// Goes over the segment that begins here, if it has four or five values of one digit: two of three have.
    #[inline]
    fn digits(&mut self) -> Option<u8> {
        let bytes: &[u8; 6] = self.text.get(self.at..)?.first_chunk()?;
        let [column, source, source_line, source_column, fifth, sixth] = bytes.map(single);
        if (column | source | source_line | source_column) & (OTHER | END) != 0 {
            return None;
        }
        let (name, fields) = match (fifth, sixth) {
            (END, _) => (ZERO, 4),
            (name, END) if name < OTHER => (name, 5),
            _ => return None,
        };
        let sum = |running: u32, single: u8| running.wrapping_add(u32::from(single)).wrapping_sub(u32::from(ZERO));
        let state = State {
            line: self.state.line,
            column: sum(self.state.column, column),
            source: sum(self.state.source, source),
            source_line: sum(self.state.source_line, source_line),
            source_column: sum(self.state.source_column, source_column),
            name: sum(self.state.name, name),
        };
        self.go(state, usize::from(fields))?;
        Some(fields)
    }

    /// Goes on behind a segment, if no running value became negative or too high.
    #[inline]
    fn go(&mut self, state: State, length: usize) -> Option<()> {
        let all = state.column | state.source | state.source_line | state.source_column | state.name;
        if all >> 31 != 0 {
            return None;
        }
        self.state = state;
        self.at += length;
        self.segment += 1;
        Some(())
    }

    /// Goes over the segment that begins here, if there is nothing unusual about it.
    #[inline]
    fn quick(&mut self) -> Option<u8> {
        let mut state = self.state;
        let mut at = self.at;
        let mut fields = 1;
        at += add(self.text, at, &mut state.column)?;
        if !is_end(self.text, at) {
            at += add(self.text, at, &mut state.source)?;
            at += add(self.text, at, &mut state.source_line)?;
            at += add(self.text, at, &mut state.source_column)?;
            fields = 4;
            if !is_end(self.text, at) {
                at += add(self.text, at, &mut state.name)?;
                fields = 5;
            }
        }
        if !is_end(self.text, at) {
            return None;
        }
        self.go(state, at - self.at)?;
        Some(fields)
    }

    /// Reads the segment that begins here, whatever is in it.
    #[cold]
    fn segment(&mut self) -> Result<u8, Error> {
        let start = self.place();
        let fault = |reason| start.fault(reason);
        let mut state = self.state;
        state.column = self.sum(start, state.column, Field::Column)?;
        let mut fields = 1;
        if !self.is_at_end_of_segment() {
            let source = self.value(start)?;
            self.goes_on(start, 2)?;
            let source_line = self.value(start)?;
            self.goes_on(start, 3)?;
            let source_column = self.value(start)?;
            let name = if self.is_at_end_of_segment() { None } else { Some(self.value(start)?) };
            if name.is_some() && !self.is_at_end_of_segment() {
                return Err(self.too_many(start));
            }
            state.source = summed(state.source, source, Field::Source).map_err(fault)?;
            state.source_line = summed(state.source_line, source_line, Field::SourceLine).map_err(fault)?;
            state.source_column = summed(state.source_column, source_column, Field::SourceColumn).map_err(fault)?;
            state.name = summed(state.name, name.unwrap_or_default(), Field::Name).map_err(fault)?;
            fields = if name.is_some() { 5 } else { 4 };
        }
        self.segment = self.segment.saturating_add(1);
        self.state = state;
        Ok(fields)
    }

    fn sum(&mut self, start: Place, running: u32, field: Field) -> Result<u32, Error> {
        let value = self.value(start)?;
        summed(running, value, field).map_err(|reason| start.fault(reason))
    }

    fn is_at_end_of_segment(&self) -> bool {
        self.class().is_none_or(|class| class == COMMA || class == SEMICOLON)
    }

    fn goes_on(&self, start: Place, fields: u32) -> Result<(), Error> {
        if self.is_at_end_of_segment() { Err(start.fault(Reason::Fields(fields))) } else { Ok(()) }
    }

    /// The error of a segment with more than five fields.
    fn too_many(&mut self, start: Place) -> Error {
        let mut fields = 5;
        while !self.is_at_end_of_segment() {
            if let Err(error) = self.value(start) {
                return error;
            }
            fields += 1;
        }
        start.fault(Reason::Fields(fields))
    }

    /// Reads a value of any length.
    fn value(&mut self, start: Place) -> Result<i64, Error> {
        let here = Place { offset: self.at, ..start };
        let mut value = 0u64;
        let mut digits = 0;
        loop {
            let digit = match self.class() {
                Some(digit) if digit < 64 => digit,
                Some(INVALID) => {
                    let byte = self.text.get(self.at).copied().unwrap_or_default();
                    return Err(Place { offset: self.at, ..start }.fault(Reason::NotBase64(byte)));
                }
                _ => return Err(here.fault(Reason::Unfinished)),
            };
            let bits = u64::from(digit & (MORE - 1));
            if digits < MOST_DIGITS {
                value |= bits << (5 * digits);
            } else if bits != 0 {
                return Err(here.fault(Reason::TooLarge));
            }
            digits += 1;
            self.at += 1;
            if digit < MORE {
                break;
            }
        }
        if value > u64::from(u32::MAX) {
            return Err(here.fault(Reason::TooLarge));
        }
        if value == 1 && self.oddities.minus_zero.is_none() {
            self.oddities.minus_zero = Some(here);
        }
        self.oddities.long |= digits > MOST_DIGITS;
        #[expect(clippy::cast_possible_wrap, reason = "31 bits")]
        let magnitude = (value >> 1) as i64;
        Ok(if value & 1 == 0 { magnitude } else { -magnitude })
    }
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "256 classes for 256 bytes")]
fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "a value for each byte")]
fn single(byte: u8) -> u8 {
    SINGLES[usize::from(byte)]
}

/// Whether a segment ends here.
#[inline]
fn is_end(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| matches!(byte, b',' | b';'))
}

/// Adds a short value to a running one; gives its length.
#[inline]
fn add(text: &[u8], at: usize, running: &mut u32) -> Option<usize> {
    let (value, length) = short_value(text, at)?;
    *running = running.wrapping_add_signed(value);
    Some(length)
}

/// Reads a value of at most three digits, and how many they are.
#[inline]
fn short_value(text: &[u8], at: usize) -> Option<(i32, usize)> {
    let digit = |place: usize| text.get(at + place).map(|byte| class(*byte)).filter(|class| *class < 64);
    let first = digit(0)?;
    if first < MORE {
        return signed(i32::from(first)).map(|value| (value, 1));
    }
    let second = digit(1)?;
    let two = i32::from(first & 31) | i32::from(second & 31) << 5;
    if second < MORE {
        return signed(two).map(|value| (value, 2));
    }
    let third = digit(2).filter(|third| *third < MORE)?;
    signed(two | i32::from(third) << 10).map(|value| (value, 3))
}

/// Takes the sign from the lowest bit; a minus zero is unusual.
#[inline]
fn signed(value: i32) -> Option<i32> {
    let sign = -(value & 1);
    (value != 1).then_some(((value >> 1) ^ sign) - sign)
}

fn summed(running: u32, value: i64, field: Field) -> Result<u32, Reason> {
    let sum = i64::from(running) + value;
    match i32::try_from(sum) {
        Ok(sum) => u32::try_from(sum).map_err(|_| Reason::Negative(field)),
        Err(_) if sum < 0 => Err(Reason::Negative(field)),
        Err(_) => Err(Reason::Over31Bits(field)),
    }
}
