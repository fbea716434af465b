//! Why Linux refuses a program: what it writes into the log, line by line (kernel/bpf/verifier.c,
//! cfg.c, states.c, 7.2). Lines of one refusal are joined with `; `.

use thiserror::Error;

/// A refusal, in the words of the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Refusal {
    // cfg.c, check_subprogs()
    #[error("unreachable insn {0}")]
    Unreachable(usize),
    #[error("jump out of range from insn {0} to {1}")]
    JumpOutOfRange(usize, usize),
    #[error("last insn is not an exit or jmp")]
    LastInsn,
    /// The log names the functions, which programs without BTF have not.
    #[error("recursive call from () to ()")]
    Recursive,
    #[error("the call stack of {0} frames is too deep")]
    CallDepth(usize),
    #[error("combined stack size of {0} calls is {1}. Too large")]
    StackDepth(usize, u32),
    // limits
    #[error("BPF program is too large. Processed {0} insn")]
    TooLarge(u32),
    /// A limit of the simulator; Linux has none of this kind.
    #[error("the walk through the program takes more than {0} MiB")]
    Memory(usize),
    #[error("The sequence of {0} jumps is too complex.")]
    TooComplex(usize),
    #[error("infinite loop detected at insn {0}")]
    InfiniteLoop(usize),
    // registers and arithmetic
    #[error("R{0} !read_ok")]
    NotRead(usize),
    #[error("unknown opcode {0:02x}")]
    UnknownOpcode(u8),
    #[error("div by zero")]
    DivByZero,
    #[error("invalid shift {0}")]
    Shift(i32),
    #[error("R{0} 32-bit pointer arithmetic prohibited")]
    PointerAlu32(usize),
    #[error("R{0} pointer arithmetic on {1} prohibited, null-check it first")]
    PointerMaybeNull(usize, String),
    #[error("R{0} pointer arithmetic on {1} prohibited")]
    PointerKind(usize, String),
    #[error("R{0} tried to subtract pointer from scalar")]
    SubPointer(usize),
    #[error("R{0} subtraction from stack pointer prohibited")]
    SubStack(usize),
    #[error("R{0} bitwise operator {1} on pointer prohibited")]
    PointerBits(usize, &'static str),
    #[error("R{0} pointer arithmetic with {1} operator prohibited")]
    PointerOp(usize, &'static str),
    #[error("R{0} pointer {1} pointer prohibited")]
    TwoPointers(usize, &'static str),
    #[error("math between {0} pointer and {1} is not allowed")]
    MathKnown(String, i64),
    #[error("math between {0} pointer and register with unbounded min value is not allowed")]
    MathUnbounded(String),
    #[error("value {0} makes {1} pointer be out of bounds")]
    MathOut(i64, String),
    #[error("{0} pointer offset {1} is not allowed")]
    OffsetOut(String, i64),
    // memory
    #[error("R{0} invalid mem access '{1}'")]
    MemAccess(usize, String),
    #[error("invalid{access} stack R{reg} off={off} size={size}")]
    Stack {
        access: &'static str,
        reg: usize,
        off: i64,
        size: i64,
    },
    #[error("invalid variable-offset{access} stack R{reg} var_off={var} off={off} size={size}")]
    StackVar {
        access: &'static str,
        reg: usize,
        var: String,
        off: i64,
        size: i64,
    },
    #[error("invalid unbounded variable-offset{0} stack R{1}")]
    StackUnbounded(&'static str, usize),
    #[error("misaligned stack access off {var}+{off} size {size}")]
    MisalignedStack { var: String, off: i64, size: u32 },
    #[error("misaligned {what}access off {var}+{off} size {size}")]
    Misaligned {
        what: &'static str,
        var: String,
        off: i64,
        size: u32,
    },
    #[error("misaligned packet access off 2+{var}+{off} size {size}")]
    MisalignedPacket { var: String, off: i64, size: u32 },
    #[error("invalid size of register spill")]
    SpillSize,
    #[error("invalid size of register fill")]
    FillSize,
    #[error("cannot spill pointers to stack into stack frame of the caller")]
    SpillToCaller,
    #[error("{place}; R{reg} {end} value is outside of the allowed memory range")]
    Outside {
        place: String,
        reg: usize,
        end: &'static str,
    },
    #[error("R{0} min value is negative, either use unsigned index or do a if (index >=0) check.")]
    NegativeIndex(usize),
    #[error("R{0} unbounded memory access, make sure to bounds check any such access")]
    Unbounded(usize),
    #[error("R{0} offset is outside of the packet")]
    BeyondPacket(usize),
    #[error("cannot write into packet")]
    WritePacket,
    #[error("R{0} cannot write into {1}")]
    WriteInto(usize, String),
    #[error("write to change key R{0} not allowed")]
    WriteKey(usize),
    #[error("timer pointer in R1 map_uid={0} doesn't match map pointer in R2 map_uid={1}")]
    TimerMap(u32, u32),
    #[error("{0} cannot be accessed directly by load/store")]
    Field(&'static str),
    #[error("{what} map forbidden, value_size={value} off={off} size={size}")]
    MapForbidden {
        what: &'static str,
        value: u32,
        off: i64,
        size: i64,
    },
    #[error("invalid bpf_context access off={0} size={1}")]
    Context(i64, u32),
    #[error("variable {0} access var_off={1} disallowed")]
    VariableOff(String, String),
    #[error("negative offset {0} ptr R{1} off={2} disallowed")]
    NegativeOff(String, usize, i64),
    #[error("dereference of modified {0} ptr R{1} off={2} disallowed")]
    ModifiedOff(String, usize, i64),
    #[error("R{0} invalid {1} access off={2} size={3}")]
    Socket(usize, String, i64, u32),
    #[error("same insn cannot be used with different pointers")]
    DifferentPointers,
    #[error("BPF_ATOMIC {0} R{1} {2} is not allowed")]
    Atomic(&'static str, usize, String),
    // jumps, exit
    #[error("cannot return stack pointer to the caller")]
    ReturnStack,
    #[error("R0 not a scalar value")]
    CallbackReturn,
    #[error("{what} the register {reg} has{known} should have been in [{min}, {max}]")]
    ReturnRange {
        what: &'static str,
        reg: &'static str,
        known: String,
        min: i32,
        max: i32,
    },
    #[error("{0} the register R0 is not a known value ({1})")]
    ReturnKind(&'static str, String),
    #[error("Unreleased reference id={id} alloc_insn={insn}; {what} would lead to reference leak")]
    Unreleased {
        id: u32,
        insn: usize,
        what: &'static str,
    },
    #[error("{0} cannot be used inside bpf_{1}-ed region")]
    InsideRegion(&'static str, &'static str),
    #[error("Leaking reference id={0} alloc_insn={1}. Release it first.")]
    LeakedChild(u32, usize),
    // LD_ABS
    #[error("BPF_LD_[ABS|IND] instructions not allowed for this program type")]
    LdAbsType,
    #[error("at the time of BPF_LD_ABS|IND R6 != pointer to skb")]
    LdAbsR6,
    #[error("cannot use BPF_LD_[ABS|IND] within callback")]
    LdAbsCallback,
    // calls
    #[error("invalid func {0}#{1}{2}")]
    InvalidFunc(String, u32, &'static str),
    #[error("program of this type cannot use helper {0}#{1}{2}")]
    HelperType(String, u32, String),
    #[error("cannot call GPL-restricted function from non-GPL compatible program")]
    Gpl,
    #[error("sleepable helper {0}#{1} in non-sleepable prog")]
    Sleepable(String, u32),
    #[error("function calls are not allowed while holding a lock")]
    CallInLock,
    #[error("helper access to the packet is not allowed")]
    HelperPacket,
    #[error("R{0} type={1} expected={2}")]
    ArgType(usize, String, String),
    #[error("R{0} must have zero offset when passed to release func or trusted arg to kfunc")]
    ReleaseOff(usize),
    #[error("release helper {0} expects referenced PTR_TO_BTF_ID passed to R{1}")]
    ReleaseRef(String, usize),
    #[error("invalid zero-sized read")]
    ZeroRead,
    #[error("R{0} invalid zero-sized read: u64=[{1},{2}]")]
    ZeroSize(usize, u64, u64),
    #[error("R{0} min value is negative, either use unsigned or 'var &= const'")]
    NegativeSize(usize),
    #[error("R{0} unbounded memory access, use 'var &= const' or 'if (var < const)'")]
    UnboundedSize(usize),
    #[error("R{0} is not a known constant'")]
    NotConstant(usize),
    #[error("R{0} does not point to a readonly map'")]
    NotReadOnly(usize),
    #[error("R{0} is not a constant address'")]
    NotConstantAddress(usize),
    #[error("string is not zero-terminated")]
    NotTerminated,
    #[error("write into map forbidden")]
    MapWrite,
    #[error("expected prog array map for tail call")]
    TailCallMap,
    #[error("cannot pass map_type {0} into func {1}#{2}")]
    MapFunc(u32, String, u32),
    #[error("callback function not allowed for map")]
    NoCallbackMap,
    #[error("cannot tail call within callback")]
    TailCallCallback,
    #[error("Unsupported reg type {0} for bpf_dynptr_from_mem data")]
    FromMem(String),
    #[error("{0}")]
    Lock(String),
    // dynptrs and iterators
    #[error("R{0} expected pointer to stack or const struct bpf_dynptr")]
    DynptrPointer(usize),
    #[error("Dynptr has to be an uninitialized dynptr")]
    DynptrInitialized,
    #[error("Expected an initialized dynptr as R{0}")]
    DynptrUninitialized(usize),
    #[error("Expected a dynptr of type {0} as R{1}")]
    DynptrType(&'static str, usize),
    #[error("{0} has to be at a constant offset")]
    ObjectVariable(&'static str),
    #[error("cannot pass in {0} at an offset={1}")]
    ObjectOffset(&'static str, i64),
    #[error("cannot overwrite referenced dynptr")]
    DynptrOverwrite,
    #[error("potential write to dynptr at off={0} disallowed")]
    DynptrWrite(i64),
    #[error("CONST_PTR_TO_DYNPTR cannot be released")]
    DynptrConst,
    #[error("invalid read from stack off {0}+{1} size {2}")]
    StackRead(i64, i64, i64),
    #[error("invalid read from stack R{0} off {1}+{2} size {3}")]
    StackReadBy(usize, i64, i64, i64),
    #[error("R{0} expected pointer to an iterator on stack")]
    IterPointer(usize),
    #[error("expected uninitialized iter_{0} as R{1}")]
    IterInitialized(&'static str, usize),
    #[error("expected an initialized iter_{0} as R{1}")]
    IterUninitialized(&'static str, usize),
    // kernel functions
    #[error("calling kernel function {0} is not allowed{1}")]
    Kfunc(String, String),
    #[error("metadata kfuncs require device-bound program")]
    DeviceBound,
    #[error("R{0} is not a scalar")]
    KfuncScalar(usize),
    #[error("R{0} must be a known constant")]
    KfuncConstant(usize),
    #[error("Possibly NULL pointer passed to trusted R{0}")]
    KfuncNull(usize),
    #[error("R{0} expected pointer to ctx, but got {1}")]
    KfuncCtx(usize, String),
    #[error("{0}; R{1} and R{2} memory, len pair leads to invalid memory access")]
    KfuncPair(String, usize, usize),
    #[error("unmatched rcu read unlock (kernel function {0})")]
    RcuUnlock(String),
    #[error("unmatched attempt to enable preemption (kernel function {0})")]
    PreemptEnable(String),
    #[error("the prog does not allow writes to packet data")]
    SliceWrite,
    /// Two lines.
    #[error("{0}; {1}")]
    Both(Box<Refusal>, Box<Refusal>),
}

pub(super) type Checked<T = ()> = Result<T, Refusal>;

impl Refusal {
    /// This line, and then another.
    pub fn then(self, next: Refusal) -> Refusal {
        Refusal::Both(Box::new(self), Box::new(next))
    }
}

/// `(0x12; 0xff)`, as the log prints what is known of bits (`tnum_strn()`).
pub(super) fn bits(t: super::tnum::Tnum) -> String {
    if t.is_const() {
        // `is_unum_decimal()`, `is_snum_decimal()`
        let signed = t.value as i64;
        return if t.value <= u64::from(u16::MAX) || i16::try_from(signed).is_ok() {
            format!("{signed}")
        } else {
            format!("{:#x}", t.value)
        };
    }
    format!("({:#x}; {:#x})", t.value, t.mask)
}
