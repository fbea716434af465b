//! A program as written and as the kernel runs it, line by line.

/// One instruction of a [`Listing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingLine {
    /// Kernel-style text, such as `r2 = *(u64 *)(r1 +200)`.
    pub text: String,
    /// Index of the instruction as written; `None` for an instruction of the prologue.
    pub written: Option<usize>,
    /// The text as written, when the fix-up changed it.
    pub written_text: Option<String>,
    /// A remark: `prologue`, `ctx->data_meta, rewritten`.
    pub note: Option<String>,
    /// 1-based line in the C source, if the object has line info.
    pub c_line: Option<u32>,
}

/// A program as the kernel runs it under one design.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Program name, such as `get_tag`.
    pub program: String,
    /// Section name, such as `tcx/ingress`.
    pub section: String,
    /// One line an instruction; `lddw` takes one line, and two slots of jump distance.
    pub lines: Vec<ListingLine>,
    /// C source as far as the object's line info holds it: (1-based line number, text).
    pub source: Vec<(u32, String)>,
    /// Name of the source file.
    pub source_file: Option<String>,
}
