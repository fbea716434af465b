//! Instructions of the BPF instruction set (RFC 9669), decoded.
//!
//! A decoded program has one entry an instruction; a wide instruction (`lddw`, two slots) is one
//! entry. Jump targets are indexes of entries, so inserting instructions needs no offset
//! arithmetic; slots are counted again when text is made.

/// A register, r0 to r10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reg(u8);

impl Reg {
    /// r0, return value.
    pub const R0: Reg = Reg(0);
    /// r1, first argument; the context at the start.
    pub const R1: Reg = Reg(1);
    /// r2, second argument.
    pub const R2: Reg = Reg(2);
    /// r6, first register a callee saves; legacy packet accesses want the context there.
    pub const R6: Reg = Reg(6);
    /// r10, the frame pointer; read only.
    pub const FP: Reg = Reg(10);

    /// The register with that number, if there is one.
    pub fn new(number: u8) -> Option<Reg> {
        (number <= 10).then_some(Reg(number))
    }

    /// 0 to 10.
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// Width of an arithmetic or jump instruction. 32-bit results clear the upper half (RFC 9669 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Width {
    /// `w` registers.
    W32,
    /// `r` registers.
    W64,
}

/// Second operand: a register, or an immediate that is sign-extended where 64 bits are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A register.
    Reg(Reg),
    /// An immediate.
    Imm(i32),
}

/// Arithmetic (RFC 9669 §4.1, §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each is the instruction of that name in RFC 9669, table 5
pub enum AluOp {
    Add,
    Sub,
    Mul,
    Div,
    SDiv,
    Or,
    And,
    Lsh,
    Rsh,
    Neg,
    Mod,
    SMod,
    Xor,
    Mov,
    /// Move with sign extension from that many bits: 8, 16 or 32.
    MovSx(u8),
    Arsh,
    /// To little endian and truncated to that many bits: 16, 32, 64.
    ToLe(u8),
    /// To big endian and truncated.
    ToBe(u8),
    /// Swap unconditionally.
    Bswap(u8),
}

/// Condition of a branch (RFC 9669 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names of RFC 9669, table 8; S is signed
pub enum Cond {
    Eq,
    Gt,
    Ge,
    Set,
    Ne,
    SGt,
    SGe,
    Lt,
    Le,
    SLt,
    SLe,
}

/// Size of a memory access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // 1, 2, 4, 8 bytes
pub enum Size {
    B,
    H,
    W,
    Dw,
}

impl Size {
    /// Bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Size::B => 1,
            Size::H => 2,
            Size::W => 4,
            Size::Dw => 8,
        }
    }
}

/// Atomic operations (RFC 9669 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum AtomicOp {
    Add { fetch: bool },
    Or { fetch: bool },
    And { fetch: bool },
    Xor { fetch: bool },
    Xchg,
    Cmpxchg,
}

impl AtomicOp {
    /// The register that gets the old value, if one does; `src` is the instruction's.
    pub fn old_into(self, src: Reg) -> Option<Reg> {
        match self {
            AtomicOp::Cmpxchg => Some(Reg::R0),
            AtomicOp::Xchg
            | AtomicOp::Add { fetch: true }
            | AtomicOp::Or { fetch: true }
            | AtomicOp::And { fetch: true }
            | AtomicOp::Xor { fetch: true } => Some(src),
            _ => None,
        }
    }
}

/// What a wide immediate load puts into its register (RFC 9669 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wide {
    /// A number.
    Number(u64),
    /// The address of a map: index into [`super::Object::maps`].
    Map(usize),
    /// The address of a byte in a map's first value, as `.rodata` is used.
    MapValue {
        /// Index into [`super::Object::maps`].
        map: usize,
        /// Bytes from the start of the value.
        off: u32,
    },
    /// The address of a function of the program, for a helper that calls it back
    /// (`BPF_PSEUDO_FUNC`): index of its first instruction.
    Func(usize),
}

