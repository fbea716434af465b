//! The front door: commands and programs in, a trace out.

use thiserror::Error;

use crate::bpf::{Judgement, LoadError, Object, Program, Rules, load_object};
use crate::design::DesignName;
use crate::limits::Limits;
use crate::recording::{DrawnMac, Recording};
use crate::scenario::command::{Command, Line};
use crate::scenario::parse::Parsed;
use crate::stack::{Cause, ExecuteError, Kernel, ProgramError, file_name};
use crate::trace::Trace;

/// What is simulated: the same for every design.
#[derive(Debug, Clone)]
pub struct Input {
    /// Scenario id, such as `seed`.
    pub id: String,
    /// The commands, in order.
    pub lines: Vec<Line>,
    /// Input lines that were no command.
    pub skipped: Vec<(usize, String)>,
    /// The programs.
    pub objects: Vec<Object>,
    /// Source ports that VXLAN devices draw, in order; a device takes the next one if it is in its range, and
    /// the lower end of the range when there is none.
    pub source_ports: Vec<u16>,
    /// What `ping` sent, one ICMP message for each echo request, in order: identifier and time are in there. Without it they
    /// are made up.
    pub pings: Vec<Vec<u8>>,
    /// Addresses of devices that no command gives one; the others are made up.
    pub macs: Vec<DrawnMac>,
    /// What the run may take.
    pub limits: Limits,
    /// Whether IPv4 neighbours that no command names are asked with ARP, as on a real kernel; if not, the other end
    /// of a link is known at once. See `docs/decisions/0009-what-is-made-up.md`.
    pub asks_neighbours: bool,
}

impl Input {
    /// An input from parsed commands and object files (name for messages, bytes).
    ///
    /// # Errors
    /// The first object that can't be read.
    pub fn new(id: &str, parsed: Parsed, objects: &[(String, Vec<u8>)]) -> Result<Self, LoadError> {
        let objects = objects
            .iter()
            .map(|(name, bytes)| object(name, bytes))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            id: id.into(),
            lines: parsed.lines,
            skipped: parsed.skipped,
            objects,
            source_ports: Vec::new(),
            pings: Vec::new(),
            macs: Vec::new(),
            limits: Limits::default(),
            asks_neighbours: false,
        })
    }

    /// As the kernel of a recording: with what it drew at random, see [`Recording::source_ports`],
    /// [`Recording::pings`] and [`Recording::macs`], with ARP, and with the raw socket of a running `ping`.
    #[must_use]
    pub fn drawn_as_in(mut self, recording: &Recording) -> Self {
        self.source_ports = recording.source_ports();
        self.pings = recording.pings();
        self.macs = recording.macs();
        self.asks_neighbours = true;
        self
    }
}

/// A file of programs: an object, or assembler where the name ends so ([`assembler`]).
fn object(name: &str, bytes: &[u8]) -> Result<Object, LoadError> {
    if !name.ends_with(ASSEMBLER) {
        return load_object(name, bytes);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| LoadError::NotAnObject {
        file: name.into(),
        why: format!("byte {} is no UTF-8", error.valid_up_to()),
    })?;
    assembler(name, text)
}

/// Ending of the name of a file with assembler in it.
const ASSEMBLER: &str = ".s";

/// A program in assembler as an object. The name says what it is: `mine.xdp.s` is the XDP program
/// `mine`, `mine.tcx.s` one for TC; without a type it is for TC.
///
/// # Errors
/// The first mistake, with its line and column.
pub fn assembler(name: &str, text: &str) -> Result<Object, LoadError> {
    let stem = name.strip_suffix(ASSEMBLER).unwrap_or(name);
    let (program, section) = stem.rsplit_once('.').unwrap_or((stem, "tcx"));
    let mut program =
        Program::from_asm(program, section, text).map_err(|error| LoadError::Assembler {
            file: name.into(),
            error,
        })?;
    name.clone_into(&mut program.file);
    Ok(Object {
        name: name.into(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".into(),
    })
}

/// Why there is no (whole) trace.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SimulateError {
    /// An object's maps can't be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A command, or a packet it sent, can't be carried out.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

impl SimulateError {
    /// Whether the design's kernel refuses a program; every other error says nothing about the design.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Execute(error) = self else {
            return false;
        };
        matches!(*error.cause, Cause::Program(ProgramError::Refused { .. }))
    }
}

/// A run that may have ended before its commands did.
#[derive(Debug, Clone)]
pub struct Partial {
    /// What happened until then.
    pub trace: Trace,
    /// Why it ended, if it did.
    pub error: Option<SimulateError>,
}

