//! `headroom list`.

use std::io::Write;
use std::process::ExitCode;

use headroom_core::design::DesignName;

use crate::Format;
use crate::error::CliError;
use crate::input::scenarios;

/// Prints scenarios and designs.
pub(crate) fn list(format: Format) -> Result<ExitCode, CliError> {
    let scenarios = scenarios()?;
    let designs: Vec<_> = DesignName::EVERY
        .iter()
        .map(|design| design.as_str())
        .collect();
    let recorded = DesignName::ALL.map(DesignName::as_str);
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => {
            let scenarios: Vec<_> = scenarios
                .iter()
                .map(|s| serde_json::json!({"id": s.id, "title": s.title}))
                .collect();
            let all = serde_json::json!({"schema": "headroom-list/1", "scenarios": scenarios, "designs": designs, "recorded": recorded});
            writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        }
        Format::Text => {
            writeln!(out, "scenarios")?;
            for scenario in &scenarios {
                writeln!(out, "  {:<12} {}", scenario.id, scenario.title)?;
            }
            writeln!(out, "designs")?;
            for design in DesignName::EVERY {
                let (name, mark) = (design.as_str(), design.mark().words());
                writeln!(out, "  {name:<18} {} ({mark})", design.title())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
