//! BTF: the types of `.maps` variables, and strings (Documentation/bpf/btf.rst, "BTF Type and
//! String Encoding"). Everything is range-checked; an object may hold anything.

/// Reads a little-endian `u16`.
pub(super) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        data.get(at..at.checked_add(2)?)?.try_into().ok()?,
    ))
}

/// Reads a little-endian `u32`.
pub(super) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        data.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

/// One member of a struct or variable of a data section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub name: String,
    pub type_id: u32,
    /// Bits from the start of the struct.
    pub offset: u32,
    /// Bits, if it is a bit field; else 0.
    pub bits: u32,
}

/// The kinds that map definitions use; the others keep their size only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Pointer.
    Ptr(u32),
    /// Array: element type, number of elements.
    Array(u32, u32),
    /// Struct or union: size in bytes, members, name.
    Struct(u32, Vec<Member>, String),
    /// Integer or enumeration: size in bytes, whether it is signed, name.
    Int(u32, bool, String),
    /// A name or a qualifier: what it stands for.
    Alias(u32),
    /// A variable: name, type.
    Var(String, u32),
    /// A data section: name, types of its variables. Their offsets are left out: in an object they
    /// are 0 until a linker sets them.
    DataSec(String, Vec<u32>),
    /// Anything else that has a size, bytes.
    Sized(u32),
    /// No size: void, forward, function.
    Opaque,
}

/// A parsed `.BTF` section.
#[derive(Debug, Clone, Default)]
pub(super) struct Btf {
    types: Vec<Type>,
    strings: Vec<u8>,
}

const MAGIC: u16 = 0xeb9f;
/// `PTR → ARRAY → …` chains longer than this are loops.
const MAX_DEPTH: usize = 32;

impl Btf {
    /// Parses a `.BTF` section; on error: byte offset and what is wrong there.
    pub fn parse(data: &[u8]) -> Result<Btf, (u64, String)> {
        let at = |offset: usize, why: &str| (offset as u64, why.to_owned());
        let header = |i: usize| u32_at(data, i).map(|v| v as usize);
        if u16_at(data, 0) != Some(MAGIC) {
            return Err(at(0, "no BTF magic number"));
        }
        let (Some(hdr), Some(type_off), Some(type_len), Some(str_off), Some(str_len)) =
            (header(4), header(8), header(12), header(16), header(20))
        else {
            return Err(at(0, "BTF header is cut off"));
        };
        let part = |off: usize, len: usize| {
            let start = hdr.checked_add(off)?;
            data.get(start..start.checked_add(len)?)
        };
        let strings =
            part(str_off, str_len).ok_or_else(|| at(16, "BTF strings lie outside the section"))?;
        let body =
            part(type_off, type_len).ok_or_else(|| at(8, "BTF types lie outside the section"))?;
        let mut btf = Btf {
            types: vec![Type::Opaque],
            strings: strings.to_vec(),
        };
        let mut pos = 0;
        while pos < body.len() {
            let (ty, next) = btf
                .parse_type(body, pos)
                .ok_or_else(|| at(hdr + type_off + pos, "BTF type is cut off or unknown"))?;
            btf.types.push(ty);
            pos = next;
        }
        Ok(btf)
    }

    fn parse_type(&self, body: &[u8], pos: usize) -> Option<(Type, usize)> {
        let name = u32_at(body, pos)?;
        let info = u32_at(body, pos.checked_add(4)?)?;
        let size = u32_at(body, pos.checked_add(8)?)?;
        let count = (info & 0xffff) as usize;
        let extra = pos.checked_add(12)?;
        // The three words of entry `i` after the type's head.
        let word = |i: usize, w: usize| u32_at(body, extra.checked_add(i * 12 + w * 4)?);
        let (ty, len) = match (info >> 24) & 31 {
            1 => {
                let signed = u32_at(body, extra)? >> 24 & 1 != 0;
                (Type::Int(size, signed, self.string(name)), 4)
            }
            2 => (Type::Ptr(size), 0),
            3 => (Type::Array(word(0, 0)?, word(0, 2)?), 12),
            4 | 5 => {
                // With the kind flag an offset holds a bit field's size in its upper byte.
                let flag = info >> 31 != 0;
                let member = |i| {
                    let offset = word(i, 2)?;
                    Some(Member {
                        name: self.string(word(i, 0)?),
                        type_id: word(i, 1)?,
                        offset: if flag { offset & 0xff_ffff } else { offset },
                        bits: if flag { offset >> 24 } else { 0 },
                    })
                };
                let members = (0..count).map(member).collect::<Option<_>>()?;
                (Type::Struct(size, members, self.string(name)), count * 12)
            }
            6 => (
                Type::Int(size, info >> 31 != 0, self.string(name)),
                count * 8,
            ),
            7 | 12 => (Type::Opaque, 0),
            8..=11 | 18 => (Type::Alias(size), 0),
            13 => (Type::Opaque, count * 8),
            14 => (Type::Var(self.string(name), size), 4),
            15 => {
                let vars = (0..count).map(|i| word(i, 0)).collect::<Option<_>>()?;
                (Type::DataSec(self.string(name), vars), count * 12)
            }
            16 => (Type::Sized(size), 0),
            17 => (Type::Alias(size), 4),
            19 => (Type::Sized(size), count * 12),
            _ => return None,
        };
        let next = extra.checked_add(len)?;
        (next <= body.len()).then_some((ty, next))
    }

