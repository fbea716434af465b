//! The types of a map's keys and values as the object's BTF has them (Documentation/bpf/btf.rst), laid out flat: one
//! [`Leaf`] for each number in it. For pages that show a value as what it is and take it back.

use object::read::elf::ElfFile64;
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _};

use super::btf::{Btf, Member, Type};

/// More numbers than that of one key or value are left out.
const MOST: usize = 512;
/// Structs in structs; deeper ones are loops.
const MAX_DEPTH: usize = 16;

/// How the bytes of a leaf are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A number without a sign.
    Unsigned,
    /// A number with one.
    Signed,
    /// `_Bool`.
    Bool,
    /// `char[n]`.
    Text,
    /// An address.
    Pointer,
    /// `unsigned char[n]`, or bytes of no known meaning.
    Bytes,
}

/// A number, text or address in a key or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `addr.port`, `data[3]`; empty when the whole is one number.
    pub name: String,
    /// As the compiler names it: `unsigned int`.
    pub kind: String,
    /// How it is meant.
    pub form: Form,
    /// Bits from the start of the key or value.
    pub offset_bits: u32,
    /// Bits.
    pub size_bits: u32,
}

/// A map's types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapTypes {
    /// Name of the map.
    pub map: String,
    /// The key's numbers; none where BTF does not say.
    pub key: Vec<Leaf>,
    /// The value's.
    pub value: Vec<Leaf>,
}

/// The types of an object's maps, data sections among them. An object without BTF, or one that is no object, has
/// none: [`super::load_object`] is what says so.
#[must_use]
pub fn map_types(object: &[u8]) -> Vec<MapTypes> {
    read(object).unwrap_or_default()
}

fn read(object: &[u8]) -> Option<Vec<MapTypes>> {
    let elf = ElfFile64::<Endianness>::parse(object).ok()?;
    let btf = Btf::parse(elf.section_by_name(".BTF")?.data().ok()?).ok()?;
    let mut out = Vec::new();
    for section in elf.sections() {
        let Ok(name) = section.name() else { continue };
        let is = |what: &str| {
            let rest = name.strip_prefix(what);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let symbols = || {
            elf.symbols()
                .filter(|symbol| symbol.section_index() == Some(section.index()))
                .filter(|symbol| symbol.kind() == object::SymbolKind::Data)
                .filter_map(|symbol| Some((symbol.name().ok()?.to_owned(), symbol.address())))
        };
        if name == ".maps" {
            out.extend(symbols().filter_map(|(map, _)| of_map(&btf, map)));
        } else if is(".data") || is(".bss") || is(".rodata") {
            let mut value = Leaves::new(&btf);
            let mut all: Vec<(String, u64)> = symbols().collect();
            all.sort_by_key(|(_, at)| *at);
            for (variable, at) in all {
                let id = btf.variable_type(name, &variable);
                if let (Some(id), Ok(at)) = (id, u32::try_from(at)) {
                    value.add(id, &variable, at.checked_mul(8)?, 0, 0);
                }
            }
            out.push(MapTypes {
                map: name.to_owned(),
                key: Vec::new(),
                value: value.out,
            });
        }
    }
    Some(out)
}

fn of_map(btf: &Btf, map: String) -> Option<MapTypes> {
    let members = btf.variable(".maps", &map)?;
    let of = |wanted: &str| {
        let member = members.iter().find(|member| member.name == wanted);
        let pointee = member.and_then(|member| match btf.resolve(member.type_id)? {
            Type::Ptr(inner) => Some(*inner),
            _ => None,
        });
        let mut leaves = Leaves::new(btf);
        if let Some(id) = pointee {
            leaves.add(id, "", 0, 0, 0);
        }
        leaves.out
    };
    let (key, value) = (of("key"), of("value"));
    Some(MapTypes { map, key, value })
}

/// Collects the numbers of a type.
struct Leaves<'b> {
    btf: &'b Btf,
    out: Vec<Leaf>,
}

impl<'b> Leaves<'b> {
    fn new(btf: &'b Btf) -> Self {
        let out = Vec::new();
        Self { btf, out }
    }

    fn leaf(&mut self, name: &str, kind: &str, form: Form, offset_bits: u32, size_bits: u32) {
        if self.out.len() < MOST {
            self.out.push(Leaf {
                name: name.to_owned(),
                kind: kind.to_owned(),
                form,
                offset_bits,
                size_bits,
            });
        }
    }

    /// `at` and `bits` in bits; `bits` is 0 for what is no bit field.
    fn add(&mut self, id: u32, name: &str, at: u32, bits: u32, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH || self.out.len() >= MOST {
            return None;
        }
        let btf = self.btf;
        match btf.resolve(id)? {
            Type::Struct(_, members, _) => {
                for Member {
                    name: own,
                    type_id,
                    offset,
                    bits,
                } in members
                {
                    let joint = if name.is_empty() || own.is_empty() {
                        ""
                    } else {
                        "."
                    };
                    let whole = format!("{name}{joint}{own}");
                    self.add(*type_id, &whole, at.checked_add(*offset)?, *bits, depth + 1);
                }
            }
            Type::Array(element, count) => {
                let size = btf.size(*element)?.checked_mul(8)?;
                // A name or an address: one leaf, not one for each byte.
                if let Some(Type::Int(1, _, kind)) = btf.resolve(*element) {
                    let form = match kind.as_str() {
                        "char" => Form::Text,
                        _ => Form::Bytes,
                    };
                    let all = size.checked_mul(*count)?;
                    self.leaf(name, &format!("{kind}[{count}]"), form, at, all);
                    return Some(());
                }
                for index in 0..(*count).min(MOST as u32) {
                    let place = at.checked_add(size.checked_mul(index)?)?;
                    self.add(*element, &format!("{name}[{index}]"), place, 0, depth + 1)?;
                }
            }
            Type::Int(size, signed, kind) => {
                let whole = size.checked_mul(8)?;
                let form = match (kind.as_str(), signed) {
                    ("_Bool", _) => Form::Bool,
                    (_, true) => Form::Signed,
                    (_, false) => Form::Unsigned,
                };
                self.leaf(name, kind, form, at, if bits == 0 { whole } else { bits });
            }
            Type::Ptr(_) => self.leaf(name, "pointer", Form::Pointer, at, 64),
            Type::Sized(size) => {
                self.leaf(name, "bytes", Form::Bytes, at, size.checked_mul(8)?);
            }
            _ => {}
        }
        Some(())
    }
}
