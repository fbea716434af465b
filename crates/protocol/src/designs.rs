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

/// All designs, in the order of `DesignName::ALL`; a test of the worker compares.
pub const DESIGNS: [Design; 2] = [
    Design {
        name: "mac_header",
        note: "Linux 7.2",
    },
    Design {
        name: "meta_end",
        note: "series v3, not merged",
    },
];

/// So many of them, from the first on, are shown when an address names none.
pub const FIRST_SHOWN: usize = 2;

/// Index of a design by its name.
#[must_use]
pub fn design_index(name: &str) -> Option<usize> {
    DESIGNS.iter().position(|design| design.name == name)
}
