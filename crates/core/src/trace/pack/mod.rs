//! A trace as bytes: what the site's build writes, its pages read, and the simulator's worker hands over.
//!
//! Written by hand, because a page has to carry the reader: serde's derived form of it was forty kilobytes of
//! the first module. The reader remembers its first mistake and goes on with zeros; who asked looks once, at
//! the end. Names and devices are written once. What a write did to bytes that are known is left out
//! ([`writes`]).
//!
//! A new field of a type in [`types`] does not compile until it is named there, which is all it needs.

mod steps;
mod types;
mod writes;

use std::fmt;
use std::sync::Arc;

use super::Trace;
use super::step::DevRef;
use super::wire::Name;
use crate::names::intern;

/// Why bytes are no trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackError {
    /// Offset of the first byte that can't be.
    pub at: usize,
}

impl fmt::Display for UnpackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is damaged at byte {}", self.at)
    }
}

impl std::error::Error for UnpackError {}

impl Trace {
    /// The trace as bytes; snapshots are left out ([`Trace::take_checkpoints`]).
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = Out::default();
        self.put(&mut out);
        out.bytes
    }

    /// The trace of bytes.
    ///
    /// # Errors
    /// Where they are cut off or damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, UnpackError> {
        let mut from = In {
            bytes,
            at: 0,
            names: Vec::new(),
            devs: Vec::new(),
            wrong: None,
        };
        let mut trace = Self::take(&mut from);
        trace.note_returns();
        if from.at < bytes.len() {
            from.fail();
        }
        match from.wrong {
            None => Ok(trace),
            Some(at) => Err(UnpackError { at }),
        }
    }
}

/// What is written.
#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    names: Vec<Name>,
    devs: Vec<Arc<DevRef>>,
}

/// What is read.
struct In<'b> {
    bytes: &'b [u8],
    at: usize,
    names: Vec<Name>,
    devs: Vec<Arc<DevRef>>,
    /// Where the first mistake was.
    wrong: Option<usize>,
}

/// A type that is written and read.
trait Pack {
    fn put(&self, out: &mut Out);
    fn take(from: &mut In<'_>) -> Self;
}

impl Out {
    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Small ones of both signs are short.
    fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)) as u64);
    }
}

impl In<'_> {
    #[cold]
    fn fail(&mut self) {
        self.wrong.get_or_insert(self.at);
    }

    fn byte(&mut self) -> u8 {
        match self.bytes.get(self.at) {
            Some(byte) => {
                self.at += 1;
                *byte
            }
            None => {
                self.fail();
                0
            }
        }
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
        }
        self.fail();
        0
    }

    fn signed(&mut self) -> i64 {
        let number = self.number();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    /// A number that may be up to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        let number = self.number();
        if number > most {
            self.fail();
            return 0;
        }
        number
    }

    /// How many follow. Each takes a byte at least, so a wrong number can't ask for much memory.
    fn len(&mut self) -> usize {
        let left = self.bytes.len().saturating_sub(self.at);
        self.up_to(left as u64) as usize
    }

    /// So many bytes as they are.
    fn raw(&mut self, len: usize) -> &[u8] {
        let end = self.at.saturating_add(len);
        match self.bytes.get(self.at..end) {
            Some(bytes) => {
                self.at = end;
                bytes
            }
            None => {
                self.fail();
                &[]
            }
        }
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Pack for $type {
            fn put(&self, out: &mut Out) {
                out.number(u64::from(*self));
            }
            fn take(from: &mut In<'_>) -> Self {
                from.up_to(u64::from(Self::MAX)) as Self
            }
        }
    )*};
}

numbers! { u16 u32 u64 }

macro_rules! signed {
    ($($type:ty)*) => {$(
        impl Pack for $type {
            fn put(&self, out: &mut Out) {
                out.signed(i64::from(*self));
            }
            fn take(from: &mut In<'_>) -> Self {
                Self::try_from(from.signed()).unwrap_or_else(|_| {
                    from.fail();
                    0
                })
            }
        }
    )*};
}

signed! { i16 i32 i64 }

impl Pack for usize {
    fn put(&self, out: &mut Out) {
        out.number(*self as u64);
    }
    fn take(from: &mut In<'_>) -> Self {
        from.up_to(u64::from(u32::MAX)) as Self
    }
}