/// Runs all commands under one design.
///
/// # Errors
/// [`SimulateError`] when a command can't be carried out.
pub fn simulate(input: &Input, design: DesignName) -> Result<Trace, SimulateError> {
    Simulator::new(input).run(design)
}

/// As [`simulate`], but keeps what happened before an error.
#[must_use]
pub fn simulate_partial(input: &Input, design: DesignName) -> Partial {
    Simulator::new(input).partial(design)
}

/// Runs of one input under several designs: a program is walked once for all whose kernels judge alike.
pub struct Simulator<'i> {
    input: &'i Input,
    walked: Vec<(Rules, Walked<'i>)>,
}

/// For each object what the verifier says of its programs; nothing of one that a command will load.
type Walked<'i> = Vec<Option<Vec<Judgement<'i>>>>;

impl<'i> Simulator<'i> {
    /// For an input.
    #[must_use]
    pub fn new(input: &'i Input) -> Self {
        Self {
            input,
            walked: Vec::new(),
        }
    }

    /// As [`simulate`].
    ///
    /// # Errors
    /// As there.
    pub fn run(&mut self, design: DesignName) -> Result<Trace, SimulateError> {
        let partial = self.partial(design);
        match partial.error {
            Some(error) => Err(error),
            None => Ok(partial.trace),
        }
    }

    /// As [`simulate_partial`].
    pub fn partial(&mut self, design: DesignName) -> Partial {
        let mut kernel = Kernel::new(&self.input.id, design.design());
        let error = self.execute(&mut kernel).err();
        let mut trace = kernel.into_trace();
        trace.skipped.clone_from(&self.input.skipped);
        Partial { trace, error }
    }

    /// What Linux 7.2 says of all programs that no command loads, and of those what it says when nobody knows for which device
    /// they are.
    #[must_use]
    pub fn judgements(&mut self) -> Vec<Judgement<'i>> {
        let input = self.input;
        let rules = Rules {
            device_bound: Some(false),
            ..Rules::default()
        };
        let walked = self.walked(rules).to_vec();
        let of = |(object, walked): (&'i Object, Option<Vec<Judgement<'i>>>)| {
            walked.unwrap_or_else(|| object.programs.iter().map(Program::judge).collect())
        };
        input.objects.iter().zip(walked).flat_map(of).collect()
    }

    /// Under rules that were asked for before, there is no further walk.
    fn walked(&mut self, rules: Rules) -> &[Option<Vec<Judgement<'i>>>] {
        let known = self.walked.iter().position(|(known, _)| *known == rules);
        let at = known.unwrap_or(self.walked.len());
        if known.is_none() {
            let input = self.input;
            let later: Vec<&str> = input.lines.iter().filter_map(loads).collect();
            let walk = |object: &'i Object| {
                let now = !later.contains(&file_name(&object.name));
                let judge = |program: &'i Program| program.judge_by(input.limits, rules);
                now.then(|| object.programs.iter().map(judge).collect())
            };
            let walked = input.objects.iter().map(walk).collect();
            self.walked.push((rules, walked));
        }
        self.walked.get(at).map_or(&[], |(_, walked)| walked)
    }

    fn execute(&mut self, kernel: &mut Kernel) -> Result<(), SimulateError> {
        let input = self.input;
        kernel.limits = input.limits;
        kernel.asks_neighbours = input.asks_neighbours;
        kernel.source_ports = input.source_ports.iter().copied().collect();
        kernel.pings = input.pings.iter().cloned().collect();
        kernel.macs.clone_from(&input.macs);
        // programs are verified before the first command runs
        let assumes = |line: &Line| line.command == Command::AssumeDynptrEverywhere;
        kernel.assumes_dynptr = input.lines.iter().any(assumes);
        kernel.device_bound = Some(false);
        let walked = self.walked(kernel.rules());
        for (object, walked) in input.objects.iter().zip(walked) {
            match walked {
                Some(judged) => kernel.load_judged(object, judged)?,
                None => kernel.load_later(object),
            }
        }
        for line in &input.lines {
            kernel.execute(line)?;
        }
        Ok(())
    }
}

/// The object file that a command loads by itself.
fn loads(line: &Line) -> Option<&str> {
    match &line.command {
        Command::ProgLoad(load) => Some(file_name(&load.object)),
        _ => None,
    }
}

/// A set-up through which packets go again and again, and of which no trace is kept: programs run at
/// full speed, bytes have no origins, buffers are used again.
pub struct Quiet {
    kernel: Kernel,
    steps: usize,
}

