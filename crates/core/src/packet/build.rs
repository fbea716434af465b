//! Layers to bytes.

use thiserror::Error;

use super::number::number;
use super::{Fill, Kind, Layer, Spec};
use crate::net::checksum;

/// Most layers of a frame.
pub const MAX_LAYERS: usize = 32;
/// Most bytes of a frame, as a packet socket takes them.
pub(super) const MAX_FRAME: usize = 65_535;

/// Why layers make no frame. Layers count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("layer {layer}, {}: {what}", .kind.word())]
pub struct BuildError {
    /// Which layer.
    pub layer: usize,
    /// Its kind.
    pub kind: Kind,
    /// The field, if it is about one.
    pub field: Option<&'static str>,
    /// What is wrong.
    pub what: String,
}

/// The frame.
///
/// # Errors
/// [`BuildError`]: a layer that nothing can name, a length that does not fit its field, options of a
/// length that cannot be, too much of something.
pub fn build(layers: &[Layer]) -> Result<Vec<u8>, BuildError> {
    let wrong = |index: usize, field, what: String| BuildError {
        layer: index + 1,
        kind: layers.get(index).map_or(Kind::Payload, |layer| layer.kind),
        field,
        what,
    };
    if layers.len() > MAX_LAYERS {
        let what = format!("more than {MAX_LAYERS} layers");
        return Err(wrong(MAX_LAYERS, None, what));
    }
    let mut bytes: Vec<u8> = Vec::new();
    for (index, layer) in layers.iter().enumerate().rev() {
        check_bytes(layer).map_err(|what| wrong(index, None, what))?;
        let ctx = Context {
            layers,
            index,
            layer,
            behind: &bytes,
        };
        let mut header = ctx
            .header()
            .map_err(|(field, what)| wrong(index, field, what))?;
        ctx.checksum(&mut header);
        header.append(&mut bytes);
        bytes = header;
        if bytes.len() > MAX_FRAME {
            let what = format!("the frame is longer than {MAX_FRAME} bytes");
            return Err(wrong(index, None, what));
        }
    }
    Ok(bytes)
}

fn check_bytes(layer: &Layer) -> Result<(), String> {
    let (len, most) = (layer.bytes.len(), layer.kind.most_bytes());
    if len > most {
        return Err(format!("{len} bytes of options, at most {most} fit"));
    }
    if layer.kind != Kind::Payload && len % 4 != 0 {
        return Err(format!(
            "{len} bytes of options, it must be a multiple of four"
        ));
    }
    Ok(())
}

type Wrong = (Option<&'static str>, String);

struct Context<'l> {
    layers: &'l [Layer],
    index: usize,
    layer: &'l Layer,
    /// Everything behind this layer, built.
    behind: &'l [u8],
}

