//! One call and what it must answer.

use headroom_core::bpf::{MapDef, Object, ProgType, Program, assemble};
use headroom_core::design::DesignName;
use headroom_core::scenario::parse;
use headroom_core::simulate::{Input, simulate};
use headroom_core::stack::{Hook, exec};

use crate::bench;

/// What a call answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// An error code.
    E(&'static str, i64),
    /// No address (a function that gives one).
    Null,
    /// `TC_ACT_SHOT`, `XDP_ABORTED`: verdicts that say no.
    Verdict(&'static str, i64),
}

pub const EINVAL: Code = Code::E("EINVAL", -22);
pub const EFAULT: Code = Code::E("EFAULT", -14);
pub const ENOMEM: Code = Code::E("ENOMEM", -12);
pub const ENOENT: Code = Code::E("ENOENT", -2);
pub const E2BIG: Code = Code::E("E2BIG", -7);
pub const EAGAIN: Code = Code::E("EAGAIN", -11);
pub const EACCES: Code = Code::E("EACCES", -13);
pub const EBUSY: Code = Code::E("EBUSY", -16);
pub const EEXIST: Code = Code::E("EEXIST", -17);
pub const ENOSPC: Code = Code::E("ENOSPC", -28);
pub const ERANGE: Code = Code::E("ERANGE", -34);
pub const ENODATA: Code = Code::E("ENODATA", -61);
pub const EPROTO: Code = Code::E("EPROTO", -71);
pub const EOPNOTSUPP: Code = Code::E("EOPNOTSUPP", -95);
pub const EALREADY: Code = Code::E("EALREADY", -114);
pub const ENOTSUPP: Code = Code::E("ENOTSUPP", -524);
pub const SHOT: Code = Code::Verdict("TC_ACT_SHOT", 2);
/// Recorded: E16-clone-redirect-peer-down.
pub const NET_XMIT_CN: Code = Code::Verdict("NET_XMIT_CN", 2);
pub const ABORTED: Code = Code::Verdict("XDP_ABORTED", 0);

impl Code {
    pub fn number(self) -> i64 {
        match self {
            Code::E(_, number) | Code::Verdict(_, number) => number,
            Code::Null => 0,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Code::E(name, _) | Code::Verdict(name, _) => name,
            Code::Null => "NULL",
        }
    }
}

/// Where a row's program runs.
#[derive(Debug, Clone)]
enum Where {
    /// Over one packet, as `headroom exec` runs it.
    Alone {
        hook: Hook,
        section: &'static str,
        frame: Vec<u8>,
    },
    /// In a set-up, at the place where its commands attach `main`; the verdict is the answer.
    World {
        section: &'static str,
        commands: String,
    },
}

/// One call and what it must answer.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: &'static str,
    pub code: Code,
    /// Function of the kernel's source.
    pub source: &'static str,
    text: String,
    maps: Vec<MapDef>,
    place: Where,
    design: DesignName,
}

impl Row {
    fn new(hook: Hook, name: &'static str, code: Code, source: &'static str, text: &str) -> Self {
        Self {
            name,
            code,
            source,
            text: format!("r6 = r1\n{text}\nexit\n"),
            maps: Vec::new(),
            place: Where::Alone {
                hook,
                section: hook.section(),
                frame: bench::frame(),
            },
            design: DesignName::MacHeader,
        }
    }

    /// In a TC program: `text` leaves the answer in r0, the context is in r6.
    pub fn tc(name: &'static str, code: Code, source: &'static str, text: &str) -> Self {
        Self::new(Hook::Tc, name, code, source, text)
    }

    /// In an XDP program.
    pub fn xdp(name: &'static str, code: Code, source: &'static str, text: &str) -> Self {
        Self::new(Hook::Xdp, name, code, source, text)
    }

    /// With maps.
    pub fn with(mut self, maps: &[MapDef]) -> Self {
        self.maps = maps.to_vec();
        self
    }

    /// Over another packet.
    pub fn over(mut self, packet: &[u8]) -> Self {
        if let Where::Alone { frame, .. } = &mut self.place {
            *frame = packet.to_vec();
        }
        self
    }

    /// As a program of another section.
    pub fn of(mut self, name: &'static str) -> Self {
        match &mut self.place {
            Where::Alone { section, .. } | Where::World { section, .. } => *section = name,
        }
        self
    }

    /// Under another design.
    pub fn under(mut self, design: DesignName) -> Self {
        self.design = design;
        self
    }

    /// In a set-up that attaches `main`; the first run's verdict is the answer.
    pub fn at(mut self, commands: &str) -> Self {
        let section = match &self.place {
            Where::Alone { section, .. } | Where::World { section, .. } => section,
        };
        self.place = Where::World {
            section,
            commands: commands.to_owned(),
        };
        self
    }

    fn object(&self, section: &str) -> Result<Object, String> {
        let names: Vec<String> = self.maps.iter().map(|map| map.name.clone()).collect();
        assemble(&self.text, &names).map_err(|error| format!("{error}\n{}", self.text))?;
        let program = Program {
            prog_type: ProgType::from_section(section),
            ..bench::program("main", section, &self.text, &self.maps)
        };
        Ok(bench::object(vec![program], self.maps.clone()))
    }

    /// The low half of r0, or of the verdict, as a number with a sign; an address as it is.
    pub fn run(&self) -> Result<i64, String> {
        let low = |answer: i64| match self.code {
            Code::Null => answer,
            _ => i64::from(answer as i32),
        };
        match &self.place {
            Where::Alone {
                hook,
                section,
                frame,
            } => {
                let object = self.object(section)?;
                let done = exec(&object, "main", *hook, frame, &[], self.design)
                    .map_err(|error| error.to_string())?;
                done.result.map_err(|stop| stop.to_string())?;
                Ok(low(done.r0 as i64))
            }
            Where::World { section, commands } => {
                let parsed = parse(commands).map_err(|error| error.to_string())?;
                let mut input = Input::new("codes", parsed, &[]).map_err(|e| e.to_string())?;
                input.objects.push(self.object(section)?);
                let trace = simulate(&input, self.design).map_err(|error| error.to_string())?;
                let run = trace.runs.iter().find(|run| run.program == "main");
                let verdict = run.and_then(|run| run.verdict).ok_or("it did not run")?;
                Ok(low(verdict))
            }
        }
    }
}

/// Arguments of a call: the context, a place on the stack, a map, or a number.
pub fn call(helper: &str, args: &[&str]) -> String {
    let mut text = String::new();
    for (at, arg) in args.iter().enumerate() {
        let reg = at + 1;
        let line = match *arg {
            "ctx" => format!("r{reg} = r6\n"),
            place if place.starts_with("fp-") => {
                format!("r{reg} = r10\nr{reg} += -{}\n", &place[3..])
            }
            map if map.starts_with("map:") => format!("r{reg} = map[{}]\n", &map[4..]),
            data if data.starts_with("data:") => format!("r{reg} = map[{}]\n", &data[5..]),
            other => format!("r{reg} = {other}\n"),
        };
        text += &line;
    }
    text + &format!("call {helper}\n")
}

/// Eight-byte words of zeros from r10 - `bytes` on.
pub fn zeros(bytes: u32) -> String {
    let words = (1..=bytes / 8).map(|i| format!("*(u64 *)(r10 -{}) = 0\n", i * 8));
    words.collect()
}
