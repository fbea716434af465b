//! Where Linux may judge otherwise than the simulator, or judges by more than the program.

use std::fmt;

/// A place in a program that was accepted here, and why Linux may refuse it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A pointer becomes a number, or is stored where user space can read it: Linux refuses it to a loader
    /// without `CAP_PERFMON`.
    PointerLeak {
        /// Index of the instruction.
        insn: usize,
        /// Register.
        reg: u8,
    },
    /// Linux 7.2 has no kernel function of that name, or the simulator does not know its arguments.
    UnknownKfunc {
        /// Index of the call.
        insn: usize,
        /// Name.
        name: String,
    },
    /// `bpf_xdp_metadata_*()` are only for programs that are loaded for one device.
    DeviceBound {
        /// Index of the call.
        insn: usize,
    },
    /// A pointer to a structure of the kernel: Linux checks its type by BTF, which the simulator lacks.
    KernelStructure {
        /// Index of the instruction.
        insn: usize,
        /// Register.
        reg: u8,
    },
    /// A `struct bpf_spin_lock` or `struct bpf_timer` must lie at that place of a map's values: only the map's BTF tells.
    Lock {
        /// Index of the call.
        insn: usize,
        /// Name of the helper.
        name: String,
    },
    /// `bpf_snprintf()`: Linux reads the format at load, the simulator when it is called.
    FormatString {
        /// Index of the call.
        insn: usize,
    },
    /// A global function: Linux walks it once by itself, with nothing known of its arguments but their types, and
    /// forgets at the call what it returned.
    GlobalFunction {
        /// Index of the call.
        insn: usize,
    },
}

impl Warning {
    /// Index of the instruction as written.
    pub fn insn(&self) -> usize {
        match self {
            Warning::PointerLeak { insn, .. }
            | Warning::UnknownKfunc { insn, .. }
            | Warning::DeviceBound { insn }
            | Warning::KernelStructure { insn, .. }
            | Warning::Lock { insn, .. }
            | Warning::FormatString { insn }
            | Warning::GlobalFunction { insn } => *insn,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::PointerLeak { reg, .. } => write!(
                f,
                "R{reg} leaks a pointer: Linux refuses it to a loader without CAP_PERFMON"
            ),
            Warning::UnknownKfunc { name, .. } => {
                write!(f, "Linux 7.2 may not have the kernel function {name}")
            }
            Warning::DeviceBound { .. } => write!(
                f,
                "Linux has this kernel function only for programs loaded for one device"
            ),
            Warning::Lock { name, .. } => write!(
                f,
                "Linux wants a lock or timer there for {name}, which only the map's BTF tells"
            ),
            Warning::FormatString { .. } => write!(
                f,
                "Linux checks the format string when the program is loaded, the simulator when it runs"
            ),
            Warning::GlobalFunction { .. } => write!(
                f,
                "Linux checks this global function by itself, without what its caller knows"
            ),
            Warning::KernelStructure { reg, .. } => write!(
                f,
                "R{reg} points to a kernel structure, whose type is not checked here"
            ),
        }
    }
}
