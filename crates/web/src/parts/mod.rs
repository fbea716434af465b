//! Components: data in, picture out.

pub mod bytes;
pub mod calls;
pub mod chips;
pub mod commands;
pub mod controls;
mod digits;
pub mod fields;
pub mod finder;
pub mod header;
pub mod life;
mod listing;
mod next;
pub mod path_strip;
pub mod program;
pub mod prose;
pub mod ribbon;
pub mod say;
pub mod stage;
pub mod stepper;
pub mod text_view;
pub mod timeline;
pub mod verdicts;
#[cfg(feature = "views")]
mod views;

#[cfg(feature = "views")]
pub use self::views::{part, sig};

/// Appends a whole number, without the formatting machinery.
pub(crate) fn push_number(out: &mut String, number: i64) {
    let (mut digits, mut rest) = ([0u8; 20], number.unsigned_abs());
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// A length for an SVG attribute.
pub fn px(length: f64) -> String {
    fixed(length)
}

/// A number with at most three digits behind the point. (The formatting of floating-point numbers
/// that Rust brings takes eleven kilobytes of the module.)
pub fn fixed(number: f64) -> String {
    let thousandths = (number * 1000.0).round() as i64;
    let (whole, rest) = (
        thousandths.unsigned_abs() / 1000,
        thousandths.unsigned_abs() % 1000,
    );
    let sign = if thousandths < 0 { "-" } else { "" };
    match rest {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{rest:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::fixed;

    #[test]
    fn numbers_have_at_most_three_digits_behind_the_point() {
        let cases = [
            (0.0, "0"),
            (-0.0001, "0"),
            (12.5, "12.500"),
            (-3.25, "-3.250"),
            (0.0505, "0.051"),
            (-0.5, "-0.500"),
            (1140.0, "1140"),
        ];
        for (number, text) in cases {
            assert_eq!(fixed(number), text, "{number}");
        }
    }
}
