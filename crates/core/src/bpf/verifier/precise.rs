//! Which numbers must be known exactly.
//!
//! Linux prunes a way that reaches an instruction with numbers other than those it was walked with
//! before, unless the walk used them: as an offset, a size, or in a comparison that it decided
//! (`mark_chain_precision()`, kernel/bpf/verifier.c). It walks a history back to find out where such a
//! number came from. Here each number carries a node that names the numbers it was made of.

/// A value's node; [`Node::NONE`] for values that were made of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node(u32);

impl Node {
    pub const NONE: Node = Node(0);
}

#[derive(Debug, Clone, Copy)]
struct Made {
    of: [Node; 2],
    precise: bool,
    /// Head of a list in `implied`.
    implies: u32,
}

/// All nodes of a walk.
#[derive(Debug)]
pub(super) struct Nodes {
    nodes: Vec<Made>,
    implied: Vec<(Node, u32)>,
    work: Vec<Node>,
}

impl Nodes {
    pub fn new() -> Nodes {
        let none = Made {
            of: [Node::NONE; 2],
            precise: true,
            implies: 0,
        };
        Nodes {
            nodes: vec![none],
            implied: vec![(Node::NONE, 0)],
            work: Vec::new(),
        }
    }

    /// Memory that they take, bytes.
    pub fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<Made>() + self.implied.len() * size_of::<(Node, u32)>()
    }

    /// A new value made of others.
    pub fn make(&mut self, of: [Node; 2]) -> Node {
        let node = Node(self.nodes.len() as u32);
        self.nodes.push(Made {
            of,
            precise: false,
            implies: 0,
        });
        node
    }

    /// Whether somebody asked for the value.
    pub fn is_precise(&self, node: Node) -> bool {
        node != Node::NONE
            && self
                .nodes
                .get(node.0 as usize)
                .is_some_and(|made| made.precise)
    }

    /// Asks for the value, and with it for all that it was made of.
    pub fn ask(&mut self, node: Node) {
        self.work.push(node);
        while let Some(node) = self.work.pop() {
            let Some(made) = self.nodes.get_mut(node.0 as usize).filter(|m| !m.precise) else {
                continue;
            };
            made.precise = true;
            self.work.extend(made.of);
            let mut next = made.implies;
            while let Some((other, behind)) = self.implied.get(next as usize).filter(|_| next != 0)
            {
                self.work.push(*other);
                next = *behind;
            }
        }
    }

    /// Whoever asks for `old` from now on asks for `new` as well: the way with `new` was cut off because
    /// one with `old` is walked (`propagate_precision()`, `propagate_backedges()`).
    pub fn imply(&mut self, old: Node, new: Node) {
        if old == Node::NONE || new == Node::NONE || old == new {
            return;
        }
        if self.is_precise(old) {
            self.ask(new);
        } else if let Some(made) = self.nodes.get_mut(old.0 as usize) {
            self.implied.push((new, made.implies));
            made.implies = self.implied.len() as u32 - 1;
        }
    }
}
