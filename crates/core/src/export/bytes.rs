//! Bytes as text.

use std::fmt::Write as _;

/// `02000000…`, lower case, nothing between.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

/// Sixteen bytes a line, with the offset of the first one in decimal (as everywhere in Headroom).
#[must_use]
pub fn hex_dump(bytes: &[u8], first: u32) -> String {
    let mut out = String::new();
    for (row, line) in bytes.chunks(16).enumerate() {
        let _ = write!(out, "{:>5} ", first as usize + row * 16);
        for byte in line {
            let _ = write!(out, " {byte:02x}");
        }
        out.push('\n');
    }
    out
}

/// An array in C, twelve bytes a line.
#[must_use]
pub fn c_array(name: &str, bytes: &[u8]) -> String {
    let mut out = format!(
        "static const unsigned char {}[{}] = {{\n",
        identifier(name),
        bytes.len()
    );
    for line in bytes.chunks(12) {
        let items: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x}")).collect();
        let _ = writeln!(out, "\t{},", items.join(", "));
    }
    out.push_str("};\n");
    out
}

/// A name that C takes.
fn identifier(name: &str) -> String {
    let mut out: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert_str(0, "p_");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms() {
        let bytes: Vec<u8> = (0..18).collect();
        assert_eq!(hex(&bytes[..3]), "000102");
        assert_eq!(
            hex_dump(&bytes, 252),
            "  252  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n  268  10 11\n"
        );
        assert_eq!(
            c_array("2nd frame*/", &bytes[..13]),
            "static const unsigned char p_2nd_frame__[13] = {\n\t0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,\n\t0x0c,\n};\n"
        );
    }
}
