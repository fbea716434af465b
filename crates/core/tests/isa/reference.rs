//! A reference interpreter: one `match` on the opcode byte, written from the text of RFC 9669 and
//! not from the engine. Slow and plain. It decodes as it runs, so it shares nothing with `bpf/`.

/// Where memory and stack lie; the engine's numbers, so that pointers compare equal.
const MEMORY: u64 = headroom_core::bpf::vm::MEMORY_ADDRESS;
const STACK_TOP: u64 = headroom_core::bpf::STACK_TOP;
const FRAME: u64 = 512;

pub struct Machine {
    code: Vec<[u8; 8]>,
    memory: Vec<u8>,
    stack: Vec<u8>,
    r: [u64; 11],
    frames: Vec<(usize, [u64; 4])>,
}

impl Machine {
    pub fn new(code: &[[u8; 8]], memory: &[u8]) -> Machine {
        let mut r = [0; 11];
        if !memory.is_empty() {
            r[1] = MEMORY;
            r[2] = memory.len() as u64;
        }
        r[10] = STACK_TOP;
        Machine {
            code: code.to_vec(),
            memory: memory.to_vec(),
            stack: vec![0; 8 * FRAME as usize],
            r,
            frames: Vec::new(),
        }
    }

    fn place(&mut self, address: u64, len: usize) -> Result<&mut [u8], String> {
        let at = address.wrapping_sub(MEMORY);
        if at < self.memory.len() as u64 && len as u64 <= self.memory.len() as u64 - at {
            return Ok(&mut self.memory[at as usize..at as usize + len]);
        }
        let bottom = STACK_TOP - FRAME * (1 + self.frames.len() as u64);
        if address >= bottom && address < STACK_TOP && len as u64 <= STACK_TOP - address {
            let start = (address - (STACK_TOP - 8 * FRAME)) as usize;
            return Ok(&mut self.stack[start..start + len]);
        }
        Err(format!("access of {len} bytes at {address:#x}"))
    }

