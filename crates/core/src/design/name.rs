//! The designs by name.

use std::sync::Arc;

use super::policy::{Policy, PolicyError};
use super::{
    ByPolicy, MacHeader, MetaEnd, MetadataDesign, mac_header_before, map_stash, memmove_on_decap,
    meta_end_before, skb_ext, skb_local_storage, traits,
};

/// The designs that this version simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DesignName {
    /// Linux 7.2: metadata end where the MAC header begins.
    MacHeader,
    /// Series v3: a `meta_end` field in `skb_shared_info`.
    MetaEnd,
    /// Linux 6.12: no dynptr, helpers leave metadata behind, a new head forgets them.
    MacHeader6_12,
    /// Linux 6.18: with the dynptr, read-only on clones.
    MacHeader6_18,
    /// Linux 6.19 to 7.1: helpers keep metadata, light-weight tunnels overwrite them.
    MacHeader6_19,
    /// The first version of the series: veth records the place 14 bytes too high.
    MetaEndRfc,
    /// The second version: realign is a kfunc.
    MetaEndV2,
    /// Every decapsulation moves the metadata up.
    MemmoveOnDecap,
    /// skb extension with a byte buffer, 14 August 2026.
    SkbExt,
    /// skb extension with BPF local storage, 26 February 2026.
    SkbLocalStorage,
    /// A BPF map keyed by skb, with a hook that deletes an entry when its skb is freed.
    MapStash,
    /// The same with hooks for copies and scrubbing too (the author's benchmark tree).
    MapStashGated,
    /// The same without any hook.
    MapStashBare,
    /// Traits, RFC v2.
    Traits,
    /// What the user's policy says.
    Custom(Policy),
}

/// How sure one can be of what a design does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Compared with recordings of a kernel that has it.
    Recorded,
    /// Derived from code and commit messages; no recording of such a kernel is here.
    Derived,
    /// Only proposed: derived from the text of a proposal, parts of which could not be read.
    Proposed,
}

impl Mark {
    /// `recorded`, `derived, not recorded`, `proposed only`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Derived => "derived, not recorded",
            Self::Proposed => "proposed only",
        }
    }
}

impl DesignName {
    /// Those that were recorded: what is shown when nothing is asked for, in order.
    pub const ALL: [Self; 2] = [Self::MacHeader, Self::MetaEnd];

    /// Every design that has a name, in order; `custom` has none before its policy is set.
    pub const EVERY: [Self; 14] = [
        Self::MacHeader,
        Self::MetaEnd,
        Self::MacHeader6_12,
        Self::MacHeader6_18,
        Self::MacHeader6_19,
        Self::MetaEndRfc,
        Self::MetaEndV2,
        Self::MemmoveOnDecap,
        Self::SkbExt,
        Self::SkbLocalStorage,
        Self::MapStash,
        Self::MapStashGated,
        Self::MapStashBare,
        Self::Traits,
    ];

    /// The design itself.
    #[must_use]
    pub fn design(self) -> Arc<dyn MetadataDesign> {
        match self.by_policy() {
            Some(design) => Arc::new(design),
            None if self == Self::MetaEnd => Arc::new(MetaEnd),
            None => Arc::new(MacHeader),
        }
    }

    fn by_policy(self) -> Option<ByPolicy> {
        Some(match self {
            Self::MacHeader | Self::MetaEnd => return None,
            Self::MacHeader6_12 => mac_header_before::V6_12,
            Self::MacHeader6_18 => mac_header_before::V6_18,
            Self::MacHeader6_19 => mac_header_before::V6_19,
            Self::MetaEndRfc => meta_end_before::RFC,
            Self::MetaEndV2 => meta_end_before::V2,
            Self::MemmoveOnDecap => memmove_on_decap::MEMMOVE_ON_DECAP,
            Self::SkbExt => skb_ext::SKB_EXT,
            Self::SkbLocalStorage => skb_local_storage::SKB_LOCAL_STORAGE,
            Self::MapStash => map_stash::WITH_FREE_HOOK,
            Self::MapStashGated => map_stash::GATED,
            Self::MapStashBare => map_stash::BARE,
            Self::Traits => traits::TRAITS,
            Self::Custom(policy) => ByPolicy {
                name: "custom",
                policy,
                structure_bytes: structure_bytes(&policy),
            },
        })
    }

    /// The design as data.
    #[must_use]
    pub fn policy(self) -> Policy {
        match self.by_policy() {
            Some(design) => design.policy,
            None if self == Self::MetaEnd => Policy::META_END,
            None => Policy::MAC_HEADER,
        }
    }

