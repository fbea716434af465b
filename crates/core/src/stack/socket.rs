//! Delivery to a socket of a process: `sk_filter_trim_cap()` (`net/core/filter.c`), programs of the cgroup
//! (`kernel/bpf/cgroup.c`), the receive queues of UDP and raw sockets. Nobody reads: what came waits there, as in the
//! recorder's sockets.

use super::skbuff::drop_reason;
use super::{Kernel, Run, not_covered};
use crate::bpf::ProgType;
use crate::net::{icmp, ipv4, udp};
use crate::scenario::command::{CgroupAttach, SocketCommand};
use crate::scenario::socket::{Socket, SocketKind};
use crate::scenario::topology::{DevId, NetnsId, ProgId};
use crate::trace::SkbNo;

use super::execute::{Cause, Done};

const FILTER: &str = "net/core/filter.c";
const CGROUP: &str = "kernel/bpf/cgroup.c";
const RAW: &str = "net/ipv4/raw.c";
/// `NET_XMIT_SUCCESS`, `NET_XMIT_DROP`, `NET_XMIT_CN` (`include/linux/netdevice.h`).
const NET_XMIT_SUCCESS: i64 = 0;
const NET_XMIT_DROP: i64 = 1;
const NET_XMIT_CN: i64 = 2;
/// `-EPERM`.
const EPERM: i64 = -1;

/// Which hook of a cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CgroupSide {
    /// `CGROUP_INET_INGRESS`.
    Ingress = 0,
    /// `CGROUP_INET_EGRESS`.
    Egress = 1,
}

/// The raw socket of a running `ping`, as on a recorded kernel.
#[derive(Debug, Default)]
pub(super) struct Pinging {
    netns: Option<NetnsId>,
    holds: Vec<SkbNo>,
}

/// What `ping` lets through its `ICMP_FILTER`: answers, and the errors that tell why there is none.
const PING_TAKES: [u8; 6] = [
    icmp::ECHO_REPLY,
    icmp::DEST_UNREACH,
    icmp::SOURCE_QUENCH,
    icmp::REDIRECT,
    icmp::TIME_EXCEEDED,
    icmp::PARAMETER_PROBLEM,
];

impl Kernel {
    /// A `ping` opens its socket. Only where the kernel is to be as a recorded one: see
    /// `docs/decisions/0009-what-is-made-up.md`.
    pub(super) fn ping_listens(&mut self, netns: NetnsId) {
        self.pinging.netns = self.asks_neighbours.then_some(netns);
    }

    /// It reads what came, and closes the socket.
    pub(super) fn ping_reads(&mut self) -> Run<()> {
        let Pinging { holds, .. } = std::mem::take(&mut self.pinging);
        for no in holds {
            self.consume_skb(no)?;
        }
        Ok(())
    }

    /// `raw_v4_input()` with `icmp_filter()`: whether a running `ping` is to have this packet.
    fn ping_takes(&self, no: SkbNo, netns: NetnsId, protocol: u8) -> bool {
        let at = self.skb(no).data;
        protocol == ipv4::PROTO_ICMP
            && self.pinging.netns == Some(netns)
            && (self.bytes(no, at, 1).first()).is_some_and(|kind| PING_TAKES.contains(kind))
    }

    /// `orc sock …`.
    pub(super) fn socket_open(&mut self, netns: NetnsId, command: &SocketCommand) -> Done {
        let filter = match &command.filter {
            Some(name) => Some(self.find_program(name, ProgType::SocketFilter)?),
            None => None,
        };
        let sockets = &mut self.topology.netns[netns.0].sockets;
        let udp = |kind| matches!(kind, SocketKind::Udp(_));
        let taken = |other: &Socket| udp(other.kind) && other.kind == command.kind;
        if sockets.iter().any(taken) {
            return Err(Cause::Busy("the address (EADDRINUSE): the port".into()));
        }
        sockets.push(Socket {
            kind: command.kind,
            filter,
        });
        Ok(())
    }

