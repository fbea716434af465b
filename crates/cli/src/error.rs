//! What goes wrong on the command line: one sentence each, with the place.

use std::path::PathBuf;

use thiserror::Error;

use headroom_core::bpf::vm::VmError;
use headroom_core::bpf::{AsmError, HexError, LoadError};
use headroom_core::net::pcap::PcapError;
use headroom_core::recording::ReadError;
use headroom_core::scenario::{FileError, ParseError};
use headroom_core::simulate::SimulateError;
use headroom_core::stack::ExecError;

/// Bad usage or bad input: exit code 2.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// A file can't be read.
    #[error("{path}: {error}")]
    Read {
        path: PathBuf,
        error: std::io::Error,
    },
    /// A file that should be text is none.
    #[error("{path}: byte {offset} is not text (UTF-8){}", if *object { "; an ELF object goes to `headroom exec --object` or `disasm`" } else { "" })]
    NoText {
        path: PathBuf,
        offset: usize,
        object: bool,
    },
    /// `--map` of another form.
    #[error("--map {entry}: it must be NAME=KEY:VALUE, key and value as hex")]
    MapEntry { entry: String },
    /// A map does not take a value.
    #[error("--map: {0}")]
    Map(headroom_core::bpf::MapError),
    /// A file can't be written.
    #[error("{path}: can't be written: {error}")]
    Write {
        path: PathBuf,
        error: std::io::Error,
    },
    /// Output could not be written.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
    /// Neither a file nor a scenario.
    #[error("there is no scenario `{name}` and no file of that name; scenarios: {known}")]
    NoScenario { name: String, known: String },
    /// No `content` directory.
    #[error(
        "{}no `content/scenarios` here or above; start headroom inside the project, or name a file",
        name.as_ref().map(|name| format!("there is no file `{name}`, and ")).unwrap_or_default()
    )]
    NoContent { name: Option<String> },
    /// A directory without recordings.
    #[error("{path}: no recordings (*.json) here")]
    NoRecordings { path: PathBuf },
    /// A recording of a design that is not simulated.
    #[error("{file}: the design `{design}` is not simulated")]
    NoDesign { file: String, design: String },
    /// A program's source has no object beside it.
    #[error("{file}: program `{program}` needs {object}: {error}")]
    NoObject {
        file: String,
        program: String,
        object: PathBuf,
        error: std::io::Error,
    },
    /// A scenario file is wrong.
    #[error(transparent)]
    Scenario(#[from] FileError),
    /// A recording is wrong.
    #[error(transparent)]
    Recording(#[from] ReadError),
    /// A command is wrong.
    #[error("{file}: {error}")]
    Command {
        file: String,
        error: Box<ParseError>,
    },
    /// A scenario can't be a script.
    #[error("{file}: {error}")]
    Script {
        file: String,
        error: headroom_core::scenario::ScriptError,
    },
    /// An object file is wrong.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The run can't be carried out.
    #[error("{file}, design {design}: {error}")]
    Simulate {
        file: String,
        design: &'static str,
        error: Box<SimulateError>,
    },
    /// `--step` of a name that no step has.
    #[error(
        "--step: the run under {design} has no step `{step}`; names are those of the site's addresses, of `matrix` and of `--why`"
    )]
    NoStep { design: String, step: String },
    /// A run of commands only.
    #[error("{design}: nothing to draw, no packet was sent")]
    NothingToDraw { design: String },
    /// `--step` where nothing is drawn.
    #[error("--step: only --format svg draws a step")]
    StepWithoutPicture,
    /// Several pictures for one standard output.
    #[error(
        "--format svg: {count} designs make {count} files: name one with --design, or a directory with --out"
    )]
    SeveralPictures { count: usize },
    /// Bytes are wrong; `what` names the argument.
    #[error("{what}: {error}")]
    Hex { what: &'static str, error: HexError },
    /// Assembler text is wrong.
    #[error("{file}: {error}")]
    Asm { file: String, error: AsmError },
    /// A capture file is wrong.
    #[error("{file}: {error}")]
    Pcap { file: PathBuf, error: PcapError },
    /// No such program in the object.
    #[error("{file}: there is no program `{program}`; there are: {known}")]
    NoSuchProgram {
        file: String,
        program: String,
        known: String,
    },
    /// No program.
    #[error(
        "{file}: there is no program in it; programs stand in sections such as `xdp` or `tc`, and functions in `.text` are called by them"
    )]
    NoPrograms { file: String },
    /// `--nth` without a capture file.
    #[error("--nth: packets are counted in a pcap file, and --packet is hex")]
    NthOfHex,
    /// Several programs.
    #[error("{file}: --program must name one of its programs: {known}")]
    WhichProgram { file: String, known: String },
    /// A program of another type.
    #[error("program `{program}` (section `{section}`) needs --hook xdp or --hook tc")]
    NoHook { program: String, section: String },
    /// No program at all.
    #[error("one of --object, --asm and --hex is needed")]
    NoProgram,
    /// A program can't be run over a packet.
    #[error(transparent)]
    Exec(Box<ExecError>),
    /// A program without a hook is wrong.
    #[error(transparent)]
    Vm(VmError),
    /// JSON can't be made.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    /// Whether the kernel of a design refuses a program; every other error says nothing about the design.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, CliError::Simulate { error, .. } if error.is_refusal())
    }

    /// Without a place for scenarios: what was looked for, which is no file either.
    pub(crate) fn looking_for(self, name: &str) -> CliError {
        match self {
            CliError::NoContent { .. } => CliError::NoContent {
                name: Some(name.to_owned()),
            },
            error => error,
        }
    }
}
