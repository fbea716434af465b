//! `headroom coverage`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use headroom_core::coverage::{Seen, markdown};

use crate::error::CliError;
use crate::input;

/// Prints what is covered, from the code and the recordings of a directory; without one, of both that the project has.
pub(crate) fn coverage(dir: Option<&Path>) -> Result<ExitCode, CliError> {
    let dirs: Vec<PathBuf> = match dir {
        Some(dir) => vec![dir.into()],
        None => {
            let content = input::content()?;
            let own = |name: &str| content.join("../tests").join(name);
            vec![own("recordings"), own("recordings-own")]
        }
    };
    let mut recordings = Vec::new();
    for dir in dirs {
        for file in input::json_files(&dir)? {
            let text = input::read_text(&file)?;
            recordings.push(Seen::read(&text)?);
        }
    }
    std::io::stdout()
        .lock()
        .write_all(markdown(&recordings).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
