//! The topology as a picture: a column for each namespace, devices in it, what stands on another
//! device above it. Plain numbers, so that it can be checked without a browser.

use headroom_core::scenario::graph::{Edge, Graph};

/// Width of a device's box.
pub const BOX_W: f64 = 148.0;
/// Height of a device's box.
pub const BOX_H: f64 = 58.0;
const GAP_X: f64 = 16.0;
const GAP_Y: f64 = 26.0;
const PAD: f64 = 14.0;
const HEAD: f64 = 22.0;
const BETWEEN: f64 = 46.0;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Place {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Place {
    /// Its middle.
    #[must_use]
    pub fn middle(&self) -> (f64, f64) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }
}

/// The picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    /// Of each namespace that has devices: index into the graph's, place.
    pub groups: Vec<(usize, Place)>,
    /// Of each device, in the graph's order.
    pub boxes: Vec<Place>,
    /// Size of the whole.
    pub width: f64,
    /// Size of the whole.
    pub height: f64,
}

/// Lays a graph out; `way` are the devices that packets pass, in order: the namespace where they
/// begin stands on the left.
#[must_use]
pub fn layout(graph: &Graph, way: &[usize]) -> Layout {
    let levels = levels(graph);
    let highest = levels.iter().copied().max().unwrap_or(0);
    let mut order: Vec<usize> = (0..graph.namespaces.len())
        .filter(|at| graph.devices.iter().any(|device| device.namespace == *at))
        .collect();
    let first_seen = |namespace: &usize| {
        way.iter()
            .position(|device| {
                graph
                    .devices
                    .get(*device)
                    .is_some_and(|d| d.namespace == *namespace)
            })
            .unwrap_or(usize::MAX)
    };
    order.sort_by_key(|namespace| (first_seen(namespace), *namespace));

    let mut out = Layout {
        boxes: vec![Place::default(); graph.devices.len()],
        height: HEAD + 2.0 * PAD + (highest + 1) as f64 * (BOX_H + GAP_Y) - GAP_Y,
        ..Layout::default()
    };
    let mut x = 0.0;
    for namespace in order {
        let mut widest = 0;
        for level in 0..=highest {
            let here: Vec<usize> = (0..graph.devices.len())
                .filter(|at| graph.devices[*at].namespace == namespace && levels[*at] == level)
                .collect();
            widest = widest.max(here.len());
            for (column, device) in here.into_iter().enumerate() {
                out.boxes[device] = Place {
                    x: x + PAD + column as f64 * (BOX_W + GAP_X),
                    y: HEAD + PAD + (highest - level) as f64 * (BOX_H + GAP_Y),
                    w: BOX_W,
                    h: BOX_H,
                };
            }
        }
        let w = 2.0 * PAD + widest as f64 * (BOX_W + GAP_X) - GAP_X;
        out.groups.push((
            namespace,
            Place {
                x,
                y: 0.0,
                w,
                h: out.height,
            },
        ));
        x += w + BETWEEN;
    }
    out.width = (x - BETWEEN).max(0.0);
    out
}

/// How high each device stands: tunnels and what is on another device above it.
fn levels(graph: &Graph) -> Vec<usize> {
    let tunnel = |kind: &str| {
        ["gre", "gretap", "ipip", "vxlan", "geneve"]
            .iter()
            .any(|tunnel| kind.starts_with(tunnel))
    };
    let mut levels: Vec<usize> = graph
        .devices
        .iter()
        .map(|device| usize::from(tunnel(&device.kind)))
        .collect();
    // As often as there are devices: a chain is no longer; a circle that commands describe ends there.
    for _ in 0..graph.devices.len().min(32) {
        for edge in &graph.edges {
            if let Edge::On(upper, lower) = edge
                && let (Some(high), Some(low)) =
                    (levels.get(*upper).copied(), levels.get(*lower).copied())
            {
                levels[*upper] = high.max(low + 1);
            }
        }
    }
    // A port is drawn below its bridge.
    for level in &mut levels {
        *level = (*level).min(6);
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_core::scenario::parse;

    fn graph(text: &str) -> Graph {
        Graph::of(&parse(text).expect("commands").lines)
    }

    #[test]
    fn the_sender_is_left_and_the_tunnel_above() {
        let graph = graph(
            "ip link add rx type veth peer name tx netns far\nip link add decap type gre local 10.0.0.1 remote 10.0.0.2\n\
             ip link add link rx name rx7 type vlan id 7",
        );
        // tx is device 1, in namespace far, where the way begins.
        let picture = layout(&graph, &[1, 0, 2]);
        let of = |name: &str| {
            picture.boxes[graph
                .devices
                .iter()
                .position(|d| d.name == name)
                .expect(name)]
        };
        assert!(of("tx").x < of("rx").x);
        assert!(of("decap").y < of("rx").y && of("rx7").y < of("rx").y);
        assert_eq!((of("tx").y, of("decap").y), (of("rx").y, of("rx7").y));
        assert!((of("decap").x - of("rx7").x).abs() >= BOX_W);
        assert_eq!(picture.groups.len(), 2);
        for (at, place) in picture.boxes.iter().enumerate() {
            let group = picture
                .groups
                .iter()
                .find(|(ns, _)| *ns == graph.devices[at].namespace)
                .expect("a group")
                .1;
            assert!(place.x >= group.x && place.x + place.w <= group.x + group.w);
            assert!(place.y >= group.y && place.y + place.h <= group.y + group.h);
        }
    }

    #[test]
    fn nothing_is_nothing_and_a_circle_ends() {
        assert_eq!(layout(&Graph::default(), &[]).width, 0.0);
        let mut circle = graph("ip link add a type veth peer name b");
        circle.edges = vec![Edge::On(0, 1), Edge::On(1, 0)];
        let picture = layout(&circle, &[]);
        assert!(picture.height < 1000.0);
    }
}
