//! `headroom vm`.

use std::io::Write;
use std::process::ExitCode;

use headroom_core::bpf::vm::{self, VmError};
use headroom_core::bpf::{Budget, parse_hex};

use serde_json::json;

use crate::Format;
use crate::error::CliError;
use crate::input::stdin;

/// Runs a program without a hook; prints r0. A fault of the program is exit code 1.
pub(crate) fn vm(
    memory: Option<&str>,
    program: Option<&str>,
    budget: Budget,
    format: Format,
) -> Result<ExitCode, CliError> {
    let text = match program {
        Some(program) => program.to_owned(),
        None => stdin()?,
    };
    let bytes = |what, text: &str| parse_hex(text).map_err(|error| CliError::Hex { what, error });
    let program = bytes("program", &text)?;
    let memory = bytes("memory", memory.unwrap_or_default())?;
    match (vm::run(&program, memory, budget), format) {
        (Ok(outcome), Format::Json) => {
            let memory: String = outcome.memory.iter().map(|b| format!("{b:02x}")).collect();
            let json = json!({
                "schema": "headroom-vm/1",
                "r0": format!("{:x}", outcome.r0),
                "instructions": outcome.instructions,
                "memory": memory,
            });
            writeln!(std::io::stdout(), "{json}")?;
            Ok(ExitCode::SUCCESS)
        }
        (Ok(outcome), Format::Text) => {
            writeln!(std::io::stdout(), "{:x}", outcome.r0)?;
            Ok(ExitCode::SUCCESS)
        }
        (Err(VmError::Fault { fault }), _) => {
            eprintln!("headroom: {fault}");
            Ok(ExitCode::FAILURE)
        }
        (Err(error), _) => Err(CliError::Vm(error)),
    }
}
