//! Requests to the simulator's worker, and its answers.

use serde::{Deserialize, Serialize};

/// A request or an answer with the number of the job it belongs to. Answers to a job that nobody
/// waits for any more are told apart by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message<T> {
    /// Number of the job, chosen by the page.
    pub job: u32,
    /// What is said.
    pub body: T,
}

/// What a page may ask. One request at a time; to end one early, the page ends the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Run commands. Answered by an [`Answer::Trace`] for each design, as soon as it is there, and
    /// [`Answer::Done`]; or by an [`Answer::Problem`].
    Run(Job),
    /// Judge commands, for the matrix. Answered by an [`Answer::Cell`] for each design, and
    /// [`Answer::Done`]; or by an [`Answer::Problem`].
    Judge(Job),
    /// Something about programs: an encoded [`crate::program::Ask`]. Answered by one [`Answer::Program`].
    Program(Vec<u8>),
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Id of the scenario it came from; it stands in the traces.
    pub scenario: String,
    /// The commands, as text.
    pub commands: String,
    /// Object files in the order in which they are loaded: of two programs of one name the one
    /// loaded last runs.
    pub objects: Vec<Object>,
    /// Names of the designs.
    pub designs: Vec<String>,
}

/// An object file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Name, as the commands say it.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What the worker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The trace under one design, encoded: the page decodes it when it is shown.
    Trace {
        /// Name of the design.
        design: String,
        /// An encoded `headroom_core::trace::Trace`.
        trace: Vec<u8>,
    },
    /// A cell of the matrix.
    Cell(crate::files::MatrixCell),
    /// An encoded [`crate::program::Reply`]; nothing follows.
    Program(Vec<u8>),
    /// Everything that was asked for has been answered.
    Done,
    /// What is wrong with the input; nothing follows.
    Problem(Problem),
    /// The simulator came upon a mistake of its own and has ended: what it said.
    Broken(String),
}

/// What is wrong with the input, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One sentence.
    pub message: String,
    /// 1-based line of the commands.
    pub line: Option<u32>,
    /// 1-based column.
    pub column: Option<u32>,
}

impl Problem {
    /// A problem of the whole input: the text becomes a sentence.
    #[must_use]
    pub fn whole(text: &str) -> Self {
        Self {
            message: sentence(text),
            line: None,
            column: None,
        }
    }

    /// `Line 3, column 7: `, in front of the message; empty where it has no place.
    #[must_use]
    pub fn place(&self) -> String {
        match (self.line, self.column) {
            (Some(line), Some(column)) => format!("Line {line}, column {column}: "),
            (Some(line), None) => format!("Line {line}: "),
            _ => String::new(),
        }
    }
}

/// Begins with a capital letter, unless with a name (`cut.bpf.o: …`), and ends with a full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let first_word = text.split(' ').next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first_word.chars().all(char::is_alphabetic) => {
            format!("{}{}.", first.to_uppercase(), chars.as_str())
        }
        _ => format!("{text}."),
    }
}