    /// `bpftool cgroup attach …`.
    pub(super) fn cgroup_attach(&mut self, attach: &CgroupAttach) -> Done {
        let program = self.find_program(&attach.program, ProgType::CgroupSkb)?;
        let hook = &mut self.topology.cgroup[usize::from(attach.egress)];
        if hook.attach(program, attach.multi) {
            return Ok(());
        }
        let flag = if attach.multi { "without" } else { "with" };
        Err(Cause::Refused(format!(
            "the cgroup has programs there that were attached {flag} `multi`, so Linux answers *Operation not permitted*"
        )))
    }

    /// `__cgroup_bpf_run_filter_skb()`: all programs run, over the packet from its IP header on. One that says no
    /// makes it `-EPERM`; at egress a second bit tells of congestion.
    pub(super) fn cgroup_bpf_run_filter_skb(&mut self, no: SkbNo, side: CgroupSide) -> Run<i64> {
        let programs = self.topology.cgroup[side as usize].programs.clone();
        if programs.is_empty() {
            return Ok(NET_XMIT_SUCCESS);
        }
        let Some(dev) = self.skb(no).dev else {
            return not_covered("__cgroup_bpf_run_filter_skb of a packet without device");
        };
        self.traced("__cgroup_bpf_run_filter_skb", CGROUP, no, |k| {
            let skb = k.skb_mut(no);
            let offset = skb.data.saturating_sub(u32::from(skb.network_header));
            skb.push(offset)?;
            let (mut refused, mut congested) = (false, false);
            for program in programs {
                let hook = match side {
                    CgroupSide::Ingress => "cgroup_ingress",
                    CgroupSide::Egress => "cgroup_egress",
                };
                let verdict = k.run_saving_cb(program, hook, dev, no)?;
                // bpf_prog_run_array_cg()
                refused |= verdict & 1 == 0;
                congested |= verdict & 2 != 0;
            }
            k.skb_mut(no).pull(offset)?;
            Ok(match (refused, side == CgroupSide::Egress && congested) {
                (false, false) => NET_XMIT_SUCCESS,
                (false, true) => NET_XMIT_CN,
                (true, true) => NET_XMIT_DROP,
                (true, false) => EPERM,
            })
        })
    }

    /// `bpf_prog_run_save_cb()`: the program finds `cb` empty, and what it leaves there is forgotten.
    fn run_saving_cb(
        &mut self,
        program: ProgId,
        hook: &'static str,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        let skb = self.skb_mut(no);
        let kept = (skb.cb, std::mem::take(&mut skb.bpf.cb));
        let verdict = self.run_cls(program, hook, dev, no)?;
        let skb = self.skb_mut(no);
        (skb.cb, skb.bpf.cb) = kept;
        Ok(verdict)
    }

    /// `BPF_CGROUP_RUN_PROG_INET_EGRESS()` of `ip_finish_output()` and `ip6_finish_output()`: for packets that a
    /// socket of this host sends. `Err`: the packet is gone, and this is the answer; `Ok`: the answer unless sending gives
    /// another.
    pub(super) fn cgroup_egress(&mut self, no: SkbNo) -> Run<Result<i64, i64>> {
        if !std::mem::take(&mut self.skb_mut(no).from_socket) {
            return Ok(Ok(NET_XMIT_SUCCESS));
        }
        let ret = self.cgroup_bpf_run_filter_skb(no, CgroupSide::Egress)?;
        if matches!(ret, NET_XMIT_SUCCESS | NET_XMIT_CN) {
            return Ok(Ok(ret));
        }
        self.kfree_skb(no, drop_reason::BPF_CGROUP_EGRESS)?;
        Ok(Err(ret))
    }

