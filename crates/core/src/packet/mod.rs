//! Frames from layers: a person says what stands on what, lengths, types and checksums are
//! computed. A value that is given is kept as given, be it right or wrong.
//!
//! The text form is one line: `ethernet / vlan id=7 / ipv4 saddr=10.0.0.2 / icmp / payload 6162`.

mod apart;
mod build;
mod kind;
mod number;
mod text;

pub use apart::{explicit, take_apart};
pub use build::{BuildError, MAX_LAYERS, build};
pub use kind::{Fill, Form, Kind, Spec};
pub use text::{TextError, parse, print, print_value, read_value};

/// One layer: a header, or the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Which.
    pub kind: Kind,
    /// Values that were given, by field name; all others are computed or have their usual value.
    pub values: Vec<(&'static str, u128)>,
    /// Options behind the fixed header (IPv4, TCP, GENEVE), or the payload's bytes.
    pub bytes: Vec<u8>,
}

impl Layer {
    /// A layer with nothing given.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            values: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// The value that was given for a field.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<u128> {
        self.values
            .iter()
            .find(|(field, _)| *field == name)
            .map(|(_, value)| *value)
    }

    /// Gives a value, or takes it back. A field the layer does not have changes nothing.
    pub fn give(&mut self, name: &str, value: Option<u128>) {
        let Some(spec) = self.kind.fields().iter().find(|spec| spec.name == name) else {
            return;
        };
        self.values.retain(|(field, _)| *field != name);
        if let Some(value) = value {
            self.values.push((spec.name, value));
        }
    }
}
