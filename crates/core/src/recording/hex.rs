//! Bytes as lower-case hex strings in JSON.

use serde::{Deserialize, Deserializer, Serializer, de};

/// Lower-case hex.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// Bytes of a hex string; what is wrong otherwise.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let digit = |(offset, byte): (usize, u8)| {
        char::from(byte)
            .to_digit(16)
            .map(|d| d as u8)
            .ok_or_else(|| format!("bad hex digit at offset {offset}"))
    };
    let digits = text
        .bytes()
        .enumerate()
        .map(digit)
        .collect::<Result<Vec<u8>, String>>()?;
    if digits.len() % 2 == 1 {
        return Err(format!("an odd number of hex digits ({})", digits.len()));
    }
    Ok(digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect())
}

/// For `#[serde(with)]`.
pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(bytes))
}

/// For `#[serde(with)]`.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    decode(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}
