//! Netfilter's hooks as points on the path (`include/linux/netfilter.h`, `net/netfilter/core.c`).
//!
//! `nf_hook()` stands at each point, and does nothing where nobody is registered. So the points are in the trace of
//! namespaces in which somebody is; in the others they would only make traces longer.

use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::bpf::ProgType;
use crate::net::{ethernet, ipv6};
use crate::scenario::netfilter::{
    NfChain, NfChange, NfEntry, NfFamily, NfHook, NfMatch, NfRule, NfTarget, NfVerdict,
};
use crate::scenario::topology::{DevId, NetnsId, ProgId};
use crate::trace::SkbNo;

use super::execute::{Cause, Done};

/// What `nf_hook()` answers when nobody objects: the caller goes on.
pub(super) const NF_ACCEPTED: i64 = 1;
/// `-EPERM`: what it answers for a packet that was dropped.
const EPERM: i64 = -1;
/// Most entries at one hook (`MAX_HOOK_COUNT`).
const MAX_HOOK_COUNT: usize = 1024;

/// What is known at a point (`struct nf_hook_state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NfState {
    pub pf: NfFamily,
    pub hook: NfHook,
    /// The device it came by.
    pub input: Option<DevId>,
    /// The device it leaves by.
    pub output: Option<DevId>,
}

impl NfState {
    /// A point of IPv4.
    pub fn ipv4(hook: NfHook, input: Option<DevId>, output: Option<DevId>) -> Self {
        let pf = NfFamily::Ipv4;
        Self {
            pf,
            hook,
            input,
            output,
        }
    }

    /// A point of IPv6.
    pub fn ipv6(hook: NfHook, input: Option<DevId>, output: Option<DevId>) -> Self {
        let pf = NfFamily::Ipv6;
        Self {
            pf,
            hook,
            input,
            output,
        }
    }

    /// A point of a bridge.
    pub fn bridge(hook: NfHook, input: Option<DevId>, output: Option<DevId>) -> Self {
        let pf = NfFamily::Bridge;
        Self {
            pf,
            hook,
            input,
            output,
        }
    }
}

impl Kernel {
    /// `nf_hook()`: 1 when the packet goes on; else it is gone.
    pub(super) fn nf_hook(&mut self, no: SkbNo, state: NfState) -> Run<i64> {
        let Some(dev) = state.input.or(state.output) else {
            return Ok(NF_ACCEPTED);
        };
        let netns = self.topology.dev(dev).netns;
        if self.topology.netns[netns.0].netfilter.entries.is_empty() {
            return Ok(NF_ACCEPTED);
        }
        let point = state.hook.name(state.pf);
        self.traced(point, "include/linux/netfilter.h", no, |k| {
            let there = k.topology.netns[netns.0].netfilter.at(state.pf, state.hook);
            if there.is_empty() {
                return Ok(NF_ACCEPTED);
            }
            // the bridge asks by itself there, and frees without a reason
            let alone = (state.pf, state.hook) == (NfFamily::Bridge, NfHook::PreRouting);
            if alone {
                return k.nf_entries(no, netns, &there, state, drop_reason::NOT_SPECIFIED);
            }
            k.traced("nf_hook_slow", "net/netfilter/core.c", no, |k| {
                k.nf_entries(no, netns, &there, state, drop_reason::NETFILTER_DROP)
            })
        })
    }

    /// `nf_hook_slow()`: one after the other, until one drops.
    fn nf_entries(
        &mut self,
        no: SkbNo,
        netns: NetnsId,
        there: &[usize],
        state: NfState,
        reason: u32,
    ) -> Run<i64> {
        for at in there {
            let entries = &self.topology.netns[netns.0].netfilter.entries;
            let Some(NfEntry { target, family, .. }) = entries.get(*at).cloned() else {
                continue;
            };
            let verdict = match target {
                NfTarget::Program(program) => self.nf_hook_run_bpf(no, program, state)?,
                NfTarget::Chain(chain) => self.nft_do_chain(no, &chain, family, state)?,
            };
            if verdict == NfVerdict::Drop {
                self.kfree_skb(no, reason)?;
                return Ok(EPERM);
            }
        }
        Ok(NF_ACCEPTED)
    }

    /// `nf_hook_run_bpf()` (`net/netfilter/nf_bpf_link.c`): the program's verdict is the hook's.
    fn nf_hook_run_bpf(&mut self, no: SkbNo, program: ProgId, state: NfState) -> Run<NfVerdict> {
        let Some(dev) = state.input.or(state.output) else {
            return not_covered("nf_hook_run_bpf without a device");
        };
        let verdict = self.run_netfilter(program, state, dev, no)?;
        Ok(match verdict {
            0 => NfVerdict::Drop,
            _ => NfVerdict::Accept,
        })
    }

    /// `nft_do_chain()` and the function of the family in front of it (`net/netfilter/nft_chain_filter.c`): the first
    /// rule that fits and has a verdict decides, else the policy.
    fn nft_do_chain(
        &mut self,
        no: SkbNo,
        chain: &NfChain,
        family: NfFamily,
        state: NfState,
    ) -> Run<NfVerdict> {
        let name = match family {
            NfFamily::Inet => "nft_do_chain_inet",
            NfFamily::Ipv4 => "nft_do_chain_ipv4",
            NfFamily::Ipv6 => "nft_do_chain_ipv6",
            NfFamily::Bridge => "nft_do_chain_bridge",
        };
        let mut verdict = chain.policy;
        self.traced(name, "net/netfilter/nft_chain_filter.c", no, |k| {
            let fits = |rule: &&NfRule| rule.matches.iter().all(|it| k.nft_match(no, it, state));
            let decides = |rule: &NfRule| rule.verdict;
            let mut rules = chain.rules.iter().filter(fits);
            verdict = rules.find_map(decides).unwrap_or(chain.policy);
            Ok(verdict as i64)
        })?;
        Ok(verdict)
    }

