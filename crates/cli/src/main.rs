//! `headroom` on the command line. The contract is `docs/cli.md`.
//!
//! Exit codes: 0 done, 1 a check failed, 2 bad usage or bad input (nothing is written then).

mod check;
mod colour;
mod coverage;
mod disasm;
mod error;
mod exec;
mod exec_text;
mod input;
mod leniency;
mod list;
mod matrix;
mod picture;
mod run;
mod script;
mod text;
mod vm;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use colour::{Paint, When};
use error::CliError;
use headroom_core::bpf::Budget;
use headroom_core::design::DesignName;
use headroom_core::limits::Limits;
use headroom_core::scene::{BadStepName, StepName};

/// Linux packet metadata, simulated byte for byte.
#[derive(Parser)]
#[command(name = "headroom", version, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// Colours: on a terminal (`NO_COLOR` switches them off), always, or never.
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    color: When,
}

#[derive(Subcommand)]
enum Command {
    /// Name the scenarios and designs that are there.
    List {
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Run a scenario, or the set-up of a recording, under the designs. Where Linux may refuse one of its programs
    /// is said on standard error, in JSON as `verifier_warnings`.
    #[command(after_help = RUN_EXAMPLES)]
    Run {
        /// A scenario id, a scenario file or a recording.
        scenario: String,
        /// A design, or `all`; may be given several times. Those that were recorded when absent.
        #[arg(long = "design", value_name = "NAME", value_parser = parse_designs)]
        designs: Vec<Designs>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = RunFormat::Text)]
        format: RunFormat,
        /// The step to draw with `--format svg`, named as in the site's addresses; the first wrong read when absent.
        #[arg(long, value_name = "NAME", value_parser = parse_step)]
        step: Option<StepName>,
        /// How closely to look: kernel functions, or every BPF instruction.
        #[arg(long, value_enum, default_value_t = Level::Path)]
        level: Level,
        /// Say which rule changed each field and byte, and print the chain behind each wrong read.
        #[arg(long)]
        why: bool,
        #[command(flatten)]
        limits: LimitArgs,
        /// Write `<scenario>.<design>.json` (or `.txt`, `.svg`) here instead of printing.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// A value that a map of the programs begins with, in hex; may be given again and again.
        #[arg(long = "map", value_name = "NAME=KEY:VALUE")]
        maps: Vec<String>,
    },
    /// Print what is covered, from the code and the recordings: the page docs/COVERAGE.md.
    Coverage {
        /// A directory of recordings; when absent, tests/recordings and tests/recordings-own of the project.
        dir: Option<PathBuf>,
    },
    /// Write a shell script that repeats a scenario on a real kernel, in namespaces of its own.
    Script {
        /// A scenario id or a scenario file.
        scenario: String,
    },
    /// Scenarios and designs in one table: what became of the metadata, at which step, at what cost.
    Matrix {
        /// Scenario ids, scenario files or recordings; all scenarios of the project when absent.
        scenarios: Vec<String>,
        /// Only scenarios with this tag; may be given several times.
        #[arg(long = "tag", value_name = "TAG")]
        tags: Vec<String>,
        /// A design, or `all`; may be given several times. Those that were recorded when absent.
        #[arg(long = "design", value_name = "NAME", value_parser = parse_designs)]
        designs: Vec<Designs>,
        /// How to print.
        #[arg(long, value_enum, default_value_t = matrix::MatrixFormat::Text)]
        format: matrix::MatrixFormat,
    },
    /// Compare with recordings of a real kernel: one line a recording; exit 1 on a difference.
    Check {
        /// Recordings, or directories of them.
        #[arg(required = true, value_name = "DIR|FILE")]
        paths: Vec<PathBuf>,
        /// Compare the receive side only: from the first event on DEV to `icmp_rcv:entry` or the packet's end.
        #[arg(long, value_name = "DEV")]
        receive: Option<String>,
    },
    /// List the programs of an object: as written, or as the kernel runs them; `--verify` says where Linux may
    /// refuse one.
    #[command(after_help = DISASM_EXAMPLES)]
    Disasm {
        /// An object file of clang.
        object: PathBuf,
        /// With the design's prologue and rewritten context loads.
        #[arg(long)]
        xlated: bool,
        /// The design for `--xlated`.
        #[arg(long, value_name = "NAME", value_parser = parse_design, default_value = "mac_header", requires = "xlated")]
        design: DesignName,
        /// Say what the verifier found: instructions walked, and where Linux may refuse what is accepted here.
        #[arg(long)]
        verify: bool,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Run one program over one packet: verdict, packet and metadata afterwards, what was read. Where Linux may
    /// refuse the program is said on standard error, in JSON as `verifier_warnings`.
    #[command(after_help = EXEC_EXAMPLES)]
    Exec(Box<exec::ExecArgs>),
    /// Run a program without a hook: hex bytes on standard input, r1 = the memory, r2 = its length;
    /// prints r0 as hex. What a suite for conformance with RFC 9669 drives.
    #[command(
        after_help = VM_EXAMPLES
    )]
    Vm {
        /// The memory as hex bytes; r1 and r2 are 0 without it.
        #[arg(value_name = "MEMORY-HEX")]
        memory: Option<String>,
        /// The program as hex bytes, instead of standard input.
        #[arg(long, value_name = "HEX")]
        program: Option<String>,
        /// Instructions after which the run ends with an error.
        #[arg(long, value_name = "N", default_value_t = 1_000_000)]
        budget: u64,
        /// How to print.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

const RUN_EXAMPLES: &str = "\
Examples:
  headroom run seed
  headroom run seed --design meta_end --level bpf
  headroom run seed --design all --why --format json
  headroom run seed --design mac_header --format svg
  headroom run seed --design mac_header --format svg --step ip_tunnel_rcv.entry@rx#2";

const VM_EXAMPLES: &str = "\
Examples:
  echo 'b7 00 00 00 2a 00 00 00 95 00 00 00 00 00 00 00' | headroom vm
  headroom vm 'aa bb cc' --program 'bf20000000000000 9500000000000000' --format json
  headroom vm --budget 50 --program '05 00 ff ff 00 00 00 00'  # an endless loop: exit code 1";

const DISASM_EXAMPLES: &str = "\
Examples:
  headroom disasm content/programs/seed/progs.bpf.o
  headroom disasm content/programs/seed/progs.bpf.o --xlated --design meta_end
  headroom disasm content/programs/seed/progs.bpf.o --verify --color always | less -R
  headroom disasm content/programs/seed/progs.bpf.o --format json";

const EXEC_EXAMPLES: &str = "\
Examples:
  headroom exec --object content/programs/seed/progs.bpf.o --program set_tag --packet 0200000000010200000000020800 --trace
  printf 'r0 = 2\\nexit\\n' | headroom exec --asm - --hook tc --packet 0200000000010200000000020800 --meta 2a000000
  headroom exec --hex 'b7 00 00 00 02 00 00 00 95 00 00 00 00 00 00 00' --hook xdp --packet 0200000000010200000000020800";

/// What a run may take.
#[derive(clap::Args, Clone, Copy)]
struct LimitArgs {
    /// Instructions after which a BPF program's run ends with an error.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    budget: u64,
    /// Megabytes that the trace may take.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    memory: usize,
}

impl LimitArgs {
    fn limits(self) -> Limits {
        Limits {
            instructions: Budget(self.budget),
            memory: self.memory.saturating_mul(1 << 20),
            ..Limits::default()
        }
    }
}

/// How a result is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How a run is printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    /// For people.
    Text,
    /// `headroom-trace/1`.
    Json,
    /// A picture of one step.
    Svg,
}

