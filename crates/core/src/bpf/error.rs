//! Why an object or a program is refused.

use thiserror::Error;

/// An object that cannot be read, or a program that Linux's verifier would refuse.
/// Each names the place: file, section and byte offset, or program and instruction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The file is not a little-endian 64-bit BPF ELF object, or is cut off.
    #[error("{file}: not a BPF object: {why}")]
    NotAnObject {
        /// Name of the file as given by the caller.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// Assembler that is none.
    #[error("{file}: {error}")]
    Assembler {
        /// Name of the file as given by the caller.
        file: String,
        /// What is wrong with it, and where.
        error: super::AsmError,
    },
    /// A part of the object does not make sense.
    #[error("{file}: section {section}, offset {offset:#x}: {why}")]
    Section {
        /// Name of the file.
        file: String,
        /// Name of the ELF section.
        section: String,
        /// Bytes from the start of the section.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// The verifier would refuse this instruction; `why` is in the verifier's words where it has any.
    #[error("{file}: program {program}, instruction {insn}: {why}")]
    Refused {
        /// Name of the file.
        file: String,
        /// Name of the program.
        program: String,
        /// Index of the instruction as written.
        insn: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A program whose section names no type that the simulator has.
    #[error(
        "{file}: program {program}: section {section} names no program type that the simulator has; to run it, say at which hook"
    )]
    ProgramType {
        /// Name of the file.
        file: String,
        /// Name of the program.
        program: String,
        /// Name of the section.
        section: String,
    },
    /// A map that cannot be created.
    #[error("{file}: map {map}: {why}")]
    Map {
        /// Name of the file.
        file: String,
        /// Name of the map.
        map: String,
        /// What is wrong with it.
        why: String,
    },
}
