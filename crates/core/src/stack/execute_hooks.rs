//! Carries out the commands that put programs and rules at hooks behind TC: netfilter, sockets, cgroups.

use super::Kernel;
use super::execute::Done;
use crate::scenario::command::Command;

impl Kernel {
    /// `nft …`, `orc nf …`, `orc sock …`, `bpftool cgroup …`.
    pub(super) fn command_hooks(&mut self, command: &Command) -> Done {
        match command {
            Command::Netfilter { netns, change } => {
                let id = self.topology.find_netns(netns)?;
                self.netfilter_change(id, change)
            }
            Command::Socket { netns, socket } => {
                let id = self.topology.find_netns(netns)?;
                self.socket_open(id, socket)
            }
            Command::CgroupAttach(attach) => self.cgroup_attach(attach),
            // said before the programs were loaded
            _ => Ok(()),
        }
    }
}