    /// `sk_filter_trim_cap()`: the cgroup, then the socket's filter, which says how many bytes are kept, at least
    /// `cap`. Gives the drop reason, 0 for none.
    fn sk_filter_trim_cap(&mut self, no: SkbNo, socket: Socket, cap: u32) -> Run<u32> {
        let none = self.topology.cgroup[0].programs.is_empty();
        if none && socket.filter.is_none() {
            return Ok(0);
        }
        let mut reason = 0;
        self.traced("sk_filter_trim_cap", FILTER, no, |k| {
            let refused = k.cgroup_bpf_run_filter_skb(no, CgroupSide::Ingress)? != 0;
            if refused {
                reason = drop_reason::SOCKET_FILTER;
                return Ok(i64::from(reason));
            }
            let (Some(filter), Some(dev)) = (socket.filter, k.skb(no).dev) else {
                return Ok(0);
            };
            match k.run_saving_cb(filter, "socket", dev, no)? as u32 {
                0 => reason = drop_reason::SOCKET_FILTER,
                len => k.pskb_trim(no, len.max(cap))?,
            }
            Ok(i64::from(reason))
        })?;
        Ok(reason)
    }

    /// The rest of `udp_queue_rcv_one_skb()` and `udpv6_queue_rcv_one_skb()` for a process's socket.
    pub(super) fn udp_enqueue(&mut self, no: SkbNo, socket: Socket) -> Run<i64> {
        // without a filter the sum is looked at when a process reads
        if socket.filter.is_some() && !self.checksum_complete(no, ipv4::PROTO_UDP) {
            self.kfree_skb(no, drop_reason::UDP_CSUM)?;
            return Ok(-1);
        }
        let reason = self.sk_filter_trim_cap(no, socket, udp::HLEN)?;
        if reason != 0 {
            self.kfree_skb(no, reason)?;
            return Ok(-1);
        }
        // udp_csum_pull_header()
        self.skb_pull_rcsum(no, udp::HLEN)?;
        self.traced("__udp_enqueue_schedule_skb", "net/ipv4/udp.c", no, |k| {
            // udp_set_dev_scratch() writes over skb->dev
            k.skb_mut(no).dev = None;
            Ok(0)
        })?;
        Ok(0)
    }

    /// The socket that is bound to a UDP port.
    pub(super) fn udp_process(&self, netns: NetnsId, port: u16) -> Option<Socket> {
        let mut sockets = self.topology.netns[netns.0].sockets.iter();
        sockets.find(|it| it.kind == SocketKind::Udp(port)).copied()
    }

    /// `raw_local_deliver()`: each raw socket of the protocol gets a clone. Says whether there was one.
    pub(super) fn raw_local_deliver(&mut self, no: SkbNo, protocol: u8) -> Run<bool> {
        let Some(dev) = self.skb(no).dev else {
            return Ok(false);
        };
        let netns = self.topology.dev(dev).netns;
        let fits = |socket: &&Socket| socket.kind == SocketKind::Raw(protocol);
        let here = &self.topology.netns[netns.0].sockets;
        let mut sockets: Vec<Socket> = here.iter().filter(fits).copied().collect();
        let ping = self.ping_takes(no, netns, protocol);
        if ping {
            let (kind, filter) = (SocketKind::Raw(protocol), None);
            sockets.push(Socket { kind, filter });
        }
        if sockets.is_empty() {
            return Ok(false);
        }
        self.traced("raw_local_deliver", RAW, no, |k| {
            let last = sockets.len() - 1;
            for (at, socket) in sockets.into_iter().enumerate() {
                let clone = k.skb_clone(no)?;
                k.raw_rcv(clone, socket)?;
                if ping && at == last {
                    k.pinging.holds.push(clone);
                }
            }
            Ok(1)
        })?;
        Ok(true)
    }

    /// `raw_rcv()`: from the IP header on, through the filter (`sk_filter()` keeps at least 1 byte), into the queue.
    fn raw_rcv(&mut self, no: SkbNo, socket: Socket) -> Run<i64> {
        self.traced("raw_rcv", RAW, no, |k| {
            let skb = k.skb_mut(no);
            let offset = skb.data.saturating_sub(u32::from(skb.network_header));
            skb.push(offset)?;
            let reason = k.sk_filter_trim_cap(no, socket, 1)?;
            if reason != 0 {
                k.kfree_skb(no, reason)?;
                return Ok(0);
            }
            k.traced("__sock_queue_rcv_skb", "net/core/sock.c", no, |k| {
                k.skb_mut(no).dev = None;
                Ok(0)
            })?;
            Ok(0)
        })
    }
}
