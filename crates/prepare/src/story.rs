//! The story in twelve stops: each is a few sentences and a step of a simulation, and they move
//! together.

use headroom_protocol::files::{Stop, Story};

/// One stop, as it is written down here; see [`Stop`].
struct Told {
    slug: &'static str,
    title: &'static str,
    text: &'static str,
    scenario: &'static str,
    step: &'static str,
    designs: &'static [&'static str],
    more: Option<(&'static str, &'static str)>,
}

const OLD: &[&str] = &["mac_header"];
const NEW: &[&str] = &["meta_end"];
const BOTH: &[&str] = &["mac_header", "meta_end"];

/// The stops, in order.
const STOPS: [Told; 12] = [
    Told {
        slug: "problem",
        title: "42 went in, 524288 came out",
        text: "An XDP program wrote the number 42 in front of a packet. Behind a GRE tunnel a TC program read it back and got 524288. Nothing was dropped, and no program was wrong.",
        scenario: "seed",
        step: "get_tag.exit@decap#1",
        designs: OLD,
        more: None,
    },
    Told {
        slug: "headroom",
        title: "Headroom is the free space in front",
        text: "A packet does not begin where its buffer does. The driver leaves room in front, so that headers can be put there later. Here 256 bytes are free between its start, which XDP calls `data_hard_start`, and `data`.",
        scenario: "seed",
        step: "set_tag.entry@rx#2",
        designs: OLD,
        more: None,
    },
    Told {
        slug: "metadata",
        title: "XDP leaves four bytes in it",
        text: "`bpf_xdp_adjust_meta()` takes four bytes of the headroom, and `set_tag` writes 42 into them. They lie right in front of the packet: these are its metadata.",
        scenario: "seed",
        step: "set_tag.exit@rx#2",
        designs: OLD,
        more: None,
    },
    Told {
        slug: "skb",
        title: "The kernel stores a length, not a place",
        text: "The driver makes an `sk_buff` of the frame. It notes that there are four bytes of metadata. Where they end is not stored: they end where the MAC header begins, and that is 256. On this device all is well: a TC program that asks for them is shown 252–255 and reads 42.",
        scenario: "seed",
        step: "get_tag.exit@rx#2",
        designs: OLD,
        more: Some(("/spec#HR-META-1", "the rule")),
    },
    Told {
        slug: "decap",
        title: "GRE takes its headers off",
        text: "The packet is for the tunnel. The outer IPv4 header is pulled already, and `__iptunnel_pull_header` moves `data` over the GRE header too, from 290 to 294. No byte moves; the old headers stay where they are, in front of the packet.",
        scenario: "seed",
        step: "__iptunnel_pull_header.exit@rx#2",
        designs: OLD,
        more: None,
    },
    Told {
        slug: "reset",
        title: "The MAC header moves, and the metadata with it",
        text: "The tunnel device has no Ethernet header of its own, so `mac_header` is set to `data`: 294. The metadata are the four bytes in front of it, by definition. They are 290–293 now, although nobody wrote a tag there.",
        scenario: "seed",
        step: "ip_tunnel_rcv.entry@rx#2",
        designs: OLD,
        more: Some(("/spec#HR-DECAP-3", "the rule")),
    },
    Told {
        slug: "garbage",
        title: "The program reads a piece of the GRE header",
        text: "At 290–293 are GRE's flags and its protocol, `00 00 08 00`. As a little-endian number that is 524288. The tag 42 is still at 252–255, 38 bytes below.",
        scenario: "seed",
        step: "get_tag.exit@decap#1",
        designs: OLD,
        more: None,
    },
    Told {
        slug: "meta-end",
        title: "A field of its own stays where it was",
        text: "The proposed `meta_end` stores where the metadata end. Decapsulation sets `mac_header` to 294 as before, but `meta_end` says 256, and a gap opens between metadata and packet.",
        scenario: "seed",
        step: "ip_tunnel_rcv.entry@rx#2",
        designs: BOTH,
        more: None,
    },
    Told {
        slug: "realign",
        title: "A prologue closes the gap before a program looks",
        text: "A program that loads `data_meta` expects its metadata right in front of `data`. The kernel puts a call of `bpf_skb_meta_realign` in front of such a program; it moves the four bytes 38 up. The program reads 42.",
        scenario: "seed",
        step: "get_tag.exit@decap#1",
        designs: NEW,
        more: None,
    },
    Told {
        slug: "clones",
        title: "A clone shares the buffer, and sees what is moved",
        text: "A packet tap on `rx` holds a clone, packet 3: an `sk_buff` of its own over the same bytes. The realign on `decap` writes 42 into the shared head, over the GRE header at 290–293. The reader gets its tag, and the tap shows a packet that never was on the wire.",
        scenario: "tap-gre",
        step: "tag_by_pointer.exit@decap#1",
        designs: NEW,
        more: Some(("/s/tap-gre", "this scenario")),
    },
    Told {
        slug: "encap",
        title: "Encapsulation pushes headers over the metadata",
        text: "On the way out GRE, IPv4 and Ethernet are pushed in front, 38 bytes, over the place where the metadata lie. Under `mac_header` the formula points at 228–231, where nothing was ever written. Under `meta_end` the realign finds the metadata behind the MAC header and clears them. Neither reads 42.",
        scenario: "encap-gre",
        step: "tag_by_pointer.exit@out#1",
        designs: BOTH,
        more: Some(("/matrix", "the matrix of all scenarios")),
    },
    Told {
        slug: "open",
        title: "What is decided, and what is not",
        text: "Linux 7.2 has `mac_header`. The series with `meta_end` was given up after its third version and is not merged; other designs keep metadata outside of the buffer. Each has its cost: a field in `skb_shared_info`, bytes that are moved, an allocation. Headroom does not choose. It shows what each one does, byte by byte, beside recordings of real kernels.",
        scenario: "seed",
        step: "get_tag.exit@decap#1",
        designs: BOTH,
        more: Some(("/compare/seed", "side by side")),
    },
];

/// What the first stop is called: the headline of the start page.
pub fn first() -> &'static str {
    STOPS[0].title
}

/// The story as the start page reads it.
#[must_use]
pub fn story() -> Story {
    let stop = |told: Told| Stop {
        slug: told.slug.into(),
        title: told.title.into(),
        text: told.text.into(),
        scenario: told.scenario.into(),
        step: told.step.into(),
        designs: told.designs.iter().map(|name| (*name).to_owned()).collect(),
        more: told
            .more
            .map(|(address, words)| (address.into(), words.into())),
    };
    Story {
        stops: STOPS.map(stop).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use headroom_core::scene::StepName;
    use headroom_protocol::DESIGNS;

    use super::*;

    #[test]
    fn every_stop_has_a_step_and_an_address_of_its_own() {
        let stops = story().stops;
        let slugs: BTreeSet<&str> = stops.iter().map(|stop| stop.slug.as_str()).collect();
        assert_eq!((slugs.len(), stops.len()), (12, 12));
        for stop in &stops {
            let name: StepName = stop.step.parse().expect(&stop.step);
            assert_eq!(name.to_string(), stop.step);
            for design in &stop.designs {
                assert!(DESIGNS.iter().any(|known| known.name == design), "{design}");
            }
            assert_eq!(stop.text.matches('`').count() % 2, 0, "{}", stop.slug);
        }
    }
}