/// How closely a run is told.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    /// Kernel functions.
    Path,
    /// BPF instructions too.
    Bpf,
}

fn parse_design(name: &str) -> Result<DesignName, String> {
    match DesignName::read(name) {
        Ok(Some(design)) => Ok(design),
        Ok(None) => {
            let known: Vec<_> = DesignName::EVERY
                .iter()
                .map(|design| design.as_str())
                .collect();
            Err(format!(
                "there is no such design; there are: {}, custom:point=value,…",
                known.join(", ")
            ))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// `all` is every design that has a name.
fn parse_designs(name: &str) -> Result<Designs, String> {
    if name == "all" {
        return Ok(Designs(DesignName::EVERY.to_vec()));
    }
    parse_design(name).map(|design| Designs(vec![design]))
}

fn parse_step(name: &str) -> Result<StepName, String> {
    name.parse().map_err(|error: BadStepName| error.to_string())
}

/// What one `--design` asks for.
#[derive(Clone)]
struct Designs(Vec<DesignName>);

fn main() -> ExitCode {
    let args = Args::parse();
    match execute(args.command, Paint::stdout(args.color)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("headroom: {error}");
            ExitCode::from(2)
        }
    }
}

fn execute(command: Command, paint: Paint) -> Result<ExitCode, CliError> {
    match command {
        Command::List { format } => list::list(format),
        Command::Run {
            scenario,
            designs,
            format,
            step,
            level,
            why,
            limits,
            out,
            maps,
        } => {
            let look = run::Look {
                format,
                step,
                level,
                why,
                limits: limits.limits(),
                paint,
            };
            run::run(
                &scenario,
                &maps,
                &or_recorded(designs),
                &look,
                out.as_deref(),
            )
        }
        Command::Coverage { dir } => coverage::coverage(dir.as_deref()),
        Command::Script { scenario } => script::print(&scenario),
        Command::Matrix {
            scenarios,
            tags,
            designs,
            format,
        } => matrix::matrix(&scenarios, &tags, &or_recorded(designs), format),
        Command::Check { paths, receive } => check::check(&paths, receive.as_deref()),
        Command::Disasm {
            object,
            xlated,
            design,
            verify,
            format,
        } => {
            let look = disasm::Look {
                xlated: xlated.then_some(design),
                verify,
                format,
                paint,
            };
            disasm::disasm(&object, look)
        }
        Command::Exec(args) => exec::exec(&args, paint),
        Command::Vm {
            memory,
            program,
            budget,
            format,
        } => vm::vm(
            memory.as_deref(),
            program.as_deref(),
            Budget(budget),
            format,
        ),
    }
}

/// The designs asked for, or the two that were recorded.
fn or_recorded(designs: Vec<Designs>) -> Vec<DesignName> {
    if designs.is_empty() {
        DesignName::ALL.to_vec()
    } else {
        designs.into_iter().flat_map(|designs| designs.0).collect()
    }
}
