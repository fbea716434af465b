//! A design as data: one value for each point in which designs differ. `custom` is a policy that the user sets;
//! every design that is not recorded is a policy with a name.

use std::fmt;

use thiserror::Error;

macro_rules! points {
    ($($(#[doc = $doc:literal])* $field:ident: $type:ident { $($(#[doc = $value_doc:literal])* $value:ident = $word:literal),+ $(,)? })+) => {
        $(
            $(#[doc = $doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub enum $type { $($(#[doc = $value_doc])* $value),+ }

            impl $type {
                /// The word in addresses and files.
                #[must_use]
                pub fn word(self) -> &'static str {
                    match self { $(Self::$value => $word),+ }
                }
            }
        )+

        /// What a design does at each point.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct Policy { $($(#[doc = $doc])* pub $field: $type),+ }

        /// The points in order, in words: what each one decides and what its values mean.
        pub const POINTS: &[Point] = &[$(Point {
            name: stringify!($field),
            about: concat!($($doc),*),
            values: &[$(Value { word: $word, about: concat!($($value_doc),*) }),+],
        }),+];

        impl Policy {
            /// The points in order: name, the value of this policy, all values.
            #[must_use]
            pub fn points(&self) -> Vec<(&'static str, &'static str, &'static [&'static str])> {
                vec![$((stringify!($field), self.$field.word(), &[$($word),+] as &[_])),+]
            }

            /// Sets a point.
            ///
            /// # Errors
            /// [`PolicyError`] names the point, or the values it takes.
            pub fn set(&mut self, point: &str, value: &str) -> Result<(), PolicyError> {
                match point {
                    $(stringify!($field) => {
                        self.$field = match value {
                            $($word => $type::$value,)+
                            _ => return Err(PolicyError::Value {
                                point: stringify!($field),
                                value: value.into(),
                                known: [$($word),+].join(", "),
                            }),
                        };
                        Ok(())
                    })+
                    _ => Err(PolicyError::Point {
                        point: point.into(),
                        known: [$(stringify!($field)),+].join(", "),
                    }),
                }
            }
        }
    };
}

/// A policy point in words. The texts begin with a space, as they stand in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Name, as in addresses.
    pub name: &'static str,
    /// What it decides.
    pub about: &'static str,
    /// What it may be.
    pub values: &'static [Value],
}

/// A value of a policy point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// The word in addresses.
    pub word: &'static str,
    /// What it means.
    pub about: &'static str,
}