impl Pack for u8 {
    fn put(&self, out: &mut Out) {
        out.bytes.push(*self);
    }
    fn take(from: &mut In<'_>) -> Self {
        from.byte()
    }
}

impl Pack for bool {
    fn put(&self, out: &mut Out) {
        out.bytes.push(u8::from(*self));
    }
    fn take(from: &mut In<'_>) -> Self {
        from.up_to(1) == 1
    }
}

impl Pack for String {
    fn put(&self, out: &mut Out) {
        out.number(self.len() as u64);
        out.bytes.extend_from_slice(self.as_bytes());
    }
    fn take(from: &mut In<'_>) -> Self {
        let len = from.len();
        match Self::from_utf8(from.raw(len).to_vec()) {
            Ok(text) => text,
            Err(_) => {
                from.fail();
                Self::new()
            }
        }
    }
}

/// 0 and the text for a new one, else its number from 1 on.
impl Pack for Name {
    fn put(&self, out: &mut Out) {
        match out.names.iter().position(|known| known == self) {
            Some(known) => out.number(known as u64 + 1),
            None => {
                out.number(0);
                out.names.push(self);
                self.to_string().put(out);
            }
        }
    }
    fn take(from: &mut In<'_>) -> Self {
        let known = from.number() as usize;
        if known == 0 {
            let name = intern(&String::take(from));
            from.names.extend(name);
        }
        let at = known.checked_sub(1).or(from.names.len().checked_sub(1));
        let name = at.and_then(|at| from.names.get(at)).copied();
        name.unwrap_or_else(|| {
            from.fail();
            ""
        })
    }
}

/// 0 for none, 1 and the device for a new one, else its number from 2 on.
impl Pack for Option<Arc<DevRef>> {
    fn put(&self, out: &mut Out) {
        let Some(dev) = self else {
            return out.number(0);
        };
        match out.devs.iter().position(|known| known == dev) {
            Some(known) => out.number(known as u64 + 2),
            None => {
                out.number(1);
                out.devs.push(dev.clone());
                dev.as_ref().put(out);
            }
        }
    }
    fn take(from: &mut In<'_>) -> Self {
        let known = from.number() as usize;
        if known == 0 {
            return None;
        }
        if known == 1 {
            let dev = Arc::new(DevRef::take(from));
            from.devs.push(dev.clone());
            return Some(dev);
        }
        let dev = from.devs.get(known - 2).cloned();
        if dev.is_none() {
            from.fail();
        }
        dev
    }
}

impl<T: Pack> Pack for Option<T> {
    fn put(&self, out: &mut Out) {
        out.bytes.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(from: &mut In<'_>) -> Self {
        bool::take(from).then(|| T::take(from))
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn put(&self, out: &mut Out) {
        out.number(self.len() as u64);
        self.iter().for_each(|value| value.put(out));
    }
    fn take(from: &mut In<'_>) -> Self {
        let mut out = Self::new();
        for _ in 0..from.len() {
            if from.wrong.is_some() {
                break;
            }
            out.push(T::take(from));
        }
        out
    }
}

impl<A: Pack, B: Pack> Pack for (A, B) {
    fn put(&self, out: &mut Out) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(from: &mut In<'_>) -> Self {
        (A::take(from), B::take(from))
    }
}

/// Structures, field by field.
macro_rules! pack {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Pack for $type {
            fn put(&self, out: &mut Out) {
                let Self { $($field),* } = self;
                $($field.put(out);)*
            }
            fn take(from: &mut In<'_>) -> Self {
                $(let $field = Pack::take(from);)*
                Self { $($field),* }
            }
        }
    )*};
}

/// Enumerations without content: the number in this list.
macro_rules! pack_words {
    ($($type:ident [ $($word:ident),* $(,)? ])*) => {$(
        impl Pack for $type {
            fn put(&self, out: &mut Out) {
                // Does not compile when one is missing.
                let all = [$(Self::$word),*];
                match self { $(Self::$word)|* => {} }
                let at = all.iter().position(|known| known == self);
                out.bytes.push(at.unwrap_or_default() as u8);
            }
            fn take(from: &mut In<'_>) -> Self {
                let all = [$(Self::$word),*];
                let at = usize::from(from.byte());
                all.get(at).copied().unwrap_or_else(|| {
                    from.fail();
                    all[0]
                })
            }
        }
    )*};
}

use {pack, pack_words};
