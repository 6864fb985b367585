//! Reads a script token by token, and finds its functions and classes.

use super::names::{Part, place};
use super::stack::{After, Class, Frame, Function, Key, Kind, context, follow};
use super::tokens::{Kind as What, Token, Tokens};
use crate::error::{Error, Result};

/// What may be open at once.
const MOST_OPEN: usize = 10_000;

/// A function or class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) name: Vec<Part>,
}

/// Whether a token was taken, or the frame under it has to take it.
#[derive(PartialEq, Eq)]
enum Step {
    Taken,
    Again,
}

/// All functions and classes of a script, in the order of their beginnings, as far as it can be read.
pub(crate) fn scopes(script: &[u8]) -> Result<Vec<Scope>> {
    let mut scanner = Scanner {
        script,
        tokens: Tokens::new(script),
        frames: vec![Frame::new(Kind::Block)],
        scopes: Vec::new(),
        pieces: 0,
        last_end: 0,
    };
    loop {
        let is_value = scanner.frames.last().is_some_and(|frame| frame.operand && !frame.in_key());
        let (token, has_line) = scanner.tokens.next(is_value);
        if token.kind == What::End {
            break;
        }
        scanner.take(token, has_line);
        if scanner.frames.len() > MOST_OPEN {
            return Err(Error::Limit { what: "the nesting of the script", limit: MOST_OPEN as u64 });
        }
        scanner.last_end = token.end;
    }
    Ok(scanner.scopes)
}

struct Scanner<'a> {
    script: &'a [u8],
    tokens: Tokens<'a>,
    frames: Vec<Frame>,
    scopes: Vec<Scope>,
    /// Pieces of all names. A short function may have a long name, but not all of them.
    pieces: usize,
    last_end: usize,
}

