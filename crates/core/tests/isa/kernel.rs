//! Random programs that Linux's verifier accepts, the same ones in every run, and what a real kernel
//! made of them (`tests/kernel-isa/`): an implementation that is not ours.
//!
//! A program is of type `BPF_PROG_TYPE_SYSCALL`: r1 points to memory that the caller hands in and gets
//! back. All values come from that memory, so that the verifier knows none of them and the kernel
//! runs every branch. The memory has 64 bytes of data, the first contents of 64 bytes of stack, and of
//! r0 to r8; at its end a program puts data, stack and registers back there.

use super::lists::{EDGES, MOVSX};
use super::{EXIT, insn, lddw};

/// Programs in the table.
pub const PROGRAMS: u64 = 4000;
/// What the kernel left, one line a program.
const RESULTS: &str = include_str!("../../../../tests/kernel-isa/results.txt");

/// Offsets in the memory.
const STACK: i16 = 64;
const REGISTERS: i16 = 128;
const LEN: usize = 200;

/// Marsaglia's xorshift: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 16) % end
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }

    fn value(&mut self) -> u64 {
        match self.below(3) {
            0 => self.of(&EDGES),
            1 => self.next() >> self.below(64),
            _ => self.next(),
        }
    }

    fn imm(&mut self) -> i32 {
        match self.below(2) {
            0 => self.of(&[1, -1, 2, 7, 31, 32, 63, 64, 255, i32::MIN, i32::MAX]),
            _ => self.next() as i32,
        }
    }
}

/// A program and its memory.
pub struct Case {
    pub code: Vec<[u8; 8]>,
    pub memory: Vec<u8>,
}

impl Case {
    /// The program with that number.
    pub fn new(number: u64) -> Case {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        for _ in 0..8 {
            random.next();
        }
        let mut memory: Vec<u8> = (0..STACK).map(|_| random.next() as u8).collect();
        while memory.len() < LEN {
            memory.extend(random.value().to_le_bytes());
        }
        let mut writer = Writer {
            random,
            code: Vec::new(),
            calls: Vec::new(),
            highest: 8,
        };
        writer.program();
        Case {
            code: writer.code,
            memory,
        }
    }

    /// What `isa_run` reads: memory and program as hex.
    pub fn line(&self) -> String {
        format!("{} {}", hex(&self.memory), hex(&self.code.concat()))
    }

