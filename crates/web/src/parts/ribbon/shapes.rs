//! What the bytes are: a shape with a label for each region. Shapes that are needed no more become others.

use headroom_core::scene::ribbon::Placed;
use headroom_core::scene::{Region, Ribbon as Picture};

use super::CELL_H;
use crate::dom::{El, Said, svg};
use crate::parts::px;
use crate::parts::ribbon::placed;

/// The nodes of a region, and what they show.
struct Shape {
    /// Its place, and its width as `--n`: what is inside takes both from there.
    group: El,
    words: Said,
    class: String,
    x: f64,
    width: f64,
}

/// Those that are drawn.
pub(super) struct Shapes {
    parent: El,
    all: Vec<(Placed<Region>, Shape)>,
    /// Not shown now.
    spare: Vec<Shape>,
}

fn class(region: &Region) -> String {
    let stale = if region.stale { " stale" } else { "" };
    format!("region f-{}{stale}", region.family.key())
}

impl Shape {
    fn new(parent: &El) -> Self {
        let rect = svg("rect").set("y", "0").set("height", &px(CELL_H));
        let label = svg("text").class("rl").set("y", "-6");
        let words = Said::new(&label);
        let group = svg("g").child(rect).child(label);
        parent.append(&group);
        Self {
            group,
            words,
            class: String::new(),
            x: f64::NAN,
            width: f64::NAN,
        }
    }

    /// Out of sight, and no region for those who look for regions.
    fn hidden(mut self) -> Self {
        self.group.show(false);
        self.group.put("class", "");
        self.class.clear();
        // Being placed shows it.
        self.x = f64::NAN;
        self
    }

    fn show(&mut self, region: &Placed<Region>) {
        let class = class(&region.item);
        if class != self.class {
            self.group.put("class", &class);
            self.class = class;
        }
        if (region.x, region.width) != (self.x, self.width) {
            placed(&self.group, region.x, region.width);
            (self.x, self.width) = (region.x, region.width);
        }
        self.words.say(&region.label);
    }
}

impl Shapes {
    pub(super) fn new(parent: &El) -> Self {
        Self {
            parent: parent.clone(),
            all: Vec::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, picture: &Picture) {
        let mut free = std::mem::take(&mut self.all);
        let mut kept: Vec<Option<Shape>> = Vec::with_capacity(picture.regions.len());
        for region in &picture.regions {
            let same = free.iter().position(|(known, _)| known == region);
            kept.push(same.map(|at| free.swap_remove(at).1));
        }
        for (region, shape) in picture.regions.iter().zip(kept) {
            let shape = shape.unwrap_or_else(|| {
                // Best one that is as it was but for its place.
                let like = |(known, _): &(Placed<Region>, Shape)| {
                    (known.item.family, &known.label) == (region.item.family, &region.label)
                };
                let old = match free.iter().position(like) {
                    Some(at) => Some(free.swap_remove(at)),
                    None => free.pop(),
                };
                let old = old.map(|(_, shape)| shape);
                let old = old.or_else(|| self.spare.pop());
                let mut shape = old.unwrap_or_else(|| Shape::new(&self.parent));
                shape.show(region);
                shape
            });
            self.all.push((region.clone(), shape));
        }
        for (_, shape) in free {
            self.spare.push(shape.hidden());
        }
    }
}
