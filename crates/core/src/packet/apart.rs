//! Bytes to layers: the inverse of `build`, for a packet that was dropped or typed as hex.

use super::build::{MAX_LAYERS, build, take};
use super::number::named;
use super::{Fill, Kind, Layer};

/// Layers that build the very same frame. A value that [`build`] would compute as it stands is not
/// given, so that changing one layer carries the others along.
#[must_use]
pub fn take_apart(frame: &[u8]) -> Vec<Layer> {
    let mut layers = layers(frame);
    forget_computed(&mut layers, frame);
    layers
}

/// The layers with all values given.
fn layers(frame: &[u8]) -> Vec<Layer> {
    let first = if frame.first() == Some(&0x45) {
        Kind::Ipv4
    } else {
        Kind::Ethernet
    };
    let mut layers = Vec::new();
    let (mut at, mut kind) = (0, first);
    while kind != Kind::Payload && layers.len() + 1 < MAX_LAYERS {
        let rest = &frame[at..];
        let Some((layer, len, next)) = header(kind, rest) else {
            break;
        };
        layers.push(layer);
        at += len;
        kind = next;
    }
    if at < frame.len() {
        layers.push(Layer {
            bytes: frame[at..].to_vec(),
            ..Layer::new(Kind::Payload)
        });
    }
    layers
}

/// Reads one header: its layer with all values given, its length, what is behind it.
fn header(kind: Kind, rest: &[u8]) -> Option<(Layer, usize, Kind)> {
    let fixed = kind.fixed_len();
    if rest.len() < fixed || fixed == 0 {
        return None;
    }
    let mut layer = Layer::new(kind);
    if kind == Kind::Gre {
        return gre(rest, layer);
    }
    let mut next = Kind::Payload;
    for spec in kind.fields() {
        let value = take(rest, spec.bit, spec.bits);
        layer.values.push((spec.name, value));
        if spec.fill == Fill::Next {
            next = named(kind, value);
        }
    }
    let len = match kind {
        Kind::Ipv4 => usize::from(rest[0] & 0x0f) * 4,
        Kind::Tcp => usize::from(rest[12] >> 4) * 4,
        Kind::Geneve => fixed + usize::from(rest[0] & 0x3f) * 4,
        _ => fixed,
    };
    let version = match kind {
        Kind::Ipv4 => Some(4),
        Kind::Ipv6 => Some(6),
        _ => None,
    };
    if len < fixed || rest.len() < len || version.is_some_and(|version| rest[0] >> 4 != version) {
        return None;
    }
    layer.bytes = rest[fixed..len].to_vec();
    let next = match kind {
        Kind::Vxlan => Kind::Ethernet,
        Kind::Mpls if layer.given("bottom") == Some(0) => Kind::Mpls,
        Kind::Mpls => match rest.get(len).map(|byte| byte >> 4) {
            Some(4) => Kind::Ipv4,
            Some(6) => Kind::Ipv6,
            _ => Kind::Payload,
        },
        Kind::Ipv4 if layer.given("frag_off") != Some(0) => Kind::Payload,
        Kind::Icmp => Kind::Payload,
        _ => next,
    };
    Some((layer, len, next))
}

/// GRE with routing or of another version stays payload.
fn gre(rest: &[u8], mut layer: Layer) -> Option<(Layer, usize, Kind)> {
    if rest[0] & 0x4f != 0 || rest[1] != 0 {
        return None;
    }
    let proto = take(rest, 16, 16);
    layer.values.push(("protocol", proto));
    let mut at = 4;
    for (name, flag, bits) in [("csum", 0x80, 16), ("key", 0x20, 32), ("seq", 0x10, 32)] {
        if rest[0] & flag != 0 {
            let word = rest.get(at..at + 4)?;
            // Reserved1 must be zero; else the word can't be built again.
            if name == "csum" && (word[2], word[3]) != (0, 0) {
                return None;
            }
            layer.values.push((name, take(word, 0, bits)));
            at += 4;
        }
    }
    Some((layer, at, named(Kind::Gre, proto)))
}

/// Takes back every value without which the frame is the same.
fn forget_computed(layers: &mut [Layer], frame: &[u8]) {
    for index in 0..layers.len() {
        for spec in layers[index].kind.fields() {
            let Some(value) = layers[index].given(spec.name) else {
                continue;
            };
            layers[index].give(spec.name, None);
            if build(layers).ok().as_deref() != Some(frame) {
                layers[index].give(spec.name, Some(value));
            }
        }
    }
}

/// As [`take_apart`], with every value given, and with the length of each layer in bytes.
#[must_use]
pub fn explicit(frame: &[u8]) -> Vec<(Layer, usize)> {
    let mut out = Vec::new();
    let mut rest = frame;
    for layer in layers(frame) {
        let mut len = layer.kind.fixed_len() + layer.bytes.len();
        if layer.kind == Kind::Gre {
            let optional = ["csum", "key", "seq"];
            len += 4 * optional
                .iter()
                .filter(|name| layer.given(name).is_some())
                .count();
        }
        rest = rest.get(len..).unwrap_or_default();
        out.push((layer, len));
    }
    debug_assert!(rest.is_empty());
    out
}
