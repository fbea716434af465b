//! Sockets of processes: who receives datagrams, and what they look through before.

use super::topology::ProgId;

/// What a socket receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketKind {
    /// `socket(AF_INET6, SOCK_DGRAM, 0)` bound to a port; IPv4 comes there too (`ipv6only` is off).
    Udp(u16),
    /// `socket(AF_INET, SOCK_RAW, protocol)`.
    Raw(u8),
}

/// `orc sock udp PORT|raw PROTOCOL [filter PROG] [NETNS]`: a process opens a socket; what comes waits in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketCommand {
    /// What it receives.
    pub kind: SocketKind,
    /// `SO_ATTACH_BPF`.
    pub filter: Option<String>,
}

/// An open socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// What it receives.
    pub kind: SocketKind,
    /// Its filter (`sk_filter`).
    pub filter: Option<ProgId>,
}

/// `bpftool cgroup attach CGROUP cgroup_inet_ingress|cgroup_inet_egress PROG [multi|override]`. All processes here are in
/// the root cgroup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupAttach {
    /// Program name.
    pub program: String,
    /// Where packets leave; else where they come to a socket.
    pub egress: bool,
    /// Beside others (`BPF_F_ALLOW_MULTI`); without it a program takes the place of another.
    pub multi: bool,
}

/// Programs of the root cgroup at one hook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CgroupHook {
    /// In this order.
    pub programs: Vec<ProgId>,
    /// They were attached with `multi`.
    pub multi: bool,
}

impl CgroupHook {
    /// `__cgroup_bpf_attach()` (`kernel/bpf/cgroup.c`): a cgroup takes one kind of attachment only. Says no when programs
    /// are there with the other flag (`-EPERM`).
    pub fn attach(&mut self, program: ProgId, multi: bool) -> bool {
        if !self.programs.is_empty() && self.multi != multi {
            return false;
        }
        if !multi {
            self.programs.clear();
        }
        self.multi = multi;
        self.programs.push(program);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_or_several() {
        let mut one = CgroupHook::default();
        assert!(one.attach(ProgId(1), false) && one.attach(ProgId(2), false));
        assert_eq!(one.programs, [ProgId(2)]);
        assert!(!one.attach(ProgId(3), true));
        let mut more = CgroupHook::default();
        assert!(more.attach(ProgId(1), true) && more.attach(ProgId(2), true));
        assert_eq!(more.programs, [ProgId(1), ProgId(2)]);
    }
}
