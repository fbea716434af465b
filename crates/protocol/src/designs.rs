//! The designs, as pages name them. A page knows no more of a design than this: a design itself is
//! a part of the simulator, and that is not in the page.

/// A design as a page shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Design {
    /// Name in addresses, files and tables, as `headroom_core::design::DesignName` has it.
    pub name: &'static str,
    /// What stands under the name.
    pub note: &'static str,
}

const fn design(name: &'static str, note: &'static str) -> Design {
    Design { name, note }
}

/// All designs, in the order of `DesignName::EVERY`; a test of the worker compares.
pub const DESIGNS: [Design; 14] = [
    design("mac_header", "Linux 7.2"),
    design("meta_end", "series v3, not merged"),
    design("mac_header_6.12", "Linux 6.12"),
    design("mac_header_6.18", "Linux 6.18"),
    design("mac_header_6.19", "Linux 6.19 to 7.1"),
    design("meta_end_rfc", "the series' RFC, 24 Nov 2025"),
    design("meta_end_v2", "series v2, 5 Jan 2026"),
    design("memmove_on_decap", "a memmove at every decapsulation"),
    design("skb_ext", "skb extension with a byte buffer, 14 Aug 2026"),
    design("skb_local_storage", "skb local storage, 26 Feb 2026"),
    design("map_stash", "BPF map keyed by skb, freed by a hook"),
    design(
        "map_stash_gated",
        "BPF map keyed by skb, with hooks for free, copy and scrub",
    ),
    design("map_stash_bare", "BPF map keyed by skb, without hooks"),
    design("traits", "traits, RFC v2, 22 Apr 2025"),
];

/// So many of them, from the first on, are shown when an address names none. They were recorded, and
/// the build simulates every scenario under them; under the others the worker does when one is asked for.
pub const FIRST_SHOWN: usize = 2;

/// The design whose policy points stand in the address: `custom:point=value,…`.
pub const CUSTOM: &str = "custom";

/// Index of a design by its name.
#[must_use]
pub fn design_index(name: &str) -> Option<usize> {
    DESIGNS.iter().position(|design| design.name == name)
}
