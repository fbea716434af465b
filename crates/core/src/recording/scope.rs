//! Which part of a run is compared.

use super::event::Event;
use crate::trace::Edge;

/// Which events are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// The receive side: from the first function on the receive path of `dev` (in the experiment's own
    /// namespace) up to and including the first `icmp_rcv:entry`, or the end. An exit belongs to it when
    /// its entry does; so the exits of a sender's functions that fall in between are outside.
    Receive {
        /// Device on which packets arrive.
        dev: String,
    },
}

/// First functions of a packet's way in: veth's poll, the backlog, or what hands to it.
const WAYS_IN: [&str; 7] = [
    "__netif_rx",
    "netif_rx",
    "veth_xdp_rcv_skb",
    "gro_receive_skb",
    "netif_receive_skb",
    "__netif_receive_skb",
    "__netif_receive_skb_one_core",
];

impl Scope {
    /// For each event whether it is in the scope.
    #[must_use]
    pub fn mark<'e>(&self, events: impl Iterator<Item = &'e Event>) -> Vec<bool> {
        let Self::Receive { dev } = self else {
            return events.map(|_| true).collect();
        };
        let (mut begun, mut done) = (false, false);
        let mut open: Vec<(&str, bool)> = Vec::new();
        let mut marks = Vec::new();
        for event in events {
            let name = event.stage.name.as_str();
            let on_dev = event.dev.as_ref() == Some(dev) && event.netns.is_none();
            begun |= on_dev && event.stage.edge == Edge::Entry && WAYS_IN.contains(&name);
            let inside = begun && !done;
            let own = match event.stage.edge {
                Edge::Entry => {
                    open.push((name, inside));
                    true
                }
                Edge::Exit => match open.iter().rposition(|(other, _)| *other == name) {
                    Some(at) => open.remove(at).1,
                    None => false,
                },
            };
            marks.push(inside && own);
            done |= inside && name == "icmp_rcv";
        }
        marks
    }
}
