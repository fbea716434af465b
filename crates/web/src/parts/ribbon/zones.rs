//! What the fields claim: brackets over the bytes.

use headroom_core::scene::ribbon::Placed;
use headroom_core::scene::{Ribbon as Picture, Zone, ZoneKind};

use crate::dom::{El, Said, svg};
use crate::parts::ribbon::placed;

const KINDS: [ZoneKind; 6] = [
    ZoneKind::Headroom,
    ZoneKind::Metadata,
    ZoneKind::Gap,
    ZoneKind::Pulled,
    ZoneKind::Packet,
    ZoneKind::Tailroom,
];

/// The nodes of a zone, and what they show.
struct Claim {
    /// Its place, and its width as `--n`.
    group: El,
    words: Said,
    shows: Option<Placed<Zone>>,
}

/// One of each kind; those that are not there are hidden.
pub(super) struct Zones {
    claims: [Claim; 6],
}

impl Zones {
    pub(super) fn new(parent: &El) -> Self {
        let claims = KINDS.map(|kind| {
            let class = format!("zone {}", kind.word().replace(' ', "-"));
            let label = svg("text").set("y", "10");
            let words = Said::new(&label);
            let group = svg("g")
                .class(&class)
                .child(svg("path").set("d", "M0 18v-4h1v4"))
                .child(label);
            group.show(false);
            parent.append(&group);
            Claim {
                group,
                words,
                shows: None,
            }
        });
        Self { claims }
    }

    pub(super) fn show(&mut self, picture: &Picture) {
        for (kind, claim) in KINDS.iter().zip(&mut self.claims) {
            claim.show(picture.zones.iter().find(|zone| zone.item.kind == *kind));
        }
    }
}

impl Claim {
    fn show(&mut self, zone: Option<&Placed<Zone>>) {
        let last = self.shows.as_ref();
        if zone == last {
            return;
        }
        if let Some(zone) = zone {
            if last.is_none_or(|last| (last.x, last.width) != (zone.x, zone.width)) {
                placed(&self.group, zone.x + 1.0, (zone.width - 2.0).max(1.0));
            }
            self.words.say(&zone.label);
        }
        if zone.is_none() {
            self.group.show(false);
        }
        self.shows = zone.cloned();
    }
}