impl Scanner<'_> {
    fn word(&self, token: Token) -> &[u8] {
        self.script.get(token.start..token.end).unwrap_or_default()
    }

    fn with_top(&mut self, change: impl FnOnce(&mut Frame)) {
        if let Some(top) = self.frames.last_mut() {
            change(top);
        }
    }

    fn push(&mut self, kind: Kind) {
        self.frames.push(Frame::new(kind));
    }

    /// Replaces what is open by what it turned out to be.
    fn become_(&mut self, kind: Kind) {
        self.with_top(|top| *top = Frame::new(kind));
    }

    fn take(&mut self, token: Token, has_line: bool) {
        while self.step(token, has_line) == Step::Again {}
        self.with_top(|top| {
            top.after_dot = token.kind == What::Dot;
            top.after_async &= token.kind == What::Word;
        });
    }

    fn step(&mut self, token: Token, has_line: bool) -> Step {
        let Some(top) = self.frames.last().copied() else {
            // The script itself never closes.
            self.push(Kind::Block);
            return Step::Again;
        };
        match top.kind {
            Kind::Arrow { function, is_fresh: true } => {
                if token.kind == What::Mark(b'{') {
                    self.become_(Kind::Body { function });
                    return Step::Taken;
                }
                self.with_top(|top| top.kind = Kind::Arrow { function, is_fresh: false });
                Step::Again
            }
            Kind::Arrow { function, .. } if ends_expression(&top, token) || self.is_boundary(&top, token) => {
                self.frames.pop();
                self.end_scope(function.scope, self.last_end);
                self.with_top(Frame::end_value);
                Step::Again
            }
            Kind::Head { function, has_parameters } => self.head(token, function, has_parameters),
            Kind::ClassHead { class, has_heritage } => self.class_head(&top, token, class, has_heritage),
            _ if top.in_key() => self.key(&top, token),
            Kind::Class { .. } if self.is_boundary(&top, token) && (has_line || token.kind != What::Mark(b'{')) => {
                // A field without a semicolon behind it.
                self.with_top(Frame::next_member);
                Step::Again
            }
            _ => {
                if self.is_boundary(&top, token) && top.has_statements() {
                    self.with_top(Frame::end_statement);
                }
                self.expression(token)
            }
        }
    }

    /// Whether a token can't go on with the expression before it: a statement begins, without a semicolon.
    fn is_boundary(&self, top: &Frame, token: Token) -> bool {
        if top.operand || top.after_dot || top.after_async {
            return false;
        }
        match token.kind {
            What::Word => !matches!(self.word(token), b"in" | b"instanceof" | b"of"),
            What::Private | What::Number | What::Text | What::Regex | What::Mark(b'{') => true,
            _ => false,
        }
    }

    /// A token of a function before its body.
    fn head(&mut self, token: Token, function: Function, has_parameters: bool) -> Step {
        match token.kind {
            What::Mark(b'(') if !has_parameters => {
                self.with_top(|top| top.kind = Kind::Head { function, has_parameters: true });
                self.push(Kind::Parameters);
            }
            What::Mark(b'{') if has_parameters => self.become_(Kind::Body { function }),
            What::Star if !has_parameters => {}
            What::Word if !has_parameters => self.call_scope(function.scope, token),
            _ => {
                // No function after all: a method without a body, or no JavaScript.
                self.frames.pop();
                self.with_top(|top| top.go_on(function.after));
                return Step::Again;
            }
        }
        Step::Taken
    }

    /// A token of a class before its body.
    fn class_head(&mut self, top: &Frame, token: Token, class: Class, has_heritage: bool) -> Step {
        let is_word = token.kind == What::Word;
        if token.kind == What::Mark(b'{') && !(has_heritage && top.operand) {
            self.become_(Kind::Class { class });
        } else if is_word && !has_heritage && self.word(token) == b"extends" {
            self.with_top(|top| top.kind = Kind::ClassHead { class, has_heritage: true });
        } else if is_word && !has_heritage && class.name.is_none() {
            let name = (place(token.start), place(token.end));
            let class = Class { name: Some(name), ..class };
            self.with_top(|top| top.kind = Kind::ClassHead { class, has_heritage });
            self.call_scope(Some(class.scope), token);
        } else if has_heritage && !ends_expression(top, token) {
            return self.expression(token);
        } else {
            self.frames.pop();
            self.with_top(|top| top.go_on(class.after));
            return Step::Again;
        }
        Step::Taken
    }

    /// A token of a member of an object or class before its value.
    fn key(&mut self, top: &Frame, token: Token) -> Step {
        let is_class = matches!(top.kind, Kind::Class { .. });
        let start = top.member.start.unwrap_or(token.start);
        let word = Key::Word(token.start, token.end);
        match token.kind {
            What::Word | What::Private => self.key_word(top, word, start),
            What::Number | What::Text => self.set_key(Key::Literal(token.start, token.end), start),
            What::Mark(b'[') => self.push(Kind::Bracket { is_key: true }),
            What::Mark(b'(') => self.method(top, start),
            What::Mark(b'{') if is_class => self.push(Kind::Block),
            What::Mark(b':') | What::Assign | What::Spread => self.with_top(|top| {
                top.want_value();
                top.member.in_value = true;
                // In a pattern: the value that a name has without another.
                if let (What::Assign, Kind::Object, Some(Key::Word(start, end))) =
                    (token.kind, top.kind, top.member.key)
                {
                    top.target = Some((start, end));
                }
            }),
            What::Mark(b',' | b';') => self.with_top(Frame::next_member),
            What::Mark(b'}') => self.close(token),
            // `*`, `@`, and what is no JavaScript.
            _ => {}
        }
        Step::Taken
    }

    fn set_key(&mut self, key: Key, start: usize) {
        self.with_top(|top| {
            top.member.key = Some(key);
            top.member.start = Some(start);
        });
    }

    /// The word before another was `get` or `set`, another modifier, or a field.
    fn key_word(&mut self, top: &Frame, word: Key, start: usize) {
        let before = match top.member.key {
            Some(Key::Word(start, end)) => self.script.get(start..end),
            _ => None,
        };
        let accessor = match before {
            Some(b"get") => Some("get "),
            Some(b"set") => Some("set "),
            _ => None,
        };
        self.with_top(|top| top.member.accessor = accessor);
        self.set_key(word, start);
    }

    fn method(&mut self, top: &Frame, start: usize) {
        let is_class = matches!(top.kind, Kind::Class { .. });
        let is_constructor = is_class
            && matches!(top.member.key, Some(Key::Word(start, end)) if self.script.get(start..end) == Some(b"constructor"));
        // A constructor is the class itself.
        let scope = if is_constructor {
            None
        } else {
            let mut name = context(self.script, &self.frames, top.member.key);
            if let Some(accessor) = top.member.accessor.filter(|_| !name.is_empty()) {
                name.insert(0, Part::Plain(accessor));
            }
            Some(self.begin_scope(start, name))
        };
        let function = Function { scope, after: After::Member };
        self.push(Kind::Head { function, has_parameters: true });
        self.push(Kind::Parameters);
    }

    fn expression(&mut self, token: Token) -> Step {
        match token.kind {
            What::Word => return self.expression_word(token),
            What::Private | What::Number | What::Text | What::Regex | What::Template => self.value(token),
            What::TemplateOpen => self.push(Kind::Template),
            What::Mark(mark) => self.mark(mark, token),
            What::Dot | What::End => {}
            What::Spread | What::Star | What::Operator => self.with_top(Frame::want_value),
            What::Question => self.with_top(|top| {
                top.questions += 1;
                top.want_value();
            }),
            What::Assign => {
                let end = self.last_end;
                self.with_top(|top| {
                    top.target = top.chain.map(|start| (start, end)).or(top.target);
                    top.want_value();
                });
            }
            What::Arrow => self.arrow(),
            // Before a value or behind it, that stays as it is.
            What::Step => self.with_top(|top| top.chain = None),
        }
        Step::Taken
    }

    /// A value of one token. A private name behind a dot goes on with a chain.
    fn value(&mut self, token: Token) {
        self.with_top(|top| {
            let chain = top.chain.filter(|_| top.after_dot);
            if top.operand {
                top.value = token.start;
            }
            top.end_value();
            top.chain = chain;
        });
    }

    fn arrow(&mut self) {
        let Some(top) = self.frames.last().copied() else { return };
        let name = context(self.script, &self.frames, None);
        let scope = Some(self.begin_scope(top.value, name));
        let function = Function { scope, after: After::Expression };
        self.push(Kind::Arrow { function, is_fresh: true });
    }

    fn expression_word(&mut self, token: Token) -> Step {
        let Some(top) = self.frames.last().copied() else { return Step::Taken };
        let is_async = top.after_async;
        self.with_top(|top| top.after_async = false);
        if top.after_dot {
            self.value(token);
            return Step::Taken;
        }
        match self.word(token) {
            b"function" => {
                let (start, is_statement) =
                    if is_async { (top.value, top.statement) } else { (token.start, top.statement) };
                self.function(start, is_statement);
            }
            b"class" => self.class(token.start, top.statement),
            b"if" | b"for" | b"while" | b"with" | b"switch" | b"catch" => self.with_top(|top| {
                top.control = true;
                top.operand = true;
                top.statement = top.has_statements();
            }),
            b"else" | b"do" | b"try" | b"finally" | b"export" | b"import" => self.with_top(Frame::end_statement),
            b"var" | b"let" | b"const" => self.with_top(|top| {
                top.end_statement();
                top.statement = false;
            }),
            b"await" if top.control => {}
            b"return" | b"throw" | b"typeof" | b"void" | b"delete" | b"new" | b"in" | b"instanceof" | b"case"
            | b"default" | b"await" | b"yield" => self.with_top(Frame::want_value),
            b"of" if !top.operand => self.with_top(Frame::want_value),
            name => {
                let starts_async = name == b"async" && top.operand;
                self.identifier(token, is_async, starts_async);
            }
        }
        Step::Taken
    }

    fn identifier(&mut self, token: Token, is_async: bool, starts_async: bool) {
        self.with_top(|top| {
            if !is_async {
                top.value = token.start;
            }
            // What `async function` is stands before `async`.
            let statement = top.statement && starts_async;
            top.end_value();
            top.statement = statement;
            top.chain = Some(token.start);
            top.after_async = starts_async;
        });
    }

    fn function(&mut self, start: usize, is_statement: bool) {
        let name = context(self.script, &self.frames, None);
        let scope = Some(self.begin_scope(start, name));
        let after = if is_statement { After::Statement } else { After::Expression };
        self.push(Kind::Head { function: Function { scope, after }, has_parameters: false });
    }

    fn class(&mut self, start: usize, is_statement: bool) {
        let mut name = context(self.script, &self.frames, None);
        if !name.is_empty() {
            name.insert(0, Part::Plain("new "));
        }
        let scope = self.begin_scope(start, name);
        let after = if is_statement { After::Statement } else { After::Expression };
        self.push(Kind::ClassHead { class: Class { scope, name: None, after }, has_heritage: false });
    }

    fn mark(&mut self, mark: u8, token: Token) {
        let Some(top) = self.frames.last().copied() else { return };
        match mark {
            b'(' => {
                self.with_top(|top| {
                    if top.operand {
                        top.value = token.start;
                    }
                    (top.control, top.after_async) = (false, false);
                });
                self.push(Kind::Paren { is_control: top.control });
            }
            b'[' => {
                if top.operand {
                    self.with_top(|top| top.chain = None);
                }
                self.push(Kind::Bracket { is_key: false });
            }
            b'{' => {
                let is_object = top.operand && !top.statement;
                self.push(if is_object { Kind::Object } else { Kind::Block });
            }
            b',' if matches!(top.kind, Kind::Object) => self.with_top(Frame::next_member),
            b';' if matches!(top.kind, Kind::Class { .. }) => self.with_top(Frame::next_member),
            b',' => self.with_top(|top| {
                top.end_statement();
                top.statement = false;
            }),
            b':' if top.questions > 0 => self.with_top(|top| {
                top.questions -= 1;
                top.want_value();
            }),
            // `:` of a label or a `case`.
            b';' | b':' => self.with_top(Frame::end_statement),
            b')' | b']' | b'}' => self.close(token),
            _ => {}
        }
    }

    /// Closes what a bracket closes. Where brackets don't match, `}` closes what is open in its block, and others nothing.
    fn close(&mut self, token: Token) {
        let What::Mark(mark) = token.kind else { return };
        let matches = |frame: &Frame| match mark {
            b')' => matches!(frame.kind, Kind::Paren { .. } | Kind::Parameters),
            b']' => matches!(frame.kind, Kind::Bracket { .. }),
            _ => frame.is_brace(),
        };
        if mark == b'}' {
            while self.frames.len() > 1 && self.frames.last().is_some_and(|top| !top.is_brace()) {
                let open = self.frames.pop();
                self.end_function(open, self.last_end);
            }
        }
        if self.frames.len() < 2 || !self.frames.last().is_some_and(matches) {
            return;
        }
        if self.frames.last().is_some_and(|top| top.kind == Kind::Template)
            && self.tokens.template() == What::TemplateOpen
        {
            self.become_(Kind::Template);
            return;
        }
        let closed = self.frames.pop();
        self.end_function(closed, token.end);
        if let Some(closed) = closed {
            self.with_top(|top| follow(top, &closed));
        }
    }

    fn end_function(&mut self, closed: Option<Frame>, end: usize) {
        match closed.map(|closed| closed.kind) {
            Some(Kind::Body { function } | Kind::Arrow { function, .. } | Kind::Head { function, .. }) => {
                self.end_scope(function.scope, end);
            }
            Some(Kind::Class { class } | Kind::ClassHead { class, .. }) => self.end_scope(Some(class.scope), end),
            _ => {}
        }
    }

    /// Begins a scope, which reaches to the end of the script until its end is known.
    fn begin_scope(&mut self, start: usize, mut name: Vec<Part>) -> usize {
        let end = place(self.script.len());
        self.pieces += name.len();
        if self.pieces > self.script.len() {
            name.clear();
        }
        name.shrink_to_fit();
        self.scopes.push(Scope { start: place(start), end, name });
        self.scopes.len() - 1
    }

    fn end_scope(&mut self, scope: Option<usize>, end: usize) {
        if let Some(scope) = scope.and_then(|scope| self.scopes.get_mut(scope)) {
            scope.end = place(end);
        }
    }

    /// Gives a scope the name that it has itself: a function in the place of the last piece of what it is assigned to, a class
    /// behind that.
    fn call_scope(&mut self, scope: Option<usize>, token: Token) {
        let is_class = self.frames.last().is_some_and(|top| matches!(top.kind, Kind::ClassHead { .. }));
        if let Some(scope) = scope.and_then(|scope| self.scopes.get_mut(scope)) {
            if is_class {
                scope.name.push(Part::Plain(if scope.name.is_empty() { "new " } else { "." }));
            } else {
                scope.name.pop();
            }
            scope.name.push(Part::Token(place(token.start), place(token.end)));
        }
    }
}

/// Whether a token ends the expression that an arrow function, or what a class extends, consists of.
fn ends_expression(top: &Frame, token: Token) -> bool {
    match token.kind {
        What::Mark(b')' | b']' | b'}' | b',' | b';') => true,
        What::Mark(b':') => top.questions == 0,
        _ => false,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
