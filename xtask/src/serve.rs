//! `cargo xtask serve`: tools, build, address.

use crate::term;
use crate::tools::{self, Needs, Tools};
use crate::{Failure, Result, unknown_option};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The name of the helper that says when the address answers.
pub const ANNOUNCE: &str = "__announce";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    release: bool,
    port: u16,
    open: bool,
}

impl Options {
    /// Reads the words after `serve`.
    pub fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            release: false,
            port: 8080,
            open: true,
        };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--release" => options.release = true,
                "--no-open" => options.open = false,
                "--port" => {
                    let value = words.next().ok_or_else(|| {
                        Failure::usage("--port needs a number, as in `--port 8081`")
                    })?;
                    options.port = parse_port(value)?;
                }
                other => match other.strip_prefix("--port=") {
                    Some(value) => options.port = parse_port(value)?,
                    None => return Err(unknown_option("serve", other)),
                },
            }
        }
        Ok(options)
    }
}

fn parse_port(text: &str) -> Result<u16> {
    text.parse().ok().filter(|&port| port != 0).ok_or_else(|| {
        Failure::usage(format!(
            "`{text}` is no port: it takes a number from 1 to 65535"
        ))
    })
}

/// Installs what is missing, builds and serves, until it is interrupted.
pub fn run(options: &Options) -> Result<ExitCode> {
    let start = Instant::now();
    check_port(options.port)?;
    // A quick build doesn't run wasm-opt, so it needs no Node.js.
    let tools = Tools::ensure(Needs {
        trunk: true,
        wasm_opt: options.release,
    })?;
    // Installing takes minutes: someone may have taken the port meanwhile.
    check_port(options.port)?;

    let about = if options.release {
        "about 5 minutes on two cores the first time, 1 minute after a change"
    } else {
        "about 1 minute the first time, seconds after a change"
    };
    println!("{} building the site ({about})", term::bold("serve:"));

    let mut trunk = trunk(&tools)?;
    trunk.args(["serve", "--offline", "--skip-version-check"]);
    trunk.args(["--port", &options.port.to_string()]);
    if options.release {
        add_release(&mut trunk);
    }
    if options.open && can_open() {
        trunk.args(["--open", "true"]);
    }
    announce_when_up(options.port, start);
    hand_over(trunk)
}

/// trunk, with the found tools first on its PATH and this repository's configuration.
pub fn trunk(tools: &Tools) -> Result<Command> {
    let mut trunk = Command::new(tools.path("trunk")?);
    trunk
        .current_dir(tools::root())
        .env("PATH", tools.search_path()?)
        // When a build fails, cargo has said why; where in trunk that was noticed helps nobody.
        .env("RUST_BACKTRACE", "0")
        .args(["--config", "trunk.toml"]);
    // trunk reads NO_COLOR as a truth value and stops at the usual `NO_COLOR=1`.
    if std::env::var_os("NO_COLOR").is_some() {
        trunk.env("NO_COLOR", "true");
    }
    Ok(trunk)
}

/// The options of a small build. The profile is named in index.html; this is for a page that
/// doesn't.
pub fn add_release(trunk: &mut Command) {
    trunk.arg("--release");
    let page = std::fs::read_to_string(tools::root().join("crates/web/index.html"));
    if !page.is_ok_and(|page| page.contains("data-cargo-profile")) {
        trunk.args(["--cargo-profile", "wasm-release"]);
    }
}

/// One sentence when the port is taken.
fn check_port(port: u16) -> Result<()> {
    // trunk listens on both, where the machine has both.
    let addresses = [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ];
    for address in addresses {
        match TcpListener::bind(address).map_err(|e| e.kind()) {
            Err(ErrorKind::AddrInUse) => {
                return Err(Failure::usage(format!(
                    "port {port} is in use; stop what listens there or choose another with --port N"
                )));
            }
            Err(ErrorKind::PermissionDenied) => {
                return Err(Failure::usage(format!(
                    "port {port} may only be used by root; choose one from 1024 up with --port N"
                )));
            }
            // No IPv6 on this machine, for instance.
            _ => {}
        }
    }
    Ok(())
}

/// Whether there is a desktop on which a browser could open, and a person in front of it.
fn can_open() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    term::is_tty()
        && (cfg!(any(windows, target_os = "macos")) || set("DISPLAY") || set("WAYLAND_DISPLAY"))
}

