//! Registers, numbers, memory places.

use super::error::AsmError;
use super::lex::Cursor;
use crate::bpf::insn::{Operand, Reg, Size, Width};

/// The register a word names, if it is one: `r1`, `w1`, `%r1`.
pub(super) fn register(word: &str) -> Option<(Width, Reg)> {
    let word = word.strip_prefix('%').unwrap_or(word);
    let (width, number) = match (word.strip_prefix('r'), word.strip_prefix('w')) {
        (Some(number), _) => (Width::W64, number),
        (_, Some(number)) => (Width::W32, number),
        _ => return None,
    };
    let plain = number == "0" || !number.starts_with('0');
    let number = number.parse().ok().filter(|_| plain)?;
    Reg::new(number).map(|reg| (width, reg))
}

impl Cursor<'_> {
    /// A register of either width.
    pub fn any_register(&mut self) -> Result<(Width, Reg), AsmError> {
        let found = self.peek().and_then(register);
        let found = found.ok_or_else(|| self.fail("a register, r0 to r10"))?;
        self.skip(1);
        Ok(found)
    }

    /// A register of that width.
    pub fn register(&mut self, wanted: Width) -> Result<Reg, AsmError> {
        match self.peek().and_then(register) {
            Some((width, reg)) if width == wanted => {
                self.skip(1);
                Ok(reg)
            }
            _ => Err(self.fail(match wanted {
                Width::W64 => "a 64-bit register, r0 to r10",
                Width::W32 => "a 32-bit register, w0 to w10",
            })),
        }
    }

    /// A register that may be written.
    pub fn writable(&mut self) -> Result<(Width, Reg), AsmError> {
        let (width, reg) = self.any_register()?;
        if reg == Reg::FP {
            return Err(self.fail_before("a register that may be written, r0 to r9"));
        }
        Ok((width, reg))
    }

    /// Whether a number comes next.
    pub fn at_number(&self) -> bool {
        let digit = |n| {
            self.look(n)
                .is_some_and(|t| t.starts_with(|c: char| c.is_ascii_digit()))
        };
        digit(0) || matches!(self.peek(), Some("-" | "+")) && digit(1)
    }

    /// A number with its sign; decimal or `0x…`.
    pub fn number(&mut self) -> Result<i128, AsmError> {
        let negative = if self.eat("-") {
            true
        } else {
            self.eat("+");
            false
        };
        let parsed = self.peek().and_then(|word| match word.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None if word.starts_with(|c: char| c.is_ascii_digit()) => word.parse().ok(),
            None => None,
        });
        let value = i128::from(parsed.ok_or_else(|| self.fail("a number"))?);
        self.skip(1);
        Ok(if negative { -value } else { value })
    }

    fn within<T: TryFrom<i128>>(&mut self, what: &str) -> Result<T, AsmError> {
        let value = self.number()?;
        T::try_from(value).map_err(|_| self.fail_before(what))
    }

    /// An immediate: what 32 bits hold, signed or not.
    pub fn imm(&mut self) -> Result<i32, AsmError> {
        const WHAT: &str = "a number of 32 bits";
        let value: i64 = self.within(WHAT)?;
        match (i32::try_from(value), u32::try_from(value)) {
            (Ok(value), _) => Ok(value),
            (_, Ok(value)) => Ok(value as i32),
            _ => Err(self.fail_before(WHAT)),
        }
    }

    /// An offset.
    pub fn off(&mut self) -> Result<i16, AsmError> {
        self.within("an offset of 16 bits")
    }

    /// A register of that width, or an immediate.
    pub fn operand(&mut self, width: Width) -> Result<Operand, AsmError> {
        if self.at_number() {
            return Ok(Operand::Imm(self.imm()?));
        }
        if self.peek().is_some_and(|word| register(word).is_some()) {
            return Ok(Operand::Reg(self.register(width)?));
        }
        Err(self.fail("a register or a number"))
    }

    /// `(u32 *)`: signed?, size.
    pub fn cast(&mut self) -> Result<(bool, Size), AsmError> {
        self.expect("(")?;
        let (signed, size) = match self.peek() {
            Some("u8") => (false, Size::B),
            Some("u16") => (false, Size::H),
            Some("u32") => (false, Size::W),
            Some("u64") => (false, Size::Dw),
            Some("s8") => (true, Size::B),
            Some("s16") => (true, Size::H),
            Some("s32") => (true, Size::W),
            _ => return Err(self.fail("a type: u8, u16, u32, u64, s8, s16 or s32")),
        };
        self.skip(1);
        self.expect("*")?;
        self.expect(")")?;
        Ok((signed, size))
    }

    /// `r1 +76` or `r1`, up to the closing sign.
    pub fn place(&mut self, close: &str) -> Result<(Reg, i16), AsmError> {
        let base = self.register(Width::W64)?;
        let off = if self.peek() == Some(close) {
            0
        } else if matches!(self.peek(), Some("+" | "-")) {
            self.off()?
        } else {
            return Err(self.fail(format!("an offset such as `+4`, or `{close}`")));
        };
        self.expect(close)?;
        Ok((base, off))
    }
}
