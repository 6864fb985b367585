//! The tokens of JavaScript, as far as it takes to find its functions.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Identifiers and keywords.
    Word,
    /// `#name`.
    Private,
    Number,
    Text,
    Regex,
    /// A whole template, or its last piece behind `}`.
    Template,
    /// A piece of a template that ends in `${`.
    TemplateOpen,
    /// `{`, `}`, `(`, `)`, `[`, `]`, `;`, `,`, `:`, `@`.
    Mark(u8),
    Dot,
    Spread,
    Question,
    /// `=`, and those with an operator before it.
    Assign,
    Arrow,
    /// `++` and `--`.
    Step,
    Star,
    /// Any other operator, which an operand follows.
    Operator,
    End,
}

/// A piece of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Reads tokens one after the other.
pub(super) struct Tokens<'a> {
    pub(super) script: &'a [u8],
    at: usize,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'\\' | 0x80..)
}

impl<'a> Tokens<'a> {
    pub(super) fn new(script: &'a [u8]) -> Self {
        let mut tokens = Self { script, at: 0 };
        if script.starts_with(b"#!") {
            tokens.skip_line();
        }
        tokens
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.script.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.script.get(self.at).is_some_and(|byte| wanted(*byte)) {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
    }

    /// Goes over white space and comments; whether lines ended there.
    fn skip_space(&mut self) -> bool {
        let mut has_line = false;
        loop {
            match (self.byte(0), self.byte(1)) {
                (b'\n' | b'\r', _) => {
                    has_line = true;
                    self.at += 1;
                }
                (b' ' | b'\t' | 0x0b | 0x0c, _) => self.at += 1,
                (0, _) if self.at < self.script.len() => self.at += 1,
                // White space of other planes: U+00A0, U+FEFF, U+2028 and U+2029, the last two of which end lines.
                (0xc2, 0xa0) => self.at += 2,
                (0xef, 0xbb) if self.byte(2) == 0xbf => self.at += 3,
                (0xe2, 0x80) if matches!(self.byte(2), 0xa8 | 0xa9) => {
                    has_line = true;
                    self.at += 3;
                }
                (b'/', b'/') => self.skip_line(),
                (b'/', b'*') => {
                    let rest = self.script.get(self.at + 2..).unwrap_or_default();
                    let end = rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |end| end + 2);
                    has_line |= rest.get(..end).unwrap_or_default().contains(&b'\n');
                    self.at += 2 + end;
                }
                _ => return has_line,
            }
        }
    }

    /// The next token, and whether lines end before it. `operand` says that a value may begin here, and so a `/` a regular
    /// expression.
    pub(super) fn next(&mut self, operand: bool) -> (Token, bool) {
        let has_line = self.skip_space();
        let start = self.at;
        let kind = self.kind(operand);
        self.at = self.at.min(self.script.len());
        (Token { kind, start, end: self.at }, has_line)
    }

    fn kind(&mut self, operand: bool) -> Kind {
        let Some(first) = self.script.get(self.at).copied() else { return Kind::End };
        match first {
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() => self.number(),
            b'#' => {
                self.at += 1;
                self.skip_while(is_word);
                Kind::Private
            }
            b'"' | b'\'' => self.text(first),
            b'`' => {
                self.at += 1;
                self.template()
            }
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b';' | b',' | b':' | b'@' => {
                self.at += 1;
                Kind::Mark(first)
            }
            b'/' if operand => self.regex(),
            _ if is_word(first) => {
                self.skip_while(is_word);
                Kind::Word
            }
            _ => self.operator(first),
        }
    }

    fn number(&mut self) -> Kind {
        let is_decimal = !matches!(self.byte(1), b'x' | b'X' | b'o' | b'O' | b'b' | b'B');
        self.skip_while(is_word);
        if is_decimal && self.byte(0) == b'.' {
            self.at += 1;
            self.skip_while(is_word);
        }
        let last = self.script.get(self.at.saturating_sub(1)).copied().unwrap_or(0);
        if is_decimal && matches!(last, b'e' | b'E') && matches!(self.byte(0), b'+' | b'-') {
            self.at += 1;
            self.skip_while(is_word);
        }
        Kind::Number
    }

    fn text(&mut self, quote: u8) -> Kind {
        self.at += 1;
        loop {
            self.skip_while(|byte| byte != quote && byte != b'\\' && byte != b'\n');
            match self.byte(0) {
                b'\\' => self.at += 2,
                b'\n' => break,
                _ => {
                    self.at += 1;
                    break;
                }
            }
        }
        Kind::Text
    }