/// Starts a copy of this program that waits for the address to answer, and then prints it. A copy,
/// because this process becomes trunk (see [`hand_over`]).
fn announce_when_up(port: u16, start: Instant) {
    let started_at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(start.elapsed())
        .as_millis();
    let spawned = std::env::current_exe().and_then(|me| {
        Command::new(me)
            .args([ANNOUNCE, &port.to_string(), &started_at.to_string()])
            .stdin(Stdio::null())
            .spawn()
    });
    if spawned.is_err() {
        // Then trunk's own line has to do.
        println!("serve: the site will be at http://127.0.0.1:{port}/");
    }
}

/// The helper's work: its arguments are the port and when `serve` was started (ms since 1970).
pub fn announce(arguments: &[String]) -> Result<ExitCode> {
    let [port, started_at] = arguments else {
        return Err(Failure::usage(format!("`{ANNOUNCE}` is for `serve` alone")));
    };
    let port = parse_port(port)?;
    let started_at = Duration::from_millis(started_at.parse().unwrap_or(0));
    let parent = parent_id();
    let build_start = SystemTime::now();
    loop {
        std::thread::sleep(Duration::from_millis(150));
        if parent_id() != parent {
            // trunk has ended, and said why.
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(ok) = answers(port) {
            let took = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .saturating_sub(started_at);
            // trunk prints a few lines at this very moment; ours come last.
            std::thread::sleep(Duration::from_millis(300));
            let address = format!("http://127.0.0.1:{port}/");
            if ok && built_since(build_start) {
                println!(
                    "\n{} {}   (ready in {}; Ctrl-C ends it)\n",
                    term::green("Headroom is at"),
                    term::bold(&address),
                    term::time(took)
                );
            } else {
                println!(
                    "\n{} trunk says why above. It builds again when a file is saved; \
                     the site will be at {address}\n",
                    term::red("the build failed:")
                );
            }
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Whether trunk has put a new page in place. It serves the old one when a build fails.
fn built_since(time: SystemTime) -> bool {
    std::fs::metadata(tools::root().join("dist/index.html"))
        .and_then(|page| page.modified())
        // Some file systems keep whole seconds only.
        .is_ok_and(|written| written + Duration::from_secs(1) >= time)
}

/// `None` until something listens; then whether it has a page.
fn answers(port: u16) -> Option<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(500)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0u8; 64];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).contains(" 200 "))
}

#[cfg(unix)]
fn parent_id() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent_id() -> u32 {
    0
}

/// Becomes trunk: a signal to `cargo xtask serve` then ends the server too, rather than leaving it
/// behind with the port taken.
#[cfg(unix)]
fn hand_over(mut trunk: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = trunk.exec();
    Err(Failure::failed(format!("trunk can't be started: {error}")))
}

#[cfg(not(unix))]
fn hand_over(mut trunk: Command) -> Result<ExitCode> {
    match trunk.status() {
        Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
        Ok(_) => Ok(ExitCode::FAILURE),
        Err(error) => Err(Failure::failed(format!("trunk can't be started: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options() {
        let default = Options {
            release: false,
            port: 8080,
            open: true,
        };
        assert_eq!(parse(&[]).ok(), Some(default));
        let all = Options {
            release: true,
            port: 9,
            open: false,
        };
        assert_eq!(
            parse(&["--port", "9", "--no-open", "--release"]).ok(),
            Some(all)
        );
        assert_eq!(parse(&["--port=81"]).ok().map(|o| o.port), Some(81));
    }

    #[test]
    fn bad_options_are_usage_errors() {
        for words in [
            &["--port"][..],
            &["--port", "0"],
            &["--port", "65536"],
            &["--port", "x"],
            &["--prot", "1"],
            &["extra"],
        ] {
            assert_eq!(parse(words).err().map(|e| e.code), Some(2), "{words:?}");
        }
    }

    #[test]
    fn a_taken_port_is_told() {
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else {
            return;
        };
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let failure = check_port(address.port())
            .err()
            .map(|e| (e.code, e.message));
        let sentence = format!(
            "port {} is in use; stop what listens there or choose another with --port N",
            address.port()
        );
        assert_eq!(failure, Some((2, sentence)));
    }
}
