//! How a trace is written down for another program: the site's build writes traces that its pages
//! read, and the simulator's worker hands them to the page. What serde's derived form does badly is
//! here: names that are `&'static str`, bytes with their origins, listings that runs share.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::origin::OriginId;
use super::step::{DevRef, Run};
use crate::bpf::Listing;
use crate::names::intern;

/// A name out of the simulator's own text: a kernel function, a source file, a hook.
///
/// An alias, because serde takes a field that is written `&'static str` for one that borrows from
/// what is read.
pub type Name = &'static str;

/// A [`Name`] as a string.
pub mod name {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(name: &Name, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(name)
    }

    /// Reads it.
    ///
    /// # Errors
    /// The deserializer's; a name that is too long, or one too many.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        let text = String::deserialize(from)?;
        intern(&text).ok_or_else(|| D::Error::custom("a name is too long, or one too many"))
    }
}

/// A device's name that steps share.
pub mod shared {
    use super::*;

    /// Writes it.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(dev: &Option<Arc<DevRef>>, to: S) -> Result<S::Ok, S::Error> {
        dev.as_deref().serialize(to)
    }

    /// Reads it.
    ///
    /// # Errors
    /// The deserializer's.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<DevRef>>, D::Error> {
        Ok(Option::<DevRef>::deserialize(from)?.map(Arc::new))
    }
}

/// Bytes with their origins: the bytes as they are, the origins as runs, because a header or a
/// payload is one run of some hundred bytes.
pub mod cells {
    use super::*;

    /// First origin of a run and its length; the `byte` of an origin counts up inside of a run, or
    /// stays (bytes nobody wrote all are byte 0).
    pub(in crate::trace) type Runs = Vec<(OriginId, u16, bool)>;

    pub(in crate::trace) fn runs(cells: &[(u8, OriginId)]) -> Runs {
        let mut out: Runs = Vec::new();
        for (_, origin) in cells {
            if let Some((first, len, counts)) = out.last_mut().filter(|(_, len, _)| *len < u16::MAX)
            {
                let up = first
                    .byte
                    .checked_add(*len)
                    .map(|byte| OriginId { byte, ..*first });
                if *len == 1 && *origin == *first {
                    (*len, *counts) = (2, false);
                    continue;
                }
                let next = if *counts { up } else { Some(*first) };
                if next == Some(*origin) {
                    *len += 1;
                    continue;
                }
            }
            out.push((*origin, 1, true));
        }
        out
    }

    /// Writes them.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(cells: &[(u8, OriginId)], to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = cells.iter().map(|(byte, _)| *byte).collect();
        (bytes, runs(cells)).serialize(to)
    }

    /// Reads them.
    ///
    /// # Errors
    /// The deserializer's; origins that are not as many as the bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(u8, OriginId)>, D::Error> {
        let (bytes, runs): (Vec<u8>, Runs) = Deserialize::deserialize(from)?;
        let total: usize = runs.iter().map(|(_, len, _)| usize::from(*len)).sum();
        if total != bytes.len() {
            return Err(D::Error::custom("there are not as many origins as bytes"));
        }
        let origins = runs.into_iter().flat_map(|(first, len, counts)| {
            (0..len).map(move |n| OriginId {
                byte: first.byte.wrapping_add(if counts { n } else { 0 }),
                ..first
            })
        });
        Ok(bytes.into_iter().zip(origins).collect())
    }
}

/// Runs of programs, each listing once.
pub mod runs {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Flat {
        program: String,
        #[serde(with = "super::name")]
        hook: Name,
        dev: DevRef,
        listing: usize,
        verdict: Option<i64>,
    }

    /// Writes them.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(runs: &[Run], to: S) -> Result<S::Ok, S::Error> {
        let mut listings: Vec<&Listing> = Vec::new();
        let mut flat = Vec::with_capacity(runs.len());
        for run in runs {
            let listing = listings
                .iter()
                .position(|known| std::ptr::eq(*known, &*run.listing) || **known == *run.listing);
            let listing = listing.unwrap_or_else(|| {
                listings.push(&run.listing);
                listings.len() - 1
            });
            flat.push(Flat {
                program: run.program.clone(),
                hook: run.hook,
                dev: run.dev.clone(),
                listing,
                verdict: run.verdict,
            });
        }
        (listings, flat).serialize(to)
    }

    /// Reads them.
    ///
    /// # Errors
    /// The deserializer's; a run whose listing is not there.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Run>, D::Error> {
        let (listings, flat): (Vec<Listing>, Vec<Flat>) = Deserialize::deserialize(from)?;
        let listings: Vec<Arc<Listing>> = listings.into_iter().map(Arc::new).collect();
        flat.into_iter()
            .map(|run| {
                let listing = listings.get(run.listing).cloned();
                Ok(Run {
                    program: run.program,
                    hook: run.hook,
                    dev: run.dev,
                    listing: listing.ok_or_else(|| D::Error::custom("a run has no listing"))?,
                    verdict: run.verdict,
                })
            })
            .collect()
    }
}