    /// Goes on with a template, at its beginning or behind the `}` of an expression in it.
    pub(super) fn template(&mut self) -> Kind {
        loop {
            self.skip_while(|byte| !matches!(byte, b'`' | b'\\' | b'$'));
            match (self.byte(0), self.byte(1)) {
                (b'\\', _) => self.at += 2,
                (b'$', b'{') => {
                    self.at += 2;
                    return Kind::TemplateOpen;
                }
                (b'$', _) => self.at += 1,
                _ => {
                    self.at += 1;
                    return Kind::Template;
                }
            }
        }
    }

    fn regex(&mut self) -> Kind {
        self.at += 1;
        let mut in_class = false;
        loop {
            match self.script.get(self.at).copied() {
                Some(b'\\') => self.at += 1,
                Some(b'[') => in_class = true,
                Some(b']') => in_class = false,
                Some(b'/') if !in_class => break,
                None | Some(b'\n' | b'\r') => return Kind::Regex,
                Some(_) => {}
            }
            self.at += 1;
        }
        self.at += 1;
        self.skip_while(is_word);
        Kind::Regex
    }

    fn operator(&mut self, first: u8) -> Kind {
        let (second, third) = (self.byte(1), self.byte(2));
        let (length, kind) = match (first, second, third) {
            (b'.', b'.', b'.') => (3, Kind::Spread),
            (b'.', ..) => (1, Kind::Dot),
            (b'=', b'>', _) => (2, Kind::Arrow),
            (b'=' | b'!', b'=', b'=') => (3, Kind::Operator),
            (b'=' | b'!' | b'<' | b'>', b'=', _) => (2, Kind::Operator),
            (b'=', ..) => (1, Kind::Assign),
            (b'+', b'+', _) | (b'-', b'-', _) => (2, Kind::Step),
            (b'?', b'.', third) if !third.is_ascii_digit() => (2, Kind::Dot),
            (b'?' | b'&' | b'|' | b'*', second, b'=') if second == first => (3, Kind::Assign),
            (b'?' | b'&' | b'|' | b'*', second, _) if second == first => (2, Kind::Operator),
            (b'?', ..) => (1, Kind::Question),
            (b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^', b'=', _) => (2, Kind::Assign),
            (b'*', ..) => (1, Kind::Star),
            _ => (1, Kind::Operator),
        };
        self.at += length;
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(script: &str, operand: bool) -> Vec<(Kind, &str)> {
        let mut tokens = Tokens::new(script.as_bytes());
        let mut found = Vec::new();
        loop {
            let (token, _) = tokens.next(operand);
            if token.kind == Kind::End {
                return found;
            }
            found.push((token.kind, &script[token.start..token.end]));
        }
    }

    #[test]
    fn tokens_end_where_they_do_in_javascript() {
        use Kind::{
            Arrow, Assign, Dot, Mark, Number, Operator, Private, Question, Regex, Spread, Star, Step, Text, Word,
        };
        let all = [
            (Word, "a\\u0062$_\u{e9}"),
            (Private, "#x"),
            (Number, "1.5e-3"),
            (Number, "0x1f"),
            (Number, "1_0n"),
            (Number, ".5"),
            (Text, "'a\\'b'"),
            (Text, "\"//\""),
            (Mark(b'{'), "{"),
            (Dot, "."),
            (Dot, "?."),
            (Spread, "..."),
            (Question, "?"),
            (Assign, "="),
            (Assign, "??="),
            (Assign, "+="),
            (Arrow, "=>"),
            (Step, "++"),
            (Star, "*"),
            (Operator, "==="),
            (Operator, "&&"),
            (Operator, "/"),
        ];
        let script: Vec<&str> = all.iter().map(|(_, text)| *text).collect();
        assert_eq!(all.to_vec(), kinds(&script.join(" /* } */ "), false));
        assert_eq!(vec![(Regex, "/[/\\]]\\//gi"), (Dot, ".")], kinds("/[/\\]]\\//gi .", true));
        assert_eq!(vec![(Word, "x")], kinds("#! }\n// {\nx // (", true));
    }

    #[test]
    fn what_has_no_end_ends_with_the_script() {
        for script in ["'a", "\"\\", "`a${", "`a", "/a", "/[", "/* a", "\\", "1e", "#", "a?", "=", "\u{2028}"] {
            assert!(kinds(script, true).len() < 3, "{script}");
        }
    }
}
