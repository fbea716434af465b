//! Netfilter as the set-up commands make it: hooks, base chains with their rules, programs.

use std::net::IpAddr;

use super::topology::ProgId;

/// Whose hooks (`include/uapi/linux/netfilter.h`, `NFPROTO_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NfFamily {
    /// `NFPROTO_INET`: IPv4 and IPv6 (`nf_register_net_hook()` registers it at both).
    Inet = 1,
    /// `NFPROTO_IPV4`.
    Ipv4 = 2,
    /// `NFPROTO_BRIDGE`.
    Bridge = 7,
    /// `NFPROTO_IPV6`.
    Ipv6 = 10,
}

impl NfFamily {
    /// As `nft` calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Ipv4 => "ip",
            Self::Bridge => "bridge",
            Self::Ipv6 => "ip6",
        }
    }

    /// From the word that `nft` takes.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Inet, Self::Ipv4, Self::Bridge, Self::Ipv6]
            .into_iter()
            .find(|family| family.word() == word)
    }

    /// Whether what is registered for this family is called at hooks of `pf`.
    #[must_use]
    pub fn meets(self, pf: Self) -> bool {
        self == pf || self == Self::Inet && pf != Self::Bridge
    }
}

/// A point on the path (`enum nf_inet_hooks`; `NF_BR_*` have the same numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NfHook {
    /// Received, before the routing decision.
    PreRouting = 0,
    /// For this host.
    LocalIn = 1,
    /// For another one.
    Forward = 2,
    /// Made by this host.
    LocalOut = 3,
    /// About to be sent.
    PostRouting = 4,
}

impl NfHook {
    /// In the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::PreRouting,
        Self::LocalIn,
        Self::Forward,
        Self::LocalOut,
        Self::PostRouting,
    ];

    /// As `nft` calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PreRouting => "prerouting",
            Self::LocalIn => "input",
            Self::Forward => "forward",
            Self::LocalOut => "output",
            Self::PostRouting => "postrouting",
        }
    }

    /// From the word that `nft` takes.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.word() == word)
    }

    /// The kernel's name of the point.
    #[must_use]
    pub fn name(self, pf: NfFamily) -> &'static str {
        match (self, pf) {
            (Self::PreRouting, NfFamily::Bridge) => "NF_BR_PRE_ROUTING",
            (Self::LocalIn, NfFamily::Bridge) => "NF_BR_LOCAL_IN",
            (Self::Forward, NfFamily::Bridge) => "NF_BR_FORWARD",
            (Self::LocalOut, NfFamily::Bridge) => "NF_BR_LOCAL_OUT",
            (Self::PostRouting, NfFamily::Bridge) => "NF_BR_POST_ROUTING",
            (Self::PreRouting, _) => "NF_INET_PRE_ROUTING",
            (Self::LocalIn, _) => "NF_INET_LOCAL_IN",
            (Self::Forward, _) => "NF_INET_FORWARD",
            (Self::LocalOut, _) => "NF_INET_LOCAL_OUT",
            (Self::PostRouting, _) => "NF_INET_POST_ROUTING",
        }
    }
}

/// What becomes of a packet at a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NfVerdict {
    /// `NF_DROP`.
    Drop = 0,
    /// `NF_ACCEPT`: on to the next one at the hook.
    Accept = 1,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NfMatch {
    /// `iifname NAME`.
    Iif(String),
    /// `oifname NAME`.
    Oif(String),
    /// `meta l4proto P`: behind the extension headers of IPv6.
    L4Proto(u8),
    /// `ip protocol P`.
    IpProtocol(u8),
    /// `ip6 nexthdr P`.
    Ip6Nexthdr(u8),
    /// `ip saddr A`, `ip6 saddr A`.
    Saddr(IpAddr),
    /// `ip daddr A`, `ip6 daddr A`.
    Daddr(IpAddr),
}

/// A rule of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NfRule {
    /// All of them must fit.
    pub matches: Vec<NfMatch>,
    /// What is then said; without one the next rule is looked at.
    pub verdict: Option<NfVerdict>,
}

/// A base chain of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NfChain {
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// What it says when no rule does.
    pub policy: NfVerdict,
    /// In this order.
    pub rules: Vec<NfRule>,
}

/// Who is asked at a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NfTarget {
    /// A base chain.
    Chain(NfChain),
    /// A program (`BPF_LINK_TYPE_NETFILTER`).
    Program(ProgId),
}

/// Something at a hook (`struct nf_hook_ops`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NfEntry {
    /// Family that it was registered for.
    pub family: NfFamily,
    /// Where.
    pub hook: NfHook,
    /// Lower ones are asked first.
    pub priority: i32,
    /// Who.
    pub target: NfTarget,
}

/// What a namespace has of netfilter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Netfilter {
    /// Tables of `nft`.
    pub tables: Vec<(NfFamily, String)>,
    /// In the order in which they are asked.
    pub entries: Vec<NfEntry>,
}

