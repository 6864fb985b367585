//! Amounts with units, as Kubernetes writes them: `500m`, `2`, `1e3`, `200Gi`, and with the byte that people add: `200GiB`, `5MB`.

/// What a text with an optional unit amounts to, or `None` if it is no such text. Signs and what is not finite are left to the
/// caller, who knows whose amount it is.
///
/// ```
/// assert_eq!(oxflow_scheduler::quantity("500m"), Some(0.5));
/// assert_eq!(oxflow_scheduler::quantity("2GiB"), Some(2.0 * 1024.0 * 1024.0 * 1024.0));
/// assert_eq!(oxflow_scheduler::quantity("2 apples"), None);
/// ```
pub fn quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = number_ends(text);
    let (number, unit) = text.split_at_checked(end)?;
    // `f64` also reads "inf" and "nan", which have no digit.
    if !number.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    match factor(unit.trim_start())? {
        // A division by a power of ten is rounded once; its reciprocal is rounded before.
        Factor::Times(factor) => Some(number * factor),
        Factor::Over(divisor) => Some(number / divisor),
    }
}

enum Factor {
    Times(f64),
    Over(f64),
}

fn factor(unit: &str) -> Option<Factor> {
    let unit = match unit {
        "B" => "",
        unit if unit.len() > 1 => unit.strip_suffix('B').unwrap_or(unit),
        unit => unit,
    };
    Some(Factor::Times(match unit {
        "" => 1.0,
        "n" => return Some(Factor::Over(1e9)),
        "u" => return Some(Factor::Over(1e6)),
        "m" => return Some(Factor::Over(1e3)),
        "k" | "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "Pi" => 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "Ei" => 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    }))
}

/// Where the number of a quantity ends. An `e` belongs to it only before digits: `1e3`, but `1E` is a unit.
fn number_ends(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let sign = |at: usize| usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
    let mut end = sign(0);
    end += digits(end);
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = sign(end + 1);
        let power = digits(end + 1 + signed);
        if power > 0 {
            end += 1 + signed + power;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn units_are_those_of_kubernetes_with_or_without_the_byte() {
        for (text, expected) in [
            ("0", 0.0),
            ("2", 2.0),
            (" 2.5 ", 2.5),
            (".5", 0.5),
            ("1e3", 1000.0),
            ("1E3", 1000.0),
            ("1E", 1e18),
            ("500m", 0.5),
            ("1n", 1e-9),
            ("250u", 250e-6),
            ("3k", 3000.0),
            ("5MB", 5e6),
            ("7B", 7.0),
            ("200GiB", 214_748_364_800.0),
            ("200Gi", 214_748_364_800.0),
            ("1 TiB", 1_099_511_627_776.0),
            ("-1", -1.0),
        ] {
            assert_eq!(Some(expected), quantity(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", " ", "GiB", "nan", "inf", "-inf", "1.2.3", "1 2", "1ib", "1mB x", "0x10", "1_000", "é", "1é"]
        {
            assert_eq!(None, quantity(text), "{text}");
        }
    }
}