    fn read(&mut self, address: u64, len: usize) -> Result<u64, String> {
        let bytes = self.place(address, len)?;
        Ok(bytes.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    fn write(&mut self, address: u64, len: usize, value: u64) -> Result<(), String> {
        self.place(address, len)?
            .copy_from_slice(&value.to_le_bytes()[..len]);
        Ok(())
    }

    /// Runs to the outermost exit: r0 and the memory.
    pub fn run(mut self) -> Result<(u64, Vec<u8>), String> {
        let mut pc = 0usize;
        for _ in 0..1_000_000 {
            let slot = *self.code.get(pc).ok_or("past the end")?;
            let op = slot[0];
            let (dst, src) = (usize::from(slot[1] & 15), usize::from(slot[1] >> 4));
            let off = i64::from(i16::from_le_bytes([slot[2], slot[3]]));
            let imm = i32::from_le_bytes([slot[4], slot[5], slot[6], slot[7]]);
            let mut next = pc as i64 + 1;
            match op & 7 {
                0 if op == 0x18 => {
                    let second = *self.code.get(pc + 1).ok_or("half a wide load")?;
                    let high = u32::from_le_bytes([second[4], second[5], second[6], second[7]]);
                    self.r[dst] = u64::from(high) << 32 | u64::from(imm as u32);
                    next += 1;
                }
                1 => {
                    let size = bytes(op);
                    let value = self.read(self.r[src].wrapping_add(off as u64), size)?;
                    self.r[dst] = match op & 0xe0 {
                        0x60 => value,
                        0x80 => sign_extend(value, size as u32 * 8),
                        _ => return Err(format!("opcode {op:#x}")),
                    };
                }
                2 => self.write(
                    self.r[dst].wrapping_add(off as u64),
                    bytes(op),
                    i64::from(imm) as u64,
                )?,
                3 if op & 0xe0 == 0x60 => {
                    self.write(self.r[dst].wrapping_add(off as u64), bytes(op), self.r[src])?;
                }
                3 if op & 0xe0 == 0xc0 => self.atomic(op, dst, src, off, imm)?,
                4 | 7 => {
                    self.r[dst] = alu(op, self.r[dst], self.r[src], off, imm)?;
                }
                5 | 6 => match op {
                    0x05 => next += off,
                    0x06 => next += i64::from(imm),
                    0x85 if src == 1 => {
                        if self.frames.len() == 7 {
                            return Err("more than 8 frames".into());
                        }
                        let saved = [self.r[6], self.r[7], self.r[8], self.r[9]];
                        self.frames.push((pc + 1, saved));
                        self.r[10] -= FRAME;
                        next += i64::from(imm);
                    }
                    0x95 => match self.frames.pop() {
                        None => return Ok((self.r[0], self.memory)),
                        Some((back, saved)) => {
                            self.r[6..10].copy_from_slice(&saved);
                            self.r[10] += FRAME;
                            next = back as i64;
                        }
                    },
                    _ => {
                        if jumps(op, self.r[dst], self.r[src], imm)? {
                            next += off;
                        }
                    }
                },
                _ => return Err(format!("opcode {op:#x}")),
            }
            pc = usize::try_from(next).map_err(|_| "before the start")?;
        }
        Err("endless".into())
    }

    /// RFC 9669 §5.3, and load-acquire and store-release of the kernel's later version of the text.
    fn atomic(&mut self, op: u8, dst: usize, src: usize, off: i64, imm: i32) -> Result<(), String> {
        let size = bytes(op);
        let at = self.r[if imm == 0x100 { src } else { dst }].wrapping_add(off as u64);
        if !at.is_multiple_of(size as u64) {
            return Err("misaligned".into());
        }
        let old = self.read(at, size)?;
        let arg = self.r[src];
        match imm {
            0x100 => self.r[dst] = old,
            0x110 => self.write(at, size, arg)?,
            0xe1 => {
                self.write(at, size, arg)?;
                self.r[src] = old;
            }
            0xf1 => {
                let expected = if size == 4 {
                    self.r[0] & 0xffff_ffff
                } else {
                    self.r[0]
                };
                if expected == old {
                    self.write(at, size, arg)?;
                }
                self.r[0] = old;
            }
            _ => {
                let new = match imm & !1 {
                    0x00 => old.wrapping_add(arg),
                    0x40 => old | arg,
                    0x50 => old & arg,
                    0xa0 => old ^ arg,
                    _ => return Err(format!("atomic {imm:#x}")),
                };
                self.write(at, size, new)?;
                if imm & 1 == 1 {
                    self.r[src] = old;
                }
            }
        }
        Ok(())
    }
}

/// RFC 9669 §5: BPF_W, BPF_H, BPF_B, BPF_DW.
fn bytes(op: u8) -> usize {
    [4, 2, 1, 8][usize::from(op >> 3 & 3)]
}

fn sign_extend(value: u64, bits: u32) -> u64 {
    if bits < 64 && value >> (bits - 1) & 1 == 1 {
        value | u64::MAX << bits
    } else {
        value & (u64::MAX >> (64 - bits))
    }
}

/// RFC 9669 §4.1, §4.2.
fn alu(op: u8, dst: u64, src: u64, off: i64, imm: i32) -> Result<u64, String> {
    let wide = op & 7 == 7;
    if op & 0xf0 == 0xd0 {
        let bits = imm as u32;
        let cut = dst & (u64::MAX >> (64 - bits));
        return Ok(match op {
            0xd4 => cut,
            _ => cut.swap_bytes() >> (64 - bits),
        });
    }
    let second = if op & 8 != 0 {
        src
    } else {
        i64::from(imm) as u64
    };
    let (a, b) = if wide {
        (dst, second)
    } else {
        (dst & 0xffff_ffff, second & 0xffff_ffff)
    };
    // As signed numbers, wide enough that nothing overflows.
    let signed = |x: u64| {
        if wide {
            i128::from(x as i64)
        } else {
            i128::from(x as u32 as i32)
        }
    };
    let mask = if wide { 63 } else { 31 };
    let result = match op >> 4 {
        0x0 => a.wrapping_add(b),
        0x1 => a.wrapping_sub(b),
        0x2 => a.wrapping_mul(b),
        0x3 if b == 0 => 0,
        0x3 if off == 1 => (signed(a) / signed(b)) as u64,
        0x3 => a / b,
        0x4 => a | b,
        0x5 => a & b,
        0x6 => a << (b & mask),
        0x7 => a >> (b & mask),
        0x8 => 0u64.wrapping_sub(a),
        0x9 if b == 0 => a,
        0x9 if off == 1 => (signed(a) % signed(b)) as u64,
        0x9 => a % b,
        0xa => a ^ b,
        0xb if off != 0 => sign_extend(b & (u64::MAX >> (64 - off)), off as u32),
        0xb => b,
        0xc => (signed(a) >> (b & mask)) as u64,
        _ => return Err(format!("opcode {op:#x}")),
    };
    Ok(if wide { result } else { result & 0xffff_ffff })
}

/// RFC 9669 §4.3.
fn jumps(op: u8, dst: u64, src: u64, imm: i32) -> Result<bool, String> {
    let second = if op & 8 != 0 {
        src
    } else {
        i64::from(imm) as u64
    };
    let wide = op & 7 == 5;
    let (a, b) = if wide {
        (dst, second)
    } else {
        (dst & 0xffff_ffff, second & 0xffff_ffff)
    };
    let signed = |x: u64| {
        if wide {
            x as i64
        } else {
            i64::from(x as u32 as i32)
        }
    };
    Ok(match op >> 4 {
        0x1 => a == b,
        0x2 => a > b,
        0x3 => a >= b,
        0x4 => a & b != 0,
        0x5 => a != b,
        0x6 => signed(a) > signed(b),
        0x7 => signed(a) >= signed(b),
        0xa => a < b,
        0xb => a <= b,
        0xc => signed(a) < signed(b),
        0xd => signed(a) <= signed(b),
        _ => return Err(format!("opcode {op:#x}")),
    })
}