impl Netfilter {
    /// `nf_hook_entries_grow()` (`net/netfilter/core.c`): in order of priority; of two with the same one the newer
    /// comes first. Says no to a program where another entry has its priority.
    ///
    /// # Errors
    /// The entry, when it is a program and its priority is taken (`-EBUSY`).
    pub fn register(&mut self, entry: NfEntry) -> Result<(), NfEntry> {
        let meets = |other: &NfEntry| {
            other.hook == entry.hook
                && (other.family.meets(entry.family) || entry.family.meets(other.family))
        };
        let program = matches!(entry.target, NfTarget::Program(_));
        let taken = |other: &NfEntry| meets(other) && other.priority == entry.priority;
        if program && self.entries.iter().any(taken) {
            return Err(entry);
        }
        let at = self
            .entries
            .partition_point(|other| other.priority < entry.priority);
        self.entries.insert(at, entry);
        Ok(())
    }

    /// A chain by its table and name.
    pub fn chain(&mut self, family: NfFamily, table: &str, name: &str) -> Option<&mut NfChain> {
        self.entries
            .iter_mut()
            .find_map(|entry| match &mut entry.target {
                NfTarget::Chain(chain)
                    if entry.family == family && chain.table == table && chain.name == name =>
                {
                    Some(chain)
                }
                _ => None,
            })
    }

    /// Who is asked at a point, in this order: indexes into `entries`.
    #[must_use]
    pub fn at(&self, pf: NfFamily, hook: NfHook) -> Vec<usize> {
        let there = |(_, entry): &(usize, &NfEntry)| entry.hook == hook && entry.family.meets(pf);
        self.entries
            .iter()
            .enumerate()
            .filter(there)
            .map(|(at, _)| at)
            .collect()
    }
}

/// What a command changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NfChange {
    /// `nft add table FAMILY NAME`.
    Table(NfFamily, String),
    /// `nft add chain FAMILY TABLE NAME { type filter hook H priority N; policy P; }`.
    Chain {
        /// Family of the table.
        family: NfFamily,
        /// Where.
        hook: NfHook,
        /// Place among others.
        priority: i32,
        /// The chain, without rules.
        chain: NfChain,
    },
    /// `nft add rule FAMILY TABLE CHAIN …`.
    Rule {
        /// Family of the table.
        family: NfFamily,
        /// Table.
        table: String,
        /// Chain.
        chain: String,
        /// What is added at the end of the chain.
        rule: NfRule,
    },
    /// `orc nf PROG ip|ip6 HOOK [PRIORITY] [NETNS]`: a program.
    Program {
        /// `ip` or `ip6`.
        family: NfFamily,
        /// Where.
        hook: NfHook,
        /// Place among others.
        priority: i32,
        /// Program name.
        program: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(family: NfFamily, priority: i32, id: usize) -> NfEntry {
        NfEntry {
            family,
            hook: NfHook::LocalIn,
            priority,
            target: NfTarget::Program(ProgId(id)),
        }
    }

    fn chain(family: NfFamily, priority: i32, name: &str) -> NfEntry {
        NfEntry {
            target: NfTarget::Chain(NfChain {
                table: "t".into(),
                name: name.into(),
                policy: NfVerdict::Accept,
                rules: Vec::new(),
            }),
            ..entry(family, priority, 0)
        }
    }

    /// `nf_hook_entries_grow()`: read by hand.
    #[test]
    fn entries_stand_by_priority_and_a_program_wants_its_own() {
        let mut nf = Netfilter::default();
        nf.register(chain(NfFamily::Inet, 0, "a")).unwrap();
        nf.register(chain(NfFamily::Ipv4, 0, "b")).unwrap();
        nf.register(entry(NfFamily::Ipv4, -5, 1)).unwrap();
        // 0 is taken by both chains, by `inet` also for IPv6
        assert!(nf.register(entry(NfFamily::Ipv4, 0, 2)).is_err());
        assert!(nf.register(entry(NfFamily::Ipv6, 0, 3)).is_err());
        nf.register(entry(NfFamily::Ipv6, 7, 4)).unwrap();
        // but a chain may have the priority of a program
        nf.register(chain(NfFamily::Ipv4, -5, "c")).unwrap();
        let name = |at: &usize| match &nf.entries[*at].target {
            NfTarget::Chain(chain) => chain.name.clone(),
            NfTarget::Program(id) => id.0.to_string(),
        };
        let at = |pf| {
            let all: Vec<_> = nf.at(pf, NfHook::LocalIn).iter().map(name).collect();
            all.join(" ")
        };
        assert_eq!(at(NfFamily::Ipv4), "c 1 b a");
        assert_eq!(at(NfFamily::Ipv6), "a 4");
        assert_eq!(at(NfFamily::Bridge), "");
        assert!(nf.at(NfFamily::Ipv4, NfHook::Forward).is_empty());
    }
}