    /// The string at an offset; empty when there is none.
    pub fn string(&self, offset: u32) -> String {
        let rest = self.strings.get(offset as usize..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == 0).unwrap_or(rest.len());
        String::from_utf8_lossy(&rest[..end]).into_owned()
    }

    fn get(&self, id: u32) -> Option<&Type> {
        self.types.get(id as usize)
    }

    /// The type behind names, qualifiers and variables.
    pub fn resolve(&self, id: u32) -> Option<&Type> {
        let mut ty = self.get(id)?;
        for _ in 0..MAX_DEPTH {
            match ty {
                Type::Alias(inner) | Type::Var(_, inner) => ty = self.get(*inner)?,
                _ => return Some(ty),
            }
        }
        None
    }

    /// Size in bytes.
    pub fn size(&self, id: u32) -> Option<u32> {
        self.size_within(id, MAX_DEPTH)
    }

    fn size_within(&self, id: u32, depth: usize) -> Option<u32> {
        match self.resolve(id)? {
            Type::Ptr(_) => Some(8),
            Type::Array(element, count) => self
                .size_within(*element, depth.checked_sub(1)?)?
                .checked_mul(*count),
            Type::Struct(size, ..) | Type::Int(size, ..) | Type::Sized(size) => Some(*size),
            _ => None,
        }
    }

    /// Members of the struct that is the type of a variable in a data section.
    pub fn variable(&self, section: &str, name: &str) -> Option<&[Member]> {
        let in_section = self.types.iter().filter_map(|ty| match ty {
            Type::DataSec(of, vars) if of == section => Some(vars),
            _ => None,
        });
        for id in in_section.flatten() {
            let Some(Type::Var(var, ty)) = self.get(*id) else {
                continue;
            };
            if var == name {
                return match self.resolve(*ty)? {
                    Type::Struct(_, members, _) => Some(members),
                    _ => None,
                };
            }
        }
        None
    }

    /// The type of a variable in a data section.
    pub fn variable_type(&self, section: &str, name: &str) -> Option<u32> {
        let of_section = |ty: &Type| match ty {
            Type::DataSec(of, vars) if of == section => Some(vars.clone()),
            _ => None,
        };
        let vars = self.types.iter().filter_map(of_section).flatten();
        vars.into_iter().find(|id| match self.get(*id) {
            Some(Type::Var(var, _)) => var == name,
            _ => false,
        })
    }

    /// The struct behind `typeof(TYPE *) member[]`, libbpf's `__array()`.
    pub fn element_struct(&self, member: &Member) -> Option<&[Member]> {
        let Type::Array(element, _) = self.resolve(member.type_id)? else {
            return None;
        };
        let Type::Ptr(inner) = self.resolve(*element)? else {
            return None;
        };
        match self.resolve(*inner)? {
            Type::Struct(_, members, _) => Some(members),
            _ => None,
        }
    }

    /// Where a struct of that name lies in the type of `TYPE *member`, bytes; also inside of structs in it, four deep
    /// (`btf_find_field()`, kernel/bpf/btf.c).
    pub fn find_struct(&self, member: &Member, name: &str) -> Option<u32> {
        const LEVELS: usize = 4;
        let Type::Ptr(value) = self.resolve(member.type_id)? else {
            return None;
        };
        self.find_inside(*value, name, LEVELS)
    }

    fn find_inside(&self, id: u32, name: &str, levels: usize) -> Option<u32> {
        let Type::Struct(_, members, _) = self.resolve(id)? else {
            return None;
        };
        members.iter().find_map(|member| {
            let inside = match self.resolve(member.type_id)? {
                Type::Struct(_, _, own) if own == name => 0,
                Type::Struct(..) if levels > 0 => {
                    self.find_inside(member.type_id, name, levels - 1)?
                }
                _ => return None,
            };
            (member.offset / 8).checked_add(inside)
        })
    }

    /// The number in `int (*member)[NUMBER]`, libbpf's `__uint()`.
    pub fn uint(&self, member: &Member) -> Option<u32> {
        let Type::Ptr(array) = self.resolve(member.type_id)? else {
            return None;
        };
        let Type::Array(_, count) = self.resolve(*array)? else {
            return None;
        };
        Some(*count)
    }

    /// The size of the type in `TYPE *member`, libbpf's `__type()`.
    pub fn pointee_size(&self, member: &Member) -> Option<u32> {
        let Type::Ptr(inner) = self.resolve(member.type_id)? else {
            return None;
        };
        self.size(*inner)
    }
}