    /// The name in addresses and files; that of a custom design is `custom`, whatever its policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MacHeader => "mac_header",
            Self::MetaEnd => "meta_end",
            other => other.by_policy().map_or("custom", |design| design.name),
        }
    }

    /// By name; `custom:point=value,…` is a policy.
    ///
    /// # Errors
    /// What is wrong with a policy. `Ok(None)`: there is no such name.
    pub fn read(name: &str) -> Result<Option<Self>, PolicyError> {
        if name == "custom" {
            return Ok(Some(Self::Custom(Policy::MAC_HEADER)));
        }
        if let Some(policy) = name.strip_prefix("custom:") {
            return Policy::parse(policy).map(|policy| Some(Self::Custom(policy)));
        }
        let found = Self::EVERY
            .into_iter()
            .find(|design| design.as_str() == name);
        Ok(found)
    }

    /// As [`DesignName::read`], without the reason.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::read(name).ok().flatten()
    }

    /// How sure one can be of it.
    #[must_use]
    pub fn mark(self) -> Mark {
        match self {
            Self::MacHeader | Self::MetaEnd => Mark::Recorded,
            Self::MacHeader6_12
            | Self::MacHeader6_18
            | Self::MacHeader6_19
            | Self::MetaEndRfc
            | Self::MetaEndV2
            | Self::MemmoveOnDecap
            | Self::Custom(_) => Mark::Derived,
            Self::SkbExt
            | Self::SkbLocalStorage
            | Self::MapStash
            | Self::MapStashGated
            | Self::MapStashBare
            | Self::Traits => Mark::Proposed,
        }
    }

    /// Its page in `content/designs/`, without `.md`.
    #[must_use]
    pub fn page(self) -> &'static str {
        match self {
            Self::MacHeader | Self::MacHeader6_12 | Self::MacHeader6_18 | Self::MacHeader6_19 => {
                "mac_header"
            }
            Self::MetaEnd | Self::MetaEndRfc | Self::MetaEndV2 => "meta_end",
            Self::MapStash | Self::MapStashGated | Self::MapStashBare => "map_stash",
            Self::MemmoveOnDecap
            | Self::SkbExt
            | Self::SkbLocalStorage
            | Self::Traits
            | Self::Custom(_) => self.as_str(),
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::MacHeader => "Linux 7.2",
            Self::MetaEnd => "series v3, not merged",
            Self::MacHeader6_12 => "Linux 6.12",
            Self::MacHeader6_18 => "Linux 6.18",
            Self::MacHeader6_19 => "Linux 6.19 to 7.1",
            Self::MetaEndRfc => "the series' RFC, 24 Nov 2025",
            Self::MetaEndV2 => "series v2, 5 Jan 2026",
            Self::MemmoveOnDecap => "a memmove at every decapsulation",
            Self::SkbExt => "skb extension with a byte buffer, 14 Aug 2026",
            Self::SkbLocalStorage => "skb local storage, 26 Feb 2026",
            Self::MapStash => "BPF map keyed by skb, freed by a hook",
            Self::MapStashGated => "BPF map keyed by skb, with hooks for free, copy and scrub",
            Self::MapStashBare => "BPF map keyed by skb, without hooks",
            Self::Traits => "traits, RFC v2, 22 Apr 2025",
            Self::Custom(_) => "policy points set by the user",
        }
    }
}

/// What a policy needs in kernel structures: a u16 for a field; an extension's buffer, or its pointer, outside.
fn structure_bytes(policy: &Policy) -> u64 {
    use super::policy::{End, Store};
    match (policy.end, policy.store) {
        (End::MacHeader | End::HeadStart, _) | (End::Outside, Store::Map) => 0,
        (End::Field, _) => 2,
        (End::Outside, Store::Extension) => skb_ext::SKB_EXT.structure_bytes,
        (End::Outside, Store::LocalStorage) => skb_local_storage::SKB_LOCAL_STORAGE.structure_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_every_policy_is_sound() {
        for design in DesignName::EVERY {
            assert_eq!(DesignName::parse(design.as_str()), Some(design));
            assert_eq!(design.design().name(), design.as_str());
            assert_eq!(design.policy().check(), Ok(()), "{}", design.as_str());
        }
        assert_eq!(DesignName::parse("gone"), None);
        let custom = DesignName::parse("custom:end=field").map(DesignName::policy);
        assert_eq!(
            custom.map(|policy| policy.to_string()).as_deref(),
            Some("end=field")
        );
        assert!(DesignName::read("custom:end=moon").is_err());
    }
}
