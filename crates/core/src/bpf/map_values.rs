//! A [`Leaf`] of a key or value as text, and a text as its bytes. Little endian, as on the recorded machine.

use super::map_types::{Form, Leaf};

impl Leaf {
    /// Where its bytes are, if it begins and ends at bytes.
    fn bytes<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let whole = self.offset_bits.is_multiple_of(8) && self.size_bits.is_multiple_of(8);
        let start = (self.offset_bits / 8) as usize;
        let end = start.checked_add((self.size_bits / 8) as usize)?;
        value.get(start..end).filter(|_| whole)
    }

    /// Its bits as a number; nothing for more than 64, or where the value is too short.
    #[must_use]
    pub fn bits(&self, value: &[u8]) -> Option<u64> {
        if self.size_bits == 0 || self.size_bits > 64 {
            return None;
        }
        let mut out = 0;
        for bit in 0..self.size_bits {
            let at = self.offset_bits.checked_add(bit)?;
            let byte = value.get((at / 8) as usize)?;
            out |= u64::from(byte >> (at % 8) & 1) << bit;
        }
        Some(out)
    }

    /// As text: `42`, `-1`, `true`, `"eth0"`, `0xffff…`, or bytes in hex. Nothing where the value is too short.
    #[must_use]
    pub fn text(&self, value: &[u8]) -> Option<String> {
        if matches!(self.form, Form::Text | Form::Bytes) {
            let bytes = self.bytes(value)?;
            return Some(if self.form == Form::Text {
                quoted(bytes)
            } else {
                hex(bytes)
            });
        }
        let Some(bits) = self.bits(value) else {
            return self.bytes(value).map(hex);
        };
        Some(match self.form {
            Form::Signed => {
                let shift = 64 - self.size_bits;
                (((bits << shift) as i64) >> shift).to_string()
            }
            Form::Bool if bits < 2 => (bits == 1).to_string(),
            Form::Pointer => format!("{bits:#x}"),
            _ => bits.to_string(),
        })
    }

    /// Puts a text in its place: a number (`42`, `-1`, `0x2a`), `true` or `false`, a text in quotes, bytes as pairs
    /// of hex digits.
    ///
    /// # Errors
    /// What is wrong, as a sentence; nothing is changed then.
    pub fn put(&self, text: &str, value: &mut [u8]) -> Result<(), String> {
        let text = text.trim();
        match self.form {
            Form::Text if text.starts_with('"') => {
                let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
                let inner = inner.ok_or("The text has no quote at its end.")?;
                self.place(inner.as_bytes(), value)
            }
            Form::Text | Form::Bytes => self.place(&from_hex(text)?, value),
            Form::Bool if matches!(text, "true" | "false") => {
                self.put_bits(u64::from(text == "true"), value)
            }
            _ if self.size_bits > 64 => self.place(&from_hex(text)?, value),
            _ => self.put_bits(self.number(text)?, value),
        }
    }

    fn number(&self, text: &str) -> Result<u64, String> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let magnitude = match digits.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => digits.parse::<u64>().ok(),
        };
        let magnitude = magnitude.ok_or_else(|| format!("“{text}” is no number."))?;
        let bits = self.size_bits.min(64);
        let most = u64::MAX >> (64 - bits);
        let fits = if negative {
            self.form == Form::Signed && magnitude <= 1 << (bits - 1)
        } else {
            // 0xff may be written into a signed byte too.
            magnitude <= most
        };
        if !fits {
            let sign = if self.form == Form::Signed {
                "signed "
            } else {
                ""
            };
            return Err(format!("{text} does not fit into {bits} {sign}bits."));
        }
        let number = if negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        };
        Ok(number & most)
    }

    fn put_bits(&self, bits: u64, value: &mut [u8]) -> Result<(), String> {
        let end = self.offset_bits.checked_add(self.size_bits);
        if end.is_none_or(|end| end as usize > value.len() * 8) {
            return Err("The value is too short for it.".into());
        }
        for bit in 0..self.size_bits {
            let at = self.offset_bits + bit;
            let byte = &mut value[(at / 8) as usize];
            let mask = 1 << (at % 8);
            *byte = if bits >> bit & 1 == 1 {
                *byte | mask
            } else {
                *byte & !mask
            };
        }
        Ok(())
    }

    /// Bytes, filled up with zeros.
    fn place(&self, bytes: &[u8], value: &mut [u8]) -> Result<(), String> {
        let (start, size) = (
            (self.offset_bits / 8) as usize,
            (self.size_bits / 8) as usize,
        );
        if bytes.len() > size {
            return Err(format!("These are {} bytes; it has {size}.", bytes.len()));
        }
        let end = start.saturating_add(size);
        let target = value
            .get_mut(start..end)
            .ok_or("The value is too short for it.")?;
        target.fill(0);
        target[..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

/// A text of C, without the zeros at its end; bytes in hex where it is none.
fn quoted(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    let plain = |byte: &u8| (0x20..0x7f).contains(byte) && *byte != b'"';
    match bytes.get(..end) {
        Some(text) if text.iter().all(plain) => format!("\"{}\"", String::from_utf8_lossy(text)),
        _ => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    let all: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    all.join(" ")
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    super::parse_hex(text).map_err(|error| error.to_string())
}
