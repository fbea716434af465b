//! What the fields claim: brackets over the bytes.

use headroom_core::scene::ribbon::Placed;
use headroom_core::scene::{Ribbon as Picture, Zone, ZoneKind};

use crate::dom::{El, svg, text};
use crate::parts::px;

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
    group: El,
    bracket: El,
    label: El,
    words: El,
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
            let (bracket, words) = (svg("path"), text(""));
            let label = svg("text").set("y", "10").child(words.clone());
            let group = svg("g")
                .class(&class)
                .child(bracket.clone())
                .child(label.clone());
            group.show(false);
            parent.append(&group);
            Claim {
                group,
                bracket,
                label,
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
            if last.is_none_or(|last| last.x != zone.x) {
                self.group
                    .style("transform", &format!("translateX({}px)", px(zone.x)));
            }
            let same_width = last.is_some_and(|last| (last.width - zone.width).abs() < 0.01);
            if !same_width {
                let along = px((zone.width - 2.0).max(1.0));
                self.bracket.put("d", &format!("M1 18 v-4 h{along} v4"));
                self.label.put("x", &px(zone.width / 2.0));
            }
            if last.is_none_or(|last| last.label != zone.label) {
                self.words.say(&zone.label);
            }
        }
        if zone.is_some() != last.is_some() {
            self.group.show(zone.is_some());
        }
        self.shows = zone.cloned();
    }
}
