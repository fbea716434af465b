//! What a file that is nothing of ours looks like: it is said to whoever dropped it.

/// Beginnings that are known, with words.
const KNOWN: [(&[u8], &str); 17] = [
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an office document)"),
    (b"\x1f\x8b", "a gzip file: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd file: unpack it first"),
    (b"\xfd7zXZ\0", "an xz file: unpack it first"),
    (b"BZh", "a bzip2 file: unpack it first"),
    (b"\0asm", "a WebAssembly module"),
    (
        b"BC\xc0\xde",
        "LLVM bitcode: let clang write an object (-c)",
    ),
    (b"MZ", "a Windows program"),
    (b"snoop\0\0\0", "a snoop capture: save it as pcap"),
    (b"btsnoop\0", "a Bluetooth capture"),
    (b"#!", "a script"),
    (b"<", "HTML or XML"),
    (b"[", "a JSON list"),
];

/// In a few words, what the bytes seem to be.
#[must_use]
pub fn looks_like(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "an empty file".to_owned();
    }
    let known = KNOWN.iter().find(|(begin, _)| bytes.starts_with(begin));
    if let Some((_, words)) = known {
        return (*words).to_owned();
    }
    let begin = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let text = match std::str::from_utf8(begin) {
        Ok(text) => Some(text),
        // A character that is cut at the end.
        Err(error) if begin.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&begin[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.filter(|text| !text.is_empty() && !text.contains(control)) {
        Some(text) => format!("text that begins with “{}”", first_words(text)),
        None => {
            let begin: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
            format!("bytes that begin with {}", begin.join(" "))
        }
    }
}

/// The beginning of the first line that has something on it.
fn first_words(text: &str) -> String {
    const MOST: usize = 32;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default();
    if line.chars().count() <= MOST {
        return line.to_owned();
    }
    line.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_files() {
        for (bytes, words) in [
            (&b""[..], "an empty file"),
            (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
            (b"<img src=x>", "HTML or XML"),
            (
                b"\nint main(void)\n{",
                "text that begins with “int main(void)”",
            ),
            (b"\x00\x01\x02\x03\x04", "bytes that begin with 00 01 02 03"),
            (b"\xff", "bytes that begin with ff"),
            (b" \n", "text that begins with “”"),
        ] {
            assert_eq!(looks_like(bytes), words);
        }
        let long = looks_like("ä".repeat(600).as_bytes());
        assert_eq!(long, format!("text that begins with “{}…”", "ä".repeat(32)));
    }
}