impl Quiet {
    /// Loads the programs and carries out the commands.
    ///
    /// # Errors
    /// [`SimulateError`] when a command can't be carried out.
    pub fn new(input: &Input, design: DesignName) -> Result<Self, SimulateError> {
        let mut kernel = Kernel::new(&input.id, design.design());
        kernel.be_quiet();
        Simulator::new(input).execute(&mut kernel)?;
        kernel.forget();
        Ok(Self { kernel, steps: 0 })
    }

    /// Carries out one more command; packets it sends are followed to their end. Gives the lines that
    /// programs printed.
    ///
    /// # Errors
    /// [`SimulateError`] when it can't be carried out.
    pub fn run(&mut self, line: &Line) -> Result<Vec<String>, SimulateError> {
        let result = self.kernel.execute(line);
        let printk = std::mem::take(&mut self.kernel.recorder.trace.printk);
        self.steps += self.kernel.recorder.next_step();
        self.kernel.forget();
        result?;
        Ok(printk)
    }

    /// Kernel functions and programs entered and left by the commands of [`Quiet::run`].
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    #[test]
    fn assembler_is_a_file_like_an_object() {
        let text = "ip link add rx type veth peer name tx\nip link set rx up\nip link set tx up\n\
            orc xdp drop rx native\norc send tx 020000000001020000000002080045";
        let objects = [("drop.xdp.s".to_owned(), b"r0 = 1\nexit\n".to_vec())];
        let input = Input::new("t", parse(text).expect("commands"), &objects).expect("an input");
        let trace = simulate(&input, DesignName::MacHeader).expect("a run");
        let run = trace.runs.first().expect("the program ran");
        assert_eq!((run.program.as_str(), run.verdict), ("drop", Some(1)));
    }

    /// One walk for the designs whose kernels judge alike; one more for one that has a kernel function of its own. Traces
    /// are those of runs by themselves.
    #[test]
    fn a_program_is_walked_once() {
        let text = "ip link add rx type veth peer name tx\nip link set rx up\nip link set tx up\n\
            orc xdp drop rx native\norc send tx 020000000001020000000002080045";
        let objects = [("drop.xdp.s".to_owned(), b"r0 = 1\nexit\n".to_vec())];
        let input = Input::new("t", parse(text).expect("commands"), &objects).expect("an input");
        let mut simulator = Simulator::new(&input);
        for (design, walks) in [
            (DesignName::MacHeader, 1),
            (DesignName::MetaEnd, 1),
            (DesignName::SkbExt, 2),
            (DesignName::MacHeader, 2),
        ] {
            let trace = simulator.run(design).expect("a run");
            let alone = simulate(&input, design).expect("a run");
            assert_eq!(trace.steps.len(), alone.steps.len());
            assert_eq!(simulator.walked.len(), walks, "{design:?}");
        }
        assert_eq!(simulator.judgements().len(), 1);
        assert_eq!(simulator.walked.len(), 2);
    }

    /// An XDP program has no prologue: what is made of it is made once.
    #[test]
    fn designs_with_the_same_prologue_share_a_program() {
        let text = "ip link add rx type veth peer name tx\nip link set rx up\nip link set tx up\n\
            orc xdp drop rx native\norc send tx 020000000001020000000002080045";
        let objects = [("drop.xdp.s".to_owned(), b"r0 = 1\nexit\n".to_vec())];
        let input = Input::new("t", parse(text).expect("commands"), &objects).expect("an input");
        let mut simulator = Simulator::new(&input);
        let listings = [DesignName::MacHeader, DesignName::MetaEnd].map(|design| {
            let trace = simulator.run(design).expect("a run");
            std::sync::Arc::clone(&trace.runs.first().expect("the program ran").listing)
        });
        assert!(std::sync::Arc::ptr_eq(&listings[0], &listings[1]));
    }

    #[test]
    fn a_mistake_in_assembler_has_its_place() {
        let wrong = assembler("mine.tcx.s", "r0 = 0\nr9 = = 2\nexit\n").expect_err("a mistake");
        assert!(
            wrong.to_string().starts_with("mine.tcx.s: line 2, column "),
            "{wrong}"
        );
        let bytes = [("x.s".to_owned(), vec![b'r', 0xff])];
        let error = Input::new("t", parse("").expect("none"), &bytes).expect_err("no text");
        assert!(error.to_string().contains("byte 1 is no UTF-8"), "{error}");
    }
}