points! {
    /// Where metadata end once the packet is an skb.
    end: End {
        /// Where the MAC header begins: only a length is stored.
        MacHeader = "mac_header",
        /// Where a field of `skb_shared_info` says, an offset from `head`.
        Field = "field",
        /// At the start of the buffer behind `xdp_frame`, where pushes reach last.
        HeadStart = "head_start",
        /// Outside of the buffer, in something that belongs to the skb.
        Outside = "outside",
    }
    /// What they are kept in, for `end=outside`.
    store: Store {
        /// An skb extension: one allocation at the first write.
        Extension = "extension",
        /// Local storage that hangs off an extension: extension, storage and element.
        LocalStorage = "local_storage",
        /// An element of a map whose key is the address of the skb.
        Map = "map",
    }
    /// When a driver records the place, for `end=field`.
    driver: DriverSet {
        /// While `data` is at the MAC header.
        AtMacHeader = "at_mac_header",
        /// As Linux 7.2 has it: veth behind `eth_type_trans()`, 14 bytes too high.
        AsCalled = "as_called",
    }
    /// Decapsulation: what a device does to the metadata when it resets `mac_header`.
    on_decap: OnDecap {
        /// Nothing.
        Keep = "keep",
        /// Moves them up against the new MAC header.
        MoveUp = "move_up",
        /// Sets the length to 0.
        Clear = "clear",
    }
    /// Encapsulation: what a tunnel device does before it pushes its headers.
    on_encap: OnEncap {
        /// Nothing; the headers may overwrite them.
        Keep = "keep",
        /// Moves them to the top of the buffer, for `end=field`.
        ToHead = "to_head",
        /// Sets the length to 0.
        Clear = "clear",
    }
    /// TC helpers that push or pull: `skb_data_move()`.
    helpers: Helpers {
        /// Linux 6.19: metadata against the packet move with it; any other are cleared, with a warning.
        MoveOrClear = "move_or_clear",
        /// Series v3: as above, but over a gap they stay on a pull and go to the top on a push.
        MoveOrGap = "move_or_gap",
        /// Before 6.19: nobody moves them.
        Leave = "leave",
    }
    /// `pskb_expand_head()`: a new buffer.
    on_expand: OnExpand {
        /// They come along.
        Keep = "keep",
        /// The length becomes 0 (before 6.19).
        Clear = "clear",
    }
    /// `skb_reorder_vlan_header()`: a VLAN tag is taken out of the frame.
    on_untag: OnUntag {
        /// They move up with the MAC addresses.
        Move = "move",
        /// They stay; a gap of 4 bytes opens.
        Leave = "leave",
    }
    /// `lwtunnel_input/output/xmit()`.
    on_lwt: OnLwt {
        /// The length becomes 0 (7.2).
        Clear = "clear",
        /// Nothing (before 7.2).
        Keep = "keep",
    }
    /// `skb_scrub_packet()`.
    on_scrub: OnScrub {
        /// Nothing.
        Keep = "keep",
        /// They are dropped, as 7.2 drops extensions.
        Clear = "clear",
    }
    /// `skb_clone()`, and copies of the skb's fields.
    on_clone: OnClone {
        /// Both see the same bytes, also after a write.
        Share = "share",
        /// Both see them until one writes: the writer gets a copy.
        CopyOnWrite = "copy_on_write",
        /// The clone gets a copy at once.
        Copy = "copy",
        /// The clone has none.
        None = "none",
        /// Shared, but neither may be asked for them.
        Refuse = "refuse",
    }
    /// The end of the skb, for `store=map`.
    on_free: OnFree {
        /// A hook deletes them.
        Free = "free",
        /// Nobody does: the next skb at that address finds them.
        Leak = "leak",
    }
    /// What runs in front of a TC program that loads `data_meta`.
    prologue: DataMetaPrologue {
        /// Nothing.
        None = "none",
        /// `bpf_skb_meta_realign()`, for `end=field`.
        Realign = "realign",
    }
    /// `bpf_dynptr_from_skb_meta()` or the design's own function in its place.
    dynptr: DynptrAccess {
        /// Reads and writes; a write makes the buffer the packet's own first (6.19).
        Full = "full",
        /// Read-only while the packet is a clone (6.18).
        ReadOnlyClone = "read_only_clone",
        /// There is none: a program that calls it is refused (before 6.18).
        Absent = "absent",
    }
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// No such point.
    #[error("there is no policy point `{point}`; there are: {known}")]
    Point {
        /// What was asked for.
        point: String,
        /// What there is.
        known: String,
    },
    /// No such value.
    #[error("policy point `{point}` has no value `{value}`; it takes: {known}")]
    Value {
        /// The point.
        point: &'static str,
        /// What was asked for.
        value: String,
        /// What there is.
        known: String,
    },
    /// `name=value` is expected.
    #[error("`{0}`: expected point=value")]
    Form(String),
    /// Two points contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Policy {
    /// Linux 7.2.
    pub const MAC_HEADER: Self = Self {
        end: End::MacHeader,
        store: Store::Extension,
        driver: DriverSet::AsCalled,
        on_decap: OnDecap::Keep,
        on_encap: OnEncap::Keep,
        helpers: Helpers::MoveOrClear,
        on_expand: OnExpand::Keep,
        on_untag: OnUntag::Move,
        on_lwt: OnLwt::Clear,
        on_scrub: OnScrub::Keep,
        on_clone: OnClone::Share,
        on_free: OnFree::Free,
        prologue: DataMetaPrologue::None,
        dynptr: DynptrAccess::Full,
    };

    /// Series v3.
    pub const META_END: Self = Self {
        end: End::Field,
        driver: DriverSet::AtMacHeader,
        helpers: Helpers::MoveOrGap,
        on_untag: OnUntag::Leave,
        prologue: DataMetaPrologue::Realign,
        ..Self::MAC_HEADER
    };

    /// Reads `point=value,point=value`; what is not named is as in Linux 7.2.
    ///
    /// # Errors
    /// [`PolicyError`]: an unknown point or value, or points that contradict each other.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut policy = Self::MAC_HEADER;
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (point, value) = part
                .split_once('=')
                .ok_or_else(|| PolicyError::Form(part.into()))?;
            policy.set(point.trim(), value.trim())?;
        }
        policy.check()?;
        Ok(policy)
    }

    /// Points that can't go together.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), PolicyError> {
        let field = self.end == End::Field;
        let rules = [
            (
                self.prologue == DataMetaPrologue::Realign && !field,
                "prologue=realign needs end=field: there is nothing else that could lag behind the MAC header",
            ),
            (
                self.on_encap == OnEncap::ToHead && !field,
                "on_encap=to_head needs end=field: no other end can say that they are there",
            ),
            (
                self.helpers == Helpers::MoveOrGap && !field,
                "helpers=move_or_gap needs end=field: without it there is no gap",
            ),
            (
                self.end != End::Outside && self.on_clone != OnClone::Share,
                "on_clone is share while metadata lie in the buffer, because clones share it",
            ),
            (
                self.on_free == OnFree::Leak
                    && (self.end != End::Outside || self.store != Store::Map),
                "on_free=leak needs end=outside and store=map",
            ),
            (
                self.end == End::Outside && self.on_decap == OnDecap::MoveUp,
                "on_decap=move_up has nothing to move while metadata lie outside of the buffer",
            ),
            (
                self.end == End::HeadStart && self.on_decap == OnDecap::MoveUp,
                "on_decap=move_up contradicts end=head_start, which is a fixed place",
            ),
        ];
        match rules.into_iter().find(|(broken, _)| *broken) {
            Some((_, why)) => Err(PolicyError::Contradiction(why)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Policy {
    /// The points that are not as in Linux 7.2, as [`Policy::parse`] reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = Self::MAC_HEADER.points();
        let own = self.points();
        let differ = own
            .iter()
            .zip(&usual)
            .filter(|(own, usual)| own.1 != usual.1);
        for (index, ((point, value, _), _)) in differ.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{point}={value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn print_and_parse_are_inverse() {
        for policy in [Policy::MAC_HEADER, Policy::META_END] {
            assert_eq!(Policy::parse(&policy.to_string()), Ok(policy));
        }
        let text = "end=outside,store=map,on_clone=none,on_free=leak";
        let policy = Policy::parse(text).expect("a policy");
        assert_eq!(policy.to_string(), text);
    }

    #[test]
    fn every_point_and_value_is_said_in_words() {
        let points = Policy::MAC_HEADER.points();
        assert_eq!(points.len(), POINTS.len());
        for ((name, _, words), point) in points.into_iter().zip(POINTS) {
            assert_eq!(name, point.name);
            let known: Vec<&str> = point.values.iter().map(|value| value.word).collect();
            assert_eq!(known, words);
            for about in point.values.iter().map(|value| value.about) {
                assert!(about.len() > 5 && about.ends_with('.'), "{name}: {about}");
            }
            assert!(point.about.len() > 5, "{name}: {}", point.about);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| Policy::parse(text).expect_err(text).to_string();
        assert!(
            wrong("on_lunch=keep")
                .starts_with("there is no policy point `on_lunch`; there are: end, store")
        );
        assert!(wrong("on_decap=fly").contains("it takes: keep, move_up, clear"));
        assert!(wrong("on_decap").contains("expected point=value"));
        assert!(wrong("prologue=realign").contains("needs end=field"));
        assert!(wrong("on_clone=copy").contains("clones share it"));
        assert!(wrong("on_free=leak").contains("store=map"));
    }
}