/// What a call calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Callee {
    /// A helper, by its number in `enum bpf_func_id`.
    Helper(u32),
    /// A kernel function, by name.
    Kfunc(String),
    /// A function of the program: index of its first instruction.
    Local(usize),
    /// The helper whose number is in that register (`callx`). clang can emit it, RFC 9669 does not
    /// define it and Linux refuses it.
    Register(Reg),
    /// `bpf_skb_meta_realign()`, which only the prologue calls (v3, patch 16).
    MetaRealign,
    /// `bpf_skb_pull_data()`, called by address from the prologue (v3, patch 15).
    ProloguePullData,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Insn {
    /// Arithmetic: `dst = dst op src`.
    #[allow(missing_docs)]
    Alu {
        width: Width,
        op: AluOp,
        dst: Reg,
        src: Operand,
    },
    /// Wide immediate load, two slots.
    #[allow(missing_docs)]
    LoadImm { dst: Reg, value: Wide },
    /// `dst = *(size *)(base + off)`.
    #[allow(missing_docs)]
    Load {
        size: Size,
        signed: bool,
        dst: Reg,
        base: Reg,
        off: i16,
    },
    /// `*(size *)(base + off) = src`.
    #[allow(missing_docs)]
    Store {
        size: Size,
        base: Reg,
        off: i16,
        src: Operand,
    },
    /// An atomic read-modify-write at `base + off`.
    #[allow(missing_docs)]
    Atomic {
        size: Size,
        op: AtomicOp,
        base: Reg,
        off: i16,
        src: Reg,
    },
    /// `dst = load_acquire(base + off)` (Documentation/bpf/standardization, Linux 6.15).
    #[allow(missing_docs)]
    LoadAcquire {
        size: Size,
        dst: Reg,
        base: Reg,
        off: i16,
    },
    /// `store_release(base + off, src)`.
    #[allow(missing_docs)]
    StoreRelease {
        size: Size,
        base: Reg,
        off: i16,
        src: Reg,
    },
    /// A legacy packet access, `BPF_ABS` or `BPF_IND` (RFC 9669 §5.5): r0 = the bytes at
    /// `index + off` of the packet, from network order. The program ends if they are not there.
    PacketLoad {
        /// 1, 2 or 4 bytes.
        size: Size,
        /// The register of `BPF_IND`.
        index: Option<Reg>,
        /// Constant part of the offset.
        off: i32,
    },
    /// Unconditional jump to an entry; `long` is `gotol`.
    #[allow(missing_docs)]
    Jump { target: usize, long: bool },
    /// Jump if `dst cond src`.
    #[allow(missing_docs)]
    Branch {
        width: Width,
        cond: Cond,
        dst: Reg,
        src: Operand,
        target: usize,
    },
    /// `may_goto` (`BPF_JCOND`): goes on with the next entry for so long, and then jumps, so that a loop ends.
    MayGoto {
        /// Where it jumps in the end.
        target: usize,
    },
    /// A call.
    Call(Callee),
    /// Return from the program or function.
    Exit,
}

impl Insn {
    /// Slots of eight bytes that the instruction takes: two for a wide load, else one.
    pub fn slots(&self) -> usize {
        match self {
            Insn::LoadImm { .. } => 2,
            _ => 1,
        }
    }

    /// The entry a jump or branch may go to.
    pub fn target(&self) -> Option<usize> {
        match *self {
            Insn::Jump { target, .. } | Insn::Branch { target, .. } | Insn::MayGoto { target } => {
                Some(target)
            }
            _ => None,
        }
    }

    /// The function of the program that is called, or whose address is loaded: index of its first
    /// instruction.
    pub fn function(&self) -> Option<usize> {
        match *self {
            Insn::Call(Callee::Local(target))
            | Insn::LoadImm {
                value: Wide::Func(target),
                ..
            } => Some(target),
            _ => None,
        }
    }

    /// The same instruction, the function of [`Insn::function`] mapped.
    pub(super) fn refunction(mut self, map: impl FnOnce(usize) -> usize) -> Insn {
        if let Insn::Call(Callee::Local(target))
        | Insn::LoadImm {
            value: Wide::Func(target),
            ..
        } = &mut self
        {
            *target = map(*target);
        }
        self
    }

    /// The same instruction, its jump target (not a call's) mapped.
    pub(super) fn retarget(mut self, map: impl FnOnce(usize) -> usize) -> Insn {
        if let Insn::Jump { target, .. } | Insn::Branch { target, .. } | Insn::MayGoto { target } =
            &mut self
        {
            *target = map(*target);
        }
        self
    }
}