    /// Whether a packet has what a rule looks for.
    fn nft_match(&self, no: SkbNo, wanted: &NfMatch, state: NfState) -> bool {
        let named = |dev: Option<DevId>, name: &String| {
            dev.is_some_and(|dev| self.topology.dev(dev).name == *name)
        };
        let skb = self.skb(no);
        let v6 = match state.pf {
            NfFamily::Ipv6 => true,
            NfFamily::Bridge => skb.protocol == ethernet::P_IPV6,
            _ => false,
        };
        let v4 = match state.pf {
            NfFamily::Ipv4 => true,
            NfFamily::Bridge => skb.protocol == ethernet::P_IP,
            _ => false,
        };
        let at = u32::from(skb.network_header);
        let byte = |at: u32| self.bytes(no, at, 1).first().copied();
        match wanted {
            NfMatch::Iif(name) => named(state.input, name),
            NfMatch::Oif(name) => named(state.output, name),
            NfMatch::IpProtocol(protocol) => v4 && byte(at + 9) == Some(*protocol),
            NfMatch::Ip6Nexthdr(protocol) => v6 && byte(at + 6) == Some(*protocol),
            NfMatch::L4Proto(protocol) if v6 => self.ipv6_find_hdr(no) == Some(*protocol),
            NfMatch::L4Proto(protocol) => v4 && byte(at + 9) == Some(*protocol),
            NfMatch::Saddr(std::net::IpAddr::V4(addr)) => v4 && self.ip_hdr_addr(no, 12) == *addr,
            NfMatch::Daddr(std::net::IpAddr::V4(addr)) => v4 && self.ip_hdr_addr(no, 16) == *addr,
            NfMatch::Saddr(std::net::IpAddr::V6(addr)) => v6 && self.ipv6_hdr_addr(no, 8) == *addr,
            NfMatch::Daddr(std::net::IpAddr::V6(addr)) => v6 && self.ipv6_hdr_addr(no, 24) == *addr,
        }
    }

    /// `ipv6_find_hdr()` (`net/ipv6/exthdrs_core.c`) without a target: the first header that is no extension.
    fn ipv6_find_hdr(&self, no: SkbNo) -> Option<u8> {
        let mut at = u32::from(self.skb(no).network_header) + ipv6::HLEN;
        let mut next = self.bytes(no, at - ipv6::HLEN + 6, 1).first().copied()?;
        loop {
            let header = self.bytes(no, at, 2);
            let len = match next {
                ipv6::NEXTHDR_HOP | ipv6::NEXTHDR_ROUTING | ipv6::NEXTHDR_DEST => {
                    (u32::from(*header.get(1)?) + 1) * 8
                }
                ipv6::NEXTHDR_FRAGMENT => 8,
                protocol => return Some(protocol),
            };
            next = *header.first()?;
            at += len;
        }
    }

    /// `nft add …` and programs.
    pub(super) fn netfilter_change(&mut self, netns: NetnsId, change: &NfChange) -> Done {
        match change {
            NfChange::Table(family, name) => {
                // adding a table that is there changes nothing
                let tables = &mut self.topology.netns[netns.0].netfilter.tables;
                let table = (*family, name.clone());
                if !tables.contains(&table) {
                    tables.push(table);
                }
                Ok(())
            }
            NfChange::Chain {
                family,
                hook,
                priority,
                chain,
            } => {
                let netfilter = &mut self.topology.netns[netns.0].netfilter;
                if !netfilter.tables.contains(&(*family, chain.table.clone())) {
                    return Err(no_table(*family, &chain.table));
                }
                if netfilter
                    .chain(*family, &chain.table, &chain.name)
                    .is_some()
                {
                    let what = format!("chain {} in table {}", chain.name, chain.table);
                    return Err(Cause::Exists(what));
                }
                self.nf_register(
                    netns,
                    NfEntry {
                        family: *family,
                        hook: *hook,
                        priority: *priority,
                        target: NfTarget::Chain(chain.clone()),
                    },
                )
            }
            NfChange::Rule {
                family,
                table,
                chain,
                rule,
            } => {
                let netfilter = &mut self.topology.netns[netns.0].netfilter;
                let there = netfilter.tables.contains(&(*family, table.clone()));
                match netfilter.chain(*family, table, chain) {
                    Some(chain) => chain.rules.push(rule.clone()),
                    None if there => {
                        let what = format!("chain {chain} in table {} {table}", family.word());
                        return Err(Cause::Missing(what));
                    }
                    None => return Err(no_table(*family, table)),
                }
                Ok(())
            }
            NfChange::Program {
                family,
                hook,
                priority,
                program,
            } => {
                let program = self.find_program(program, ProgType::Netfilter)?;
                self.nf_register(
                    netns,
                    NfEntry {
                        family: *family,
                        hook: *hook,
                        priority: *priority,
                        target: NfTarget::Program(program),
                    },
                )
            }
        }
    }

    /// `nf_register_net_hook()`.
    fn nf_register(&mut self, netns: NetnsId, entry: NfEntry) -> Done {
        let netfilter = &mut self.topology.netns[netns.0].netfilter;
        if netfilter.entries.len() >= MAX_HOOK_COUNT {
            return Err(Cause::TooMany("entries at netfilter's hooks (E2BIG)"));
        }
        netfilter.register(entry).map_err(|entry| {
            Cause::Busy(format!(
                "priority {} at the hook {}",
                entry.priority,
                entry.hook.word()
            ))
        })
    }
}

fn no_table(family: NfFamily, name: &str) -> Cause {
    Cause::Missing(format!("table {} {name}", family.word()))
}
