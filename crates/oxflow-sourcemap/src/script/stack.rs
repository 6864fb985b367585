//! What is open at a place of a script: brackets, functions, classes; and what a function that begins there is called.

use super::names::{Part, chain, place};

/// A bracket, function or class that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The script, a block, the body of a `switch`.
    Block,
    /// `(`; `is_control` behind `if`, `for` and the like, where a statement follows.
    Paren {
        is_control: bool,
    },
    /// `[`; or the computed key of a member.
    Bracket {
        is_key: bool,
    },
    /// `${` in a template.
    Template,
    Object,
    /// The body of a class.
    Class {
        class: Class,
    },
    /// `class`, as far as its body.
    ClassHead {
        class: Class,
        has_heritage: bool,
    },
    /// A function as far as its body.
    Head {
        function: Function,
        has_parameters: bool,
    },
    Parameters,
    /// The body of a function.
    Body {
        function: Function,
    },
    /// An arrow function whose body is an expression, or not yet known to be a block.
    Arrow {
        function: Function,
        is_fresh: bool,
    },
}

/// A function: which scope it is, if it has one of its own, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) scope: Option<usize>,
    pub(super) after: After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) scope: usize,
    pub(super) name: Option<(u32, u32)>,
    pub(super) after: After,
}

/// What comes behind a function or class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Statement,
    /// The rest of the expression.
    Expression,
    Member,
}

/// The key of a member of an object or class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// An identifier, private or not.
    Word(usize, usize),
    /// A text or number.
    Literal(usize, usize),
    Computed,
}

/// What is known of a member that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Member {
    /// Its value is being read, not its key.
    pub(super) in_value: bool,
    pub(super) key: Option<Key>,
    /// `get ` or `set `.
    pub(super) accessor: Option<&'static str>,
    /// Where its first token is.
    pub(super) start: Option<usize>,
}

/// One that is open, and where its contents have come to.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what may come next and what came last, each by itself")]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// A value may begin here.
    pub(super) operand: bool,
    /// A statement may begin here.
    pub(super) statement: bool,
    /// `?` whose `:` did not come yet.
    pub(super) questions: u32,
    /// Where the chain of members begins that was read last.
    pub(super) chain: Option<usize>,
    /// What is being assigned to: from where to where.
    pub(super) target: Option<(usize, usize)>,
    /// Where the value begins that was read last: the parameters, if it is an arrow function's.
    pub(super) value: usize,
    pub(super) after_dot: bool,
    pub(super) after_async: bool,
    /// The next `(` is that of `if` or the like.
    pub(super) control: bool,
    pub(super) member: Member,
}

impl Frame {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            operand: true,
            statement: matches!(kind, Kind::Block | Kind::Body { .. }),
            questions: 0,
            chain: None,
            target: None,
            value: 0,
            after_dot: false,
            after_async: false,
            control: false,
            member: Member::default(),
        }
    }

    pub(super) fn has_statements(&self) -> bool {
        matches!(self.kind, Kind::Block | Kind::Body { .. })
    }

    /// Whether the key of a member is being read.
    pub(super) fn in_key(&self) -> bool {
        matches!(self.kind, Kind::Object | Kind::Class { .. }) && !self.member.in_value
    }

    /// Whether it is closed by `}`.
    pub(super) fn is_brace(&self) -> bool {
        matches!(self.kind, Kind::Block | Kind::Object | Kind::Class { .. } | Kind::Body { .. } | Kind::Template)
    }

    /// A value was read.
    pub(super) fn end_value(&mut self) {
        self.operand = false;
        self.statement = false;
        self.chain = None;
    }

    /// A value must follow.
    pub(super) fn want_value(&mut self) {
        self.operand = true;
        self.statement = false;
        self.chain = None;
    }

    /// A statement, member or element of a list ends.
    pub(super) fn end_statement(&mut self) {
        self.want_value();
        self.statement = self.has_statements();
        self.target = None;
        self.questions = 0;
    }

    /// What `after` says comes next.
    pub(super) fn go_on(&mut self, after: After) {
        match after {
            After::Statement => self.end_statement(),
            After::Expression => self.end_value(),
            After::Member => self.next_member(),
        }
    }

    pub(super) fn next_member(&mut self) {
        self.end_statement();
        self.member = Member::default();
    }
}

/// What a frame goes on with behind one that was closed in it.
pub(super) fn follow(top: &mut Frame, closed: &Frame) {
    match closed.kind {
        Kind::Paren { is_control: true } => {
            top.operand = true;
            top.statement = true;
        }
        Kind::Block if matches!(top.kind, Kind::Class { .. }) => top.next_member(),
        Kind::Block => top.end_statement(),
        Kind::Body { function } => top.go_on(function.after),
        Kind::Class { class } => top.go_on(class.after),
        Kind::Bracket { is_key: true } => {
            top.member.key = Some(Key::Computed);
        }
        Kind::Bracket { .. } => {
            let chain = top.chain;
            top.end_value();
            top.chain = chain;
        }
        Kind::Parameters => {}
        _ => top.end_value(),
    }
}

/// The pieces of a key.
pub(super) fn key_parts(key: Key) -> Vec<Part> {
    match key {
        Key::Word(start, end) => vec![Part::Token(place(start), place(end))],
        Key::Literal(start, end) => {
            vec![Part::Plain("<"), Part::Written(place(start), place(end)), Part::Plain(">")]
        }
        Key::Computed => vec![Part::Plain("<computed>")],
    }
}

/// What a function is called by where it stands: what it is assigned to, the members of objects and classes that it is in;
/// `own` is its own key. Nothing is taken from around the function that it stands in.
pub(super) fn context(script: &[u8], frames: &[Frame], own: Option<Key>) -> Vec<Part> {
    /// A name of more levels says no more.
    const MOST: usize = 32;
    let mut groups: Vec<Vec<Part>> = own.map(key_parts).into_iter().collect();
    let mut in_object = false;
    for frame in frames.iter().rev().take(MOST) {
        if let Some((start, end)) = frame.target {
            groups.push(chain(script, start, end));
            in_object = false;
            break;
        }
        match frame.kind {
            Kind::Object => {
                in_object = true;
                groups.extend(key_of_value(frame));
            }
            Kind::Class { class } => {
                groups.extend(key_of_value(frame));
                groups.extend(class.name.map(|(start, end)| vec![Part::Token(start, end)]));
                if class.name.is_some() && class.after == After::Statement {
                    in_object = false;
                    break;
                }
            }
            Kind::Head { .. } | Kind::Parameters | Kind::Body { .. } | Kind::Arrow { .. } => break,
            _ => {}
        }
    }
    if in_object && !groups.is_empty() {
        groups.push(vec![Part::Plain("<object>")]);
    }
    groups.reverse();
    groups.join(&Part::Plain("."))
}

/// The identifier that a value belongs to.
fn key_of_value(frame: &Frame) -> Option<Vec<Part>> {
    match frame.member.key.filter(|_| frame.member.in_value)? {
        key @ Key::Word(..) => Some(key_parts(key)),
        Key::Literal(..) | Key::Computed => None,
    }
}