    /// Tells programs apart, so that results are never held against another program.
    fn mark(&self) -> u64 {
        fnv(&[&self.memory[..], &self.code.concat()].concat())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// FNV-1a, 64 bits.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

struct Writer {
    random: Random,
    code: Vec<[u8; 8]>,
    /// Slots of the calls, whose targets are not known yet.
    calls: Vec<usize>,
    /// r0 to this one may be used.
    highest: u64,
}

impl Writer {
    fn put(&mut self, op: u8, dst: u8, src: u8, off: i16, imm: i32) {
        self.code.push(insn(op, dst, src, off, imm));
    }

    fn program(&mut self) {
        self.put(0xbf, 9, 1, 0, 0);
        for at in 0..8 {
            self.put(0x79, 0, 9, STACK + at * 8, 0);
            self.put(0x7b, 10, 0, at * 8 - 64, 0);
        }
        self.load_registers(0..9);
        for _ in 0..4 + self.random.below(40) {
            self.entry(true);
        }
        for reg in 0..9 {
            self.put(0x7b, 9, reg, REGISTERS + i16::from(reg) * 8, 0);
        }
        for at in 0..8 {
            self.put(0x79, 0, 10, at * 8 - 64, 0);
            self.put(0x7b, 9, 0, STACK + at * 8, 0);
        }
        self.put(0x79, 0, 9, REGISTERS, 0);
        self.code.push(EXIT);
        let calls = std::mem::take(&mut self.calls);
        if !calls.is_empty() {
            let outer = self.code.len();
            self.function();
            self.aim(&calls, outer);
            let inner = std::mem::take(&mut self.calls);
            let target = self.code.len();
            self.function_without_calls();
            self.aim(&inner, target);
        }
    }

    fn aim(&mut self, calls: &[usize], target: usize) {
        for call in calls {
            self.code[*call] = insn(0x85, 0, 1, 0, (target - call - 1) as i32);
        }
    }

    fn load_registers(&mut self, which: std::ops::Range<u8>) {
        for reg in which {
            self.put(0x79, reg, 9, REGISTERS + i16::from(reg) * 8, 0);
        }
    }

    /// A function of the program: r1 to r5 are its arguments, r6 and the stack are its own.
    fn function(&mut self) {
        self.function_start();
        self.call();
        self.put(0x0f, 0, 6, 0, 0);
        self.put(0x79, 6, 10, -8, 0);
        self.put(0xaf, 0, 6, 0, 0);
        self.code.push(EXIT);
    }

    fn function_without_calls(&mut self) {
        self.function_start();
        self.put(0x1f, 0, 6, 0, 0);
        self.code.push(EXIT);
    }

    fn function_start(&mut self) {
        self.put(0xbf, 0, 1, 0, 0);
        self.put(0xbf, 6, 2, 0, 0);
        self.put(0x7b, 10, 3, -8, 0);
        self.highest = 6;
        for _ in 0..1 + self.random.below(6) {
            self.alu();
        }
        self.highest = 8;
    }

    /// The target is filled in later.
    fn call(&mut self) {
        self.calls.push(self.code.len());
        self.put(0x85, 0, 1, 0, 0);
    }

    fn reg(&mut self) -> u8 {
        self.random.below(self.highest + 1) as u8
    }

    fn entry(&mut self, nest: bool) {
        match self.random.below(if nest { 20 } else { 14 }) {
            0..8 => self.alu(),
            8..11 => self.memory(),
            11 | 12 => self.atomic(),
            13 => {
                let (dst, value) = (self.reg(), self.random.value());
                self.code.extend(lddw(dst, value));
            }
            14..17 => self.branch(),
            17 => self.jump(),
            18 => {
                self.call();
                self.load_registers(1..6);
            }
            _ => self.small_loop(),
        }
    }

    fn alu(&mut self) {
        let class = self.random.of(&[0x04, 0x07]);
        let (dst, src) = (self.reg(), self.reg());
        let bits = if class == 0x07 { 64 } else { 32 };
        match self.random.below(11) {
            0 => self.put(0x80 | class, dst, 0, 0, 0),
            1 => {
                let (op, off) = self.random.of(&MOVSX);
                self.put(op, dst, src, off, 0);
            }
            2 => {
                let (op, bits) = (
                    self.random.of(&[0xd4, 0xdc, 0xd7]),
                    self.random.of(&[16, 32, 64]),
                );
                self.put(op, dst, 0, 0, bits);
            }
            3 => {
                let (op, amount) = (
                    self.random.of(&[0x60, 0x70, 0xc0]),
                    self.random.below(bits) as i32,
                );
                self.put(op | class, dst, 0, 0, amount);
            }
            4 => {
                let (op, off) = self
                    .random
                    .of(&[(0x30, 0), (0x30, 1), (0x90, 0), (0x90, 1)]);
                // a division by an immediate 0 is refused
                let imm = match self.random.imm() {
                    0 => 3,
                    imm => imm,
                };
                self.put(op | class, dst, 0, off, imm);
            }
            5 | 6 => {
                let op = self.random.of(&[0x00, 0x10, 0x20, 0x40, 0x50, 0xa0, 0xb0]);
                let imm = self.random.imm();
                self.put(op | class, dst, 0, 0, imm);
            }
            7 => {
                let (op, off) = self
                    .random
                    .of(&[(0x30, 0), (0x30, 1), (0x90, 0), (0x90, 1)]);
                self.put(op | 8 | class, dst, src, off, 0);
            }
            _ => {
                let op = self
                    .random
                    .of(&[0x00, 0x10, 0x20, 0x40, 0x50, 0xa0, 0xb0, 0x60, 0x70, 0xc0]);
                self.put(op | 8 | class, dst, src, 0, 0);
            }
        }
    }

    /// An aligned place of the data (by r9) or of the stack.
    fn place(&mut self, size: i16) -> (u8, i16) {
        let at = self.random.below(64 / size as u64) as i16 * size;
        self.random.of(&[(9, at), (10, at - 64)])
    }

    fn memory(&mut self) {
        let (code, size) = self
            .random
            .of(&[(0x00, 4), (0x08, 2), (0x10, 1), (0x18, 8)]);
        let (base, off) = self.place(size);
        let (reg, imm) = (self.reg(), self.random.imm());
        match self.random.below(4) {
            0 => self.put(0x61 | code, reg, base, off, 0),
            1 if code != 0x18 => self.put(0x81 | code, reg, base, off, 0),
            1 | 2 => self.put(0x63 | code, base, reg, off, 0),
            _ => self.put(0x62 | code, base, 0, off, imm),
        }
    }

    /// Only of the stack: the verifier has no atomics on this program type's memory.
    fn atomic(&mut self) {
        let op = self.random.of(&[
            0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x100, 0x110,
        ]);
        let reg = self.reg();
        let (code, size) = match op {
            0x100 | 0x110 => self
                .random
                .of(&[(0xd3, 1), (0xcb, 2), (0xc3, 4), (0xdb, 8)]),
            _ => self.random.of(&[(0xc3, 4), (0xdb, 8)]),
        };
        let off = self.random.below(64 / size) as i16 * size as i16 - 64;
        match op {
            0x100 => self.put(code, reg, 10, off, op),
            _ => self.put(code, 10, reg, off, op),
        }
    }

    /// What is jumped over: some entries without jumps. Returns where a jump in front of them stands.
    fn body(&mut self, jump: usize) -> i16 {
        for _ in 0..1 + self.random.below(3) {
            self.entry(false);
        }
        (self.code.len() - jump - 1) as i16
    }

    fn condition(&mut self, off: i16) -> [u8; 8] {
        let cond = self.random.of(&[
            0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0,
        ]);
        let (dst, src, imm) = (self.reg(), self.reg(), self.random.imm());
        match self.random.of(&[0x05, 0x06, 0x0d, 0x0e]) {
            class @ (0x05 | 0x06) => insn(cond | class, dst, 0, off, imm),
            class => insn(cond | class, dst, src, off, 0),
        }
    }

    fn branch(&mut self) {
        let jump = self.code.len();
        self.code.push(EXIT);
        let over = self.body(jump);
        self.code[jump] = self.condition(over);
    }

    /// A jump without condition; a branch in front of it leads to what it jumps over.
    fn jump(&mut self) {
        let branch = self.condition(1);
        self.code.push(branch);
        let jump = self.code.len();
        self.code.push(EXIT);
        let over = self.body(jump);
        self.code[jump] = match self.random.below(2) {
            0 => insn(0x05, 0, 0, over, 0),
            _ => insn(0x06, 0, 0, 0, i32::from(over)),
        };
    }

    /// Two to five rounds; the counter lies in the stack below the data, and r0 carries it.
    fn small_loop(&mut self) {
        let rounds = 2 + self.random.below(4) as i32;
        self.put(0x7a, 10, 0, -72, 0);
        let start = self.code.len();
        self.body(start);
        self.put(0x79, 0, 10, -72, 0);
        self.put(0x07, 0, 0, 0, 1);
        self.put(0x7b, 10, 0, -72, 0);
        let back = start as i16 - self.code.len() as i16 - 1;
        self.put(0xa5, 0, 0, back, rounds);
    }
}

/// A line of the table: the program's mark, then r0 to r8 and the mark of data and stack.
pub fn result(case: &Case, memory: &[u8]) -> String {
    let mut line = format!("{:016x}", case.mark());
    let (data, registers) = memory.split_at(REGISTERS as usize);
    for value in registers.chunks_exact(8) {
        let value = u64::from_le_bytes(value.try_into().expect("eight bytes"));
        line += &format!(" {value:x}");
    }
    line + &format!(" {:016x}", fnv(data))
}

type Runner = fn(&[[u8; 8]], &[u8]) -> Result<(u64, Vec<u8>), String>;

/// What one of our engines leaves that the kernel did not, one line a program.
pub fn differences(runner: Runner) -> Vec<String> {
    let mut out = Vec::new();
    let mut lines = RESULTS.lines();
    for number in 0..PROGRAMS {
        let case = Case::new(number);
        let Some(line) = lines.next() else {
            out.push(format!("program {number} is not in the table"));
            break;
        };
        assert!(
            line.starts_with(&format!("{:016x} ", case.mark())),
            "program {number} is another one"
        );
        match runner(&case.code, &case.memory) {
            Ok((r0, memory)) => {
                let own = result(&case, &memory);
                if own != line || memory[REGISTERS as usize..][..8] != r0.to_le_bytes() {
                    out.push(format!(
                        "program {number}:\n  kernel {line}\n  own    {own}"
                    ));
                }
            }
            Err(error) => out.push(format!("program {number}: {error}")),
        }
    }
    out
}
