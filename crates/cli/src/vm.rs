//! `headroom vm`.

use std::io::Write;
use std::process::ExitCode;

use headroom_core::bpf::vm::{self, VmError};
use headroom_core::bpf::{Budget, parse_hex};

use crate::error::CliError;
use crate::input::stdin;

/// Runs a program without a hook; prints r0. A fault of the program is exit code 1.
pub(crate) fn vm(
    memory: Option<&str>,
    program: Option<&str>,
    budget: Budget,
) -> Result<ExitCode, CliError> {
    let text = match program {
        Some(program) => program.to_owned(),
        None => stdin()?,
    };
    let bytes = |what, text: &str| parse_hex(text).map_err(|error| CliError::Hex { what, error });
    let program = bytes("program", &text)?;
    let memory = bytes("memory", memory.unwrap_or_default())?;
    match vm::run(&program, memory, budget) {
        Ok(outcome) => {
            writeln!(std::io::stdout(), "{:x}", outcome.r0)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(VmError::Fault { fault }) => {
            eprintln!("headroom: {fault}");
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(CliError::Vm(error)),
    }
}