impl Context<'_> {
    /// The header with its options; a checksum that is to be computed is 0.
    fn header(&self) -> Result<Vec<u8>, Wrong> {
        let layer = self.layer;
        let mut out = vec![0; layer.kind.fixed_len()];
        for spec in layer.kind.fields() {
            let value = match (layer.given(spec.name), spec.fill) {
                (_, Fill::Absent) | (None, Fill::Checksum) => continue,
                (Some(value), _) => value,
                (None, Fill::Usual(value)) => value,
                (None, Fill::Next) => self.next(spec)?,
                (None, Fill::Length) => self.length(spec),
            };
            if spec.bits < 128 && value >> spec.bits != 0 {
                let most = (1u128 << spec.bits) - 1;
                let what = format!("{} is {value}, at most {most} fits", spec.name);
                return Err((Some(spec.name), what));
            }
            put(&mut out, spec.bit, spec.bits, value);
        }
        if layer.kind == Kind::Gre {
            self.gre_words(&mut out);
        }
        out.extend(&layer.bytes);
        Ok(out)
    }

    /// `C`, `K` and `S` of the first byte, and the words they promise (RFC 2890, section 2).
    fn gre_words(&self, out: &mut Vec<u8>) {
        let mut word = |name: &str, flag: u8, value: &dyn Fn(u128) -> [u8; 4]| {
            if let Some(given) = self.layer.given(name) {
                out[0] |= flag;
                out.extend(value(given));
            }
        };
        word("csum", 0x80, &|value| ((value as u32) << 16).to_be_bytes());
        word("key", 0x20, &|value| (value as u32).to_be_bytes());
        word("seq", 0x10, &|value| (value as u32).to_be_bytes());
    }

    fn kind_at(&self, index: usize) -> Option<Kind> {
        self.layers.get(index).map(|layer| layer.kind)
    }

    fn next(&self, spec: &Spec) -> Result<u128, Wrong> {
        let (next, after) = (self.kind_at(self.index + 1), self.kind_at(self.index + 2));
        match self.layer.kind {
            Kind::Mpls => Ok(u128::from(next != Some(Kind::Mpls))),
            Kind::Icmp => Ok(if self.network() == Some(Kind::Ipv6) {
                128
            } else {
                8
            }),
            kind => number(kind, next, after).ok_or_else(|| {
                let word = next.unwrap_or(Kind::Payload).word();
                let what = format!(
                    "{word} can't stand behind it; a {} of your own makes it so",
                    spec.name
                );
                (Some(spec.name), what)
            }),
        }
    }

    fn length(&self, spec: &Spec) -> u128 {
        let (kind, options) = (self.layer.kind, self.layer.bytes.len());
        let header = kind.fixed_len() + options;
        let len = match (kind, spec.name) {
            (Kind::Ipv4, "ihl") | (Kind::Tcp, "doff") => header / 4,
            (Kind::Geneve, _) => options / 4,
            (Kind::Ipv6, _) => self.behind.len(),
            _ => header + self.behind.len(),
        };
        len as u128
    }

    /// Kind of the nearest IP header in front.
    fn network(&self) -> Option<Kind> {
        self.network_layer().map(|layer| layer.kind)
    }

    fn network_layer(&self) -> Option<&Layer> {
        self.layers[..self.index]
            .iter()
            .rev()
            .find(|layer| matches!(layer.kind, Kind::Ipv4 | Kind::Ipv6))
    }

    /// Computes the checksum, if there is one and it was not given.
    fn checksum(&self, header: &mut [u8]) {
        let Some(spec) = self
            .layer
            .kind
            .fields()
            .iter()
            .find(|spec| spec.fill == Fill::Checksum)
        else {
            return;
        };
        if self.layer.given(spec.name).is_some() {
            return;
        }
        let sum = match self.layer.kind {
            Kind::Ipv4 => checksum::internet(header),
            Kind::Icmp if self.network() != Some(Kind::Ipv6) => {
                checksum::internet(&[header, self.behind].concat())
            }
            kind => {
                let data = [header, self.behind].concat();
                let sum = !checksum::sum(&data, self.pseudo(kind, data.len()));
                // RFC 768: a computed zero is sent as all ones; zero says that there is none.
                if kind == Kind::Udp && sum == 0 {
                    0xffff
                } else {
                    sum
                }
            }
        };
        put(header, spec.bit, spec.bits, sum.into());
    }

    /// The sum of the pseudo header (RFC 768, RFC 9293; RFC 8200, section 8.1). Nothing in front: 0.
    fn pseudo(&self, kind: Kind, len: usize) -> u16 {
        let Some(network) = self.network_layer() else {
            return 0;
        };
        let protocol = number(network.kind, Some(kind), None).unwrap_or(0) as u8;
        let address = |name: &str| {
            let usual = |spec: &&Spec| spec.name == name;
            let spec = network.kind.fields().iter().find(usual);
            let value = network.given(name).or(match spec.map(|spec| spec.fill) {
                Some(Fill::Usual(value)) => Some(value),
                _ => None,
            });
            value.unwrap_or(0).to_be_bytes()
        };
        let (saddr, daddr) = (address("saddr"), address("daddr"));
        let tail = [
            (len >> 24) as u8,
            (len >> 16) as u8,
            (len >> 8) as u8,
            len as u8,
            0,
            0,
            0,
            protocol,
        ];
        let start = if network.kind == Kind::Ipv4 { 12 } else { 0 };
        checksum::sum(
            &tail,
            checksum::sum(&daddr[start..], checksum::sum(&saddr[start..], 0)),
        )
    }
}

/// Writes `bits` bits at bit `at`, most significant first.
pub(super) fn put(out: &mut [u8], at: usize, bits: usize, value: u128) {
    for i in 0..bits {
        let bit = value >> (bits - 1 - i) & 1;
        let (byte, shift) = ((at + i) / 8, 7 - (at + i) % 8);
        if let Some(byte) = out.get_mut(byte) {
            *byte = *byte & !(1 << shift) | (bit as u8) << shift;
        }
    }
}

/// Reads what [`put`] wrote.
pub(super) fn take(bytes: &[u8], at: usize, bits: usize) -> u128 {
    (at..at + bits).fold(0, |value, bit| {
        let byte = bytes.get(bit / 8).copied().unwrap_or(0);
        value << 1 | u128::from(byte >> (7 - bit % 8) & 1)
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
