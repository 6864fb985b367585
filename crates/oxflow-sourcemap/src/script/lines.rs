//! Lines and columns of bytes of a script.

/// Line and column, in UTF-16 units, of each offset.
pub(super) fn positions(script: &[u8], offsets: &[u32]) -> Vec<(u32, u32)> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    let offset = |index: usize| offsets.get(index).map_or(0, |offset| *offset as usize);
    if !offsets.is_sorted() {
        order.sort_unstable_by_key(|index| offset(*index));
    }
    let mut places = vec![(0, 0); offsets.len()];
    let (mut at, mut line, mut column) = (0, 0, 0);
    for index in order {
        let wanted = offset(index).min(script.len());
        while let Some(byte) = script.get(at).filter(|_| at < wanted) {
            match byte {
                b'\n' => (line, column) = (line + 1, 0),
                b'\r' if script.get(at + 1) != Some(&b'\n') => (line, column) = (line + 1, 0),
                // The bytes after the first of a character; four of them are two units.
                0x80..0xc0 => {}
                0xf0.. => column += 2,
                _ => column += 1,
            }
            at += 1;
        }
        if let Some(place) = places.get_mut(index) {
            *place = (line, column);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::positions;

    #[test]
    fn columns_are_utf16_units_and_lines_end_as_in_javascript() {
        let script = "a\u{e9}\u{1f600}b\r\nc\rd\ne".as_bytes();
        let offsets = [0, 1, 3, 7, 10, 12, 14, 99];
        let wanted = [(0, 0), (0, 1), (0, 2), (0, 4), (1, 0), (2, 0), (3, 0), (3, 1)];
        assert_eq!(wanted.to_vec(), positions(script, &offsets));
        let reversed: Vec<u32> = offsets.iter().rev().copied().collect();
        assert_eq!(wanted.iter().rev().copied().collect::<Vec<_>>(), positions(script, &reversed));
    }
}
