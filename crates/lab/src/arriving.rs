//! Files that arrive: what they are, as far as their first bytes and their names say it, and which page takes them.

/// Ending of the name of an assembler program, behind its type (`mine.tcx.s`).
pub const ASM: &str = ".s";
/// Ending of the name of work that was saved.
pub const SAVED: &str = ".headroom";

/// What a file is, as far as its first bytes say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// A BPF object.
    Object,
    /// A capture.
    Capture,
    /// A recording or a trace.
    Json,
    /// Perhaps work that was saved.
    Other,
}

/// See [`Looks`].
#[must_use]
pub fn looks(bytes: &[u8]) -> Looks {
    let begin = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => Looks::Object,
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0x0a, 0x0d, 0x0d, 0x0a, ..] => Looks::Capture,
        _ if begin == Some(&b'{') => Looks::Json,
        _ => Looks::Other,
    }
}

/// A page that takes files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Objects, assembler, captures and saved work.
    Lab,
    /// Recordings and traces.
    Open,
}

impl Page {
    /// The page that takes a file of this name and beginning; nothing where none knows it.
    #[must_use]
    pub fn of(name: &str, begin: &[u8]) -> Option<Self> {
        let ours = name.ends_with(ASM) || name.ends_with(SAVED);
        match looks(begin) {
            Looks::Object | Looks::Capture => Some(Self::Lab),
            _ if ours => Some(Self::Lab),
            Looks::Json => Some(Self::Open),
            Looks::Other => None,
        }
    }

    /// Whether files that arrive here are all handed over to the other page: it knows some of them, and this one none.
    #[must_use]
    pub fn hands_over(self, files: &[Option<Self>]) -> bool {
        !files.contains(&Some(self)) && files.contains(&Some(self.other()))
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Lab => Self::Open,
            Self::Open => Self::Lab,
        }
    }

    /// Its address.
    #[must_use]
    pub fn address(self) -> &'static str {
        match self {
            Self::Lab => "/lab",
            Self::Open => "/open",
        }
    }

    /// What is said here of a file that is the other page's, where both have some.
    #[must_use]
    pub fn leaves_out(self, name: &str) -> String {
        let why = match self {
            Self::Lab => "it looks like a recording or a trace. Dropped by itself it is opened.",
            Self::Open => "it is no recording. Dropped by itself it goes to the lab.",
        };
        format!("{name} is left out: {why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First bytes: ELF; pcap in both byte orders, with micro- and nanoseconds (pcap-savefile(5)); pcapng's section header.
    #[test]
    fn what_a_file_is_is_said_by_its_bytes_first() {
        let captures: [&[u8]; 5] = [
            b"\xa1\xb2\xc3\xd4..",
            b"\xd4\xc3\xb2\xa1..",
            b"\xa1\xb2\x3c\x4d..",
            b"\x4d\x3c\xb2\xa1..",
            b"\x0a\x0d\x0d\x0a..",
        ];
        for bytes in captures {
            assert_eq!(looks(bytes), Looks::Capture, "{bytes:?}");
            assert_eq!(Page::of("a.json", bytes), Some(Page::Lab));
        }
        assert_eq!(Page::of("a.json", b"\x7fELF"), Some(Page::Lab));
        assert_eq!(Page::of("a.o", b" \n{\"schema\""), Some(Page::Open));
        assert_eq!(Page::of("a.json", b"[1]"), None);
        assert_eq!(Page::of("a.pcap", b""), None);
        // Names say it where bytes do not.
        assert_eq!(Page::of("a.xdp.s", b"r0 = 2"), Some(Page::Lab));
        assert_eq!(Page::of("a.headroom", b"1abc"), Some(Page::Lab));
    }

    /// Files go to the other page only together, and never back: there is no pair of pages that both hand them over.
    #[test]
    fn files_go_on_where_nothing_is_for_this_page() {
        let (lab, open) = (Some(Page::Lab), Some(Page::Open));
        for (files, from_lab, from_open) in [
            (&[lab, lab][..], false, true),
            (&[open], true, false),
            (&[lab, open], false, false),
            (&[open, None, lab], false, false),
            (&[None, open], true, false),
            (&[lab, None], false, true),
            (&[None], false, false),
            (&[], false, false),
        ] {
            assert_eq!(Page::Lab.hands_over(files), from_lab, "{files:?}");
            assert_eq!(Page::Open.hands_over(files), from_open, "{files:?}");
        }
    }
}
