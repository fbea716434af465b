//! One stage of the test run: a command, what it printed, how long it took and what came of it.

use crate::report::Counts;
use crate::term;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How a finished command looked.
pub struct Output {
    /// It ended by itself with exit code 0.
    pub success: bool,
    /// What it printed, both streams, in the order in which the lines came.
    pub lines: Vec<String>,
}

impl Output {
    /// The output of a command that could not even be started.
    fn not_started(command: &Command, error: &std::io::Error) -> Self {
        let program = command.get_program().to_string_lossy();
        let line = if error.kind() == std::io::ErrorKind::NotFound {
            format!("{program} is not installed, or not on the PATH")
        } else {
            format!("{program} could not be started: {error}")
        };
        Self {
            success: false,
            lines: vec![line],
        }
    }
}

/// Runs `command` to its end. `each` sees every line as it comes; `tick` is called about once a
/// second, lines or not.
pub fn run(
    command: &mut Command,
    mut each: impl FnMut(&str),
    mut tick: impl FnMut(&str),
) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Output::not_started(command, &error),
    };
    let (sender, receiver) = mpsc::channel();
    let readers = [
        child
            .stdout
            .take()
            .map(|stream| read_lines(stream, sender.clone())),
        child
            .stderr
            .take()
            .map(|stream| read_lines(stream, sender.clone())),
    ];
    drop(sender);

    let mut lines: Vec<String> = Vec::new();
    let mut last_tick = Instant::now();
    loop {
        match receiver.recv_timeout(Duration::from_millis(500)) {
            Ok(line) => {
                each(&line);
                lines.push(line);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if last_tick.elapsed() >= Duration::from_secs(1) {
            last_tick = Instant::now();
            tick(lines.last().map_or("", String::as_str));
        }
    }
    for reader in readers.into_iter().flatten() {
        // A reader has nothing that could panic; if it did, the lines it sent are still here.
        let _ = reader.join();
    }
    let success = match child.wait() {
        Ok(status) => {
            if let Some(how) = ended_by_signal(status) {
                lines.push(how);
            }
            status.success()
        }
        Err(error) => {
            lines.push(format!("waiting for the command failed: {error}"));
            false
        }
    };
    Output { success, lines }
}

#[cfg(unix)]
fn ended_by_signal(status: std::process::ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt;
    status
        .signal()
        .map(|signal| format!("the command was ended by signal {signal}"))
}

#[cfg(not(unix))]
fn ended_by_signal(_: std::process::ExitStatus) -> Option<String> {
    None
}

fn read_lines(stream: impl Read + Send + 'static, to: Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut bytes = Vec::new();
        // Bytes, not `lines()`: a tool may print what is no UTF-8, and that must not end the reading.
        while let Ok(1..) = reader.read_until(b'\n', &mut bytes) {
            let text = String::from_utf8_lossy(&bytes);
            if to
                .send(text.trim_end_matches(['\n', '\r']).to_string())
                .is_err()
            {
                return;
            }
            bytes.clear();
        }
    })
}

/// What came of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it passed.
    Passed,
    /// Something in it failed.
    Failed,
    /// It could not be tried, because an earlier stage that it builds on failed.
    Skipped,
}

/// A finished stage: a row of the table at the end.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name.
    pub name: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub time: Duration,
    /// Tests that passed and failed in it.
    pub counts: Counts,
    /// A word or two more, such as a size or why it was skipped.
    pub note: String,
}

impl Stage {
    /// A stage that was not tried.
    pub fn skipped(name: &'static str, why: &str) -> Self {
        println!("{} {name}: {why}", term::yellow("skip"));
        Self {
            name,
            verdict: Verdict::Skipped,
            time: Duration::ZERO,
            counts: Counts::default(),
            note: why.to_string(),
        }
    }
}

/// Starts a stage: prints its name, so that whoever waits knows for what.
pub fn begin(name: &'static str) -> Running {
    if term::is_tty() {
        term::rewrite_line(&format!(".... {name}"));
    } else {
        println!(".... {name}");
    }
    Running {
        name,
        start: Instant::now(),
        last_sign: Instant::now(),
    }
}

/// A stage under way.
pub struct Running {
    name: &'static str,
    start: Instant,
    last_sign: Instant,
}

impl Running {
    /// Runs a command of this stage and shows that it is alive.
    pub fn run(&mut self, command: &mut Command) -> Output {
        let name = self.name;
        let start = self.start;
        let last_sign = &mut self.last_sign;
        let output = run(
            command,
            |_| {},
            |line| sign_of_life(name, start, last_sign, line),
        );
        term::clear_line();
        output
    }

    /// Ends a stage whose command says by its exit code how it went: one thing passed or failed.
    pub fn end_by_exit(self, output: &Output) -> Stage {
        self.end_with(output, Counts::one(output.success), String::new())
    }

    /// Ends a stage that counted its tests. A command that failed without a failed test (it did not
    /// compile, say) counts as one failure, so that it can't be overlooked in the sum.
    pub fn end_with(self, output: &Output, mut counts: Counts, note: String) -> Stage {
        if !output.success && counts.failed == 0 {
            counts.failed = 1;
        }
        let verdict = if counts.failed > 0 {
            Verdict::Failed
        } else {
            Verdict::Passed
        };
        let stage = Stage {
            name: self.name,
            verdict,
            time: self.start.elapsed(),
            counts,
            note,
        };
        if verdict == Verdict::Failed {
            for line in &output.lines {
                println!("     {line}");
            }
        }
        let word = match verdict {
            Verdict::Failed => term::red("FAIL"),
            _ => term::green("pass"),
        };
        let note = if stage.note.is_empty() {
            String::new()
        } else {
            format!(", {}", stage.note)
        };
        println!("{word} {} ({}{note})", stage.name, term::time(stage.time));
        stage
    }

    /// Ends a stage that failed before there was a command to run.
    pub fn end_failed(self, why: &str) -> Stage {
        let output = Output {
            success: false,
            lines: vec![why.to_string()],
        };
        self.end_with(&output, Counts::default(), String::new())
    }
}

/// On a terminal the current line says what goes on; elsewhere a line a minute does, so that a log
/// shows that a long build is not stuck.
fn sign_of_life(name: &str, start: Instant, last_sign: &mut Instant, line: &str) {
    if term::is_tty() {
        let seconds = start.elapsed().as_secs();
        term::rewrite_line(&format!(".... {name} ({seconds} s) {}", line.trim()));
    } else if last_sign.elapsed() >= Duration::from_secs(60) {
        *last_sign = Instant::now();
        println!(
            "     {name}: {} so far; {}",
            term::time(start.elapsed()),
            line.trim()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_and_the_exit_code_are_seen() {
        let mut seen = 0;
        let output = run(
            Command::new("sh").args(["-c", "echo out; echo err >&2; printf 'no newline'; exit 3"]),
            |_| seen += 1,
            |_| {},
        );
        assert!(!output.success);
        assert_eq!(seen, 3);
        for line in ["out", "err", "no newline"] {
            assert!(
                output.lines.iter().any(|l| l == line),
                "{line} in {:?}",
                output.lines
            );
        }
    }

    #[test]
    fn a_missing_program_is_a_sentence() {
        let output = run(&mut Command::new("no-such-program-here"), |_| {}, |_| {});
        assert!(!output.success);
        assert_eq!(
            output.lines,
            ["no-such-program-here is not installed, or not on the PATH"]
        );
    }
}
