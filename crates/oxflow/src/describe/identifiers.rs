//! The identifiers of `uuid`.

use super::{Form, Scope, Shape};
use crate::shape::Type;

impl Shape for uuid::Uuid {
    const FORM: Form = Form::Text;

    fn describe(_: &mut Scope) -> Type {
        Type::Str
    }
}
