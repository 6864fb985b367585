//! Dates and times of `chrono` and `time`.

use super::{Form, Scope, Shape};
use crate::shape::Type;

macro_rules! texts {
    ($($type:ty),+ $(,)?) => {$(
        impl Shape for $type {
            const FORM: Form = Form::Text;

            fn describe(_: &mut Scope) -> Type {
                Type::Str
            }
        }
    )+};
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use super::{Form, Scope, Shape, Type};
    use chrono::{DateTime, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday};

    texts!(NaiveDate, NaiveDateTime, NaiveTime, Month, Weekday);

    impl<Z: TimeZone> Shape for DateTime<Z> {
        const FORM: Form = Form::Text;

        fn describe(_: &mut Scope) -> Type {
            Type::Str
        }
    }

    /// Seconds and nanoseconds.
    impl Shape for TimeDelta {
        fn describe(_: &mut Scope) -> Type {
            Type::Tuple(vec![Type::Int, Type::Int])
        }
    }
}

/// With its feature `serde-human-readable`, which oxflow's feature turns on: without it `time` writes lists of numbers.
#[cfg(feature = "time")]
mod of_time {
    use super::{Form, Scope, Shape, Type};
    use time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset, Weekday};

    texts!(Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset, Weekday);
}
