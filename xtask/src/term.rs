//! What goes to the terminal: colour and a line that is rewritten, both only where a person looks.

use std::io::{IsTerminal, Write};
use std::time::Duration;

/// True when standard output is a terminal.
pub fn is_tty() -> bool {
    std::io::stdout().is_terminal()
}

fn coloured() -> bool {
    is_tty() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

fn paint(code: &str, text: &str) -> String {
    if coloured() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_string()
    }
}

/// Emphasised text.
pub fn bold(text: &str) -> String {
    paint("1", text)
}

/// Text for what went well.
pub fn green(text: &str) -> String {
    paint("32", text)
}

/// Text for what went wrong.
pub fn red(text: &str) -> String {
    paint("31", text)
}

/// Text for what was left out.
pub fn yellow(text: &str) -> String {
    paint("33", text)
}

/// Prints `text` over the current line of a terminal. Does nothing elsewhere.
pub fn rewrite_line(text: &str) {
    if !is_tty() {
        return;
    }
    let columns: usize = std::env::var("COLUMNS")
        .ok()
        .and_then(|c| c.parse().ok())
        .unwrap_or(80);
    let text: String = text.chars().take(columns.saturating_sub(1)).collect();
    print!("\r\x1b[2K{text}");
    flush();
}

/// Empties the line that [`rewrite_line`] wrote.
pub fn clear_line() {
    if is_tty() {
        print!("\r\x1b[2K");
        flush();
    }
}

/// A closed pipe at the other end is no reason to fail.
fn flush() {
    let _ = std::io::stdout().flush();
}

/// `7.3 s`, `3 min 05 s`.
pub fn time(d: Duration) -> String {
    let seconds = d.as_secs_f64();
    if seconds < 59.95 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(time(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(time(Duration::from_millis(59_990)), "1 min 00 s");
        assert_eq!(time(Duration::from_secs(185)), "3 min 05 s");
    }
}
