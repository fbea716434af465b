//! The text form: `ethernet / vlan id=7 / ipv4 saddr=10.0.0.2 / icmp / payload 6162`.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::{Form, Kind, Layer, MAX_LAYERS, Spec};

/// A text that describes no packet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("column {column}: {what}")]
pub struct TextError {
    /// 1-based column, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// Reads a value of a field.
///
/// # Errors
/// A clause that says what would fit.
pub fn read_value(spec: &Spec, text: &str) -> Result<u128, String> {
    let number = || match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if !digits.starts_with('+') => u128::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    };
    let (value, wants) = match spec.form {
        Form::Decimal | Form::Hex => (number(), "a number"),
        Form::Mac => (mac(text), "an address like 02:00:00:00:00:01"),
        Form::V4 => (
            text.parse::<Ipv4Addr>().ok().map(|a| u32::from(a).into()),
            "an address like 10.0.0.1",
        ),
        Form::V6 => (
            text.parse::<Ipv6Addr>().ok().map(u128::from),
            "an address like fc00::1",
        ),
    };
    let value =
        value.ok_or_else(|| format!("“{text}” is no {}; {} is {wants}", spec.name, spec.name))?;
    if spec.bits < 128 && value >> spec.bits != 0 {
        let most = (1u128 << spec.bits) - 1;
        return Err(format!("{} is {text}, at most {most} fits", spec.name));
    }
    Ok(value)
}

fn mac(text: &str) -> Option<u128> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() != 6 {
        return None;
    }
    parts.iter().try_fold(0, |value, part| {
        let digits = (1..=2).contains(&part.len()) && !part.starts_with('+');
        let byte = digits.then(|| u8::from_str_radix(part, 16).ok())??;
        Some(value << 8 | u128::from(byte))
    })
}

/// Writes a value as [`read_value`] reads it.
#[must_use]
pub fn print_value(spec: &Spec, value: u128) -> String {
    match spec.form {
        Form::Decimal => value.to_string(),
        Form::Hex => format!("0x{value:0width$x}", width = spec.bits.div_ceil(4)),
        Form::Mac => {
            let bytes = value.to_be_bytes();
            let parts: Vec<String> = bytes[10..].iter().map(|b| format!("{b:02x}")).collect();
            parts.join(":")
        }
        Form::V4 => Ipv4Addr::from(value as u32).to_string(),
        Form::V6 => Ipv6Addr::from(value).to_string(),
    }
}

/// Writes layers as text.
#[must_use]
pub fn print(layers: &[Layer]) -> String {
    let mut out = String::new();
    for (index, layer) in layers.iter().enumerate() {
        if index > 0 {
            out.push_str(" / ");
        }
        out.push_str(layer.kind.word());
        for spec in layer.kind.fields() {
            if let Some(value) = layer.given(spec.name) {
                let _ = write!(out, " {}={}", spec.name, print_value(spec, value));
            }
        }
        if !layer.bytes.is_empty() {
            out.push_str(if layer.kind == Kind::Payload {
                " "
            } else {
                " options="
            });
            for byte in &layer.bytes {
                let _ = write!(out, "{byte:02x}");
            }
        }
    }
    out
}

/// Reads layers from text.
///
/// # Errors
/// The first word that does not fit, with its column.
pub fn parse(text: &str) -> Result<Vec<Layer>, TextError> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut open = true;
    for (column, word) in words(text) {
        let wrong = |what: String| TextError { column, what };
        if word == "/" {
            if open {
                return Err(wrong("a layer is missing in front of the /".into()));
            }
            open = true;
            continue;
        }
        if open {
            let known = Kind::ALL.into_iter().find(|kind| kind.word() == word);
            let kind = known.ok_or_else(|| {
                let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
                wrong(format!(
                    "“{word}” is no layer; there are {}",
                    all.join(", ")
                ))
            })?;
            if layers.len() == MAX_LAYERS {
                return Err(wrong(format!("more than {MAX_LAYERS} layers")));
            }
            layers.push(Layer::new(kind));
            open = false;
            continue;
        }
        if let Some(layer) = layers.last_mut() {
            take_word(layer, word).map_err(wrong)?;
        }
    }
    if open && !layers.is_empty() {
        let column = text.chars().count() + 1;
        let what = "a layer is missing behind the /".into();
        return Err(TextError { column, what });
    }
    Ok(layers)
}

fn take_word(layer: &mut Layer, word: &str) -> Result<(), String> {
    let kind = layer.kind;
    let (name, value) = match word.split_once('=') {
        Some(pair) => pair,
        None if kind == Kind::Payload => ("options", word),
        None => return Err(format!("“{word}” does not fit; a field is name=value")),
    };
    if name == "options" && kind.most_bytes() > 0 {
        let more = hex(value)?;
        layer.bytes.extend(more);
        let (len, most) = (layer.bytes.len(), kind.most_bytes());
        return if len > most {
            Err(format!("{len} bytes, at most {most} fit"))
        } else {
            Ok(())
        };
    }
    let spec = kind.fields().iter().find(|spec| spec.name == name);
    let spec = spec.ok_or_else(|| {
        let all: Vec<&str> = kind.fields().iter().map(|spec| spec.name).collect();
        format!(
            "{} has no field “{name}”; it has {}",
            kind.word(),
            all.join(", ")
        )
    })?;
    let value = read_value(spec, value)?;
    layer.give(name, Some(value));
    Ok(())
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text
        .chars()
        .enumerate()
        .map(|(at, c)| {
            c.to_digit(16)
                .map(|digit| digit as u8)
                .ok_or_else(|| format!("digit {} of the hex is “{c}”", at + 1))
        })
        .collect::<Result<_, _>>()?;
    if !digits.len().is_multiple_of(2) {
        return Err(format!(
            "{} hex digits, expected an even number",
            digits.len()
        ));
    }
    Ok(digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

/// Words with their 1-based columns; a `/` is a word by itself where blanks stand around it.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut start: Option<(usize, usize)> = None;
    for (column, (at, c)) in (1..).zip(text.char_indices()) {
        match (start, c.is_whitespace()) {
            (None, false) => start = Some((column, at)),
            (Some((first, from)), true) => {
                out.push((first, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    if let Some((first, from)) = start {
        out.push((first, &text[from..]));
    }
    out
}
