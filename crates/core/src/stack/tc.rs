//! TC: `sch_handle_ingress()`, `sch_handle_egress()`, `tcx_run()` and `tc_run()` (`net/core/dev.c`).

use super::dev_rx::{Handler, NET_RX_DROP, NET_RX_SUCCESS};
use super::filter::EAGAIN;
use super::netfilter::NfState;
use super::skbuff::drop_reason;
use super::tc_host::TcHost;
use super::{Kernel, Run};
use crate::scenario::command::TcHook;
use crate::scenario::topology::{DevId, ProgId};
use crate::trace::{Edge, Outcome, SkbNo, StepKind};

/// Verdicts (`include/uapi/linux/pkt_cls.h`; `TC_ACT_CONSUMED` is internal to the kernel).
pub(super) mod act {
    pub const UNSPEC: i64 = -1;
    pub const OK: i64 = 0;
    pub const SHOT: i64 = 2;
    pub const PIPE: i64 = 3;
    pub const STOLEN: i64 = 4;
    pub const QUEUED: i64 = 5;
    pub const REDIRECT: i64 = 7;
    pub const TRAP: i64 = 8;
    pub const CONSUMED: i64 = 9;
}

/// What TC ingress made of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ingress {
    /// It goes on.
    Continue,
    /// It is taken or dropped; what the receive function returns.
    Done(i64),
    /// It is on another device now and is looked at once more.
    Another,
}

/// What TC egress made of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Egress {
    /// It is sent.
    Send,
    /// Somebody has taken it.
    Taken,
    /// It is dropped.
    Dropped,
}

impl Kernel {
    /// `sch_handle_ingress()`. Handlers found before get the packet first, if there is anything at the hook.
    pub(super) fn sch_handle_ingress(
        &mut self,
        no: SkbNo,
        previous: &mut Option<Handler>,
    ) -> Run<Ingress> {
        let Some(dev) = self
            .skb(no)
            .dev
            .filter(|dev| self.has_tc(*dev, TcHook::Ingress))
        else {
            return Ok(Ingress::Continue);
        };
        self.deliver_previous(no, previous)?;
        self.skb_mut(no).tc_at_ingress = true;
        // tcx_run() with needs_mac: programs see the packet from the MAC header on
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_mut(no).push(mac_len)?;
        let mut verdict = self.tcx_run(TcHook::Ingress, dev, no)?;
        let mac_len = u32::from(self.skb(no).mac_len);
        self.skb_mut(no).pull(mac_len)?;
        if verdict == act::UNSPEC {
            verdict = self.tc_run(TcHook::Ingress, dev, no)?;
        }
        match verdict {
            act::REDIRECT => {
                let mac_len = u32::from(self.skb(no).mac_len);
                self.skb_mut(no).push(mac_len)?;
                if self.skb_do_redirect(no)? == EAGAIN {
                    let mac_len = u32::from(self.skb(no).mac_len);
                    self.skb_mut(no).pull(mac_len)?;
                    return Ok(Ingress::Another);
                }
                Ok(Ingress::Done(NET_RX_SUCCESS))
            }
            act::SHOT => {
                self.kfree_skb(no, drop_reason::TC_INGRESS)?;
                Ok(Ingress::Done(NET_RX_DROP))
            }
            act::STOLEN | act::QUEUED | act::TRAP => {
                self.consume_skb(no)?;
                Ok(Ingress::Done(NET_RX_SUCCESS))
            }
            act::CONSUMED => Ok(Ingress::Done(NET_RX_SUCCESS)),
            _ => Ok(Ingress::Continue),
        }
    }

    /// `sch_handle_egress()`.
    pub(super) fn sch_handle_egress(&mut self, no: SkbNo) -> Run<Egress> {
        let Some(dev) = self
            .skb(no)
            .dev
            .filter(|dev| self.has_tc(*dev, TcHook::Egress))
        else {
            return Ok(Egress::Send);
        };
        let mut verdict = self.tcx_run(TcHook::Egress, dev, no)?;
        if verdict == act::UNSPEC {
            verdict = self.tc_run(TcHook::Egress, dev, no)?;
        }
        match verdict {
            act::REDIRECT => {
                self.skb_do_redirect(no)?;
                Ok(Egress::Taken)
            }
            act::SHOT => {
                self.kfree_skb(no, drop_reason::TC_EGRESS)?;
                Ok(Egress::Dropped)
            }
            act::STOLEN | act::QUEUED | act::TRAP => {
                self.consume_skb(no)?;
                Ok(Egress::Taken)
            }
            act::CONSUMED => Ok(Egress::Taken),
            _ => Ok(Egress::Send),
        }
    }

    fn tcx_programs(&self, dev: DevId, hook: TcHook) -> &[ProgId] {
        let device = self.topology.dev(dev);
        match hook {
            TcHook::Ingress => &device.tcx_ingress,
            TcHook::Egress => &device.tcx_egress,
        }
    }

    /// Whether the hook has an entry: a program or a clsact qdisc.
    fn has_tc(&self, dev: DevId, hook: TcHook) -> bool {
        !self.tcx_programs(dev, hook).is_empty() || self.topology.dev(dev).clsact.is_some()
    }

    /// `tcx_run()`: one program after the other until one decides; `tcx_action_code()` takes verdicts it does not
    /// know for `TCX_NEXT`.
    fn tcx_run(&mut self, hook: TcHook, dev: DevId, no: SkbNo) -> Run<i64> {
        for place in 0.. {
            let Some(program) = self.tcx_programs(dev, hook).get(place).copied() else {
                break;
            };
            let verdict = self.run_tc(program, hook, dev, no)?;
            if verdict != act::UNSPEC {
                return Ok(match verdict {
                    act::OK | act::SHOT | act::REDIRECT => verdict,
                    _ => act::UNSPEC,
                });
            }
        }
        Ok(act::UNSPEC)
    }

    /// `tc_run()`: the classifiers; a hook without any is passed over (`tcf_block_bypass_sw()`).
    fn tc_run(&mut self, hook: TcHook, dev: DevId, no: SkbNo) -> Run<i64> {
        let filters = match &self.topology.dev(dev).clsact {
            Some(clsact) => clsact.filters(hook).to_vec(),
            None => Vec::new(),
        };
        if filters.is_empty() {
            return Ok(act::UNSPEC);
        }
        self.tcf_classify(no, &filters)
    }

    /// `run_lwt_bpf()`: the program, over the packet as it is. It leaves no step of its own in a recording.
    pub(super) fn run_lwt_bpf(
        &mut self,
        program: ProgId,
        hook: &'static str,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        let run = self.open_run(program, hook, dev)?;
        self.bpf_compute_data_pointers(no);
        let verdict = self.bpf_prog_run(
            program,
            dev,
            |kernel| TcHost::new(kernel, no, run, dev),
            TcHost::finish,
        )?;
        let verdict = i64::from(verdict as i32);
        self.recorder.trace.runs[run].verdict = Some(verdict);
        Ok(verdict)
    }

    /// Runs one TC program over the packet.
    pub(super) fn run_tc(
        &mut self,
        program: ProgId,
        hook: TcHook,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        let hook = match hook {
            TcHook::Ingress => "ingress",
            TcHook::Egress => "egress",
        };
        self.run_cls(program, hook, dev, no)
    }

    /// Runs a program over the packet as it is; `hook` is its name in the trace.
    pub(super) fn run_cls(
        &mut self,
        program: ProgId,
        hook: &'static str,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        self.run_skb(program, hook, dev, no, None)
    }

    /// Runs a netfilter program (`nf_hook_run_bpf()`).
    pub(super) fn run_netfilter(
        &mut self,
        program: ProgId,
        state: NfState,
        dev: DevId,
        no: SkbNo,
    ) -> Run<i64> {
        self.run_skb(program, state.hook.word(), dev, no, Some(state))
    }

    fn run_skb(
        &mut self,
        program: ProgId,
        hook: &'static str,
        dev: DevId,
        no: SkbNo,
        state: Option<NfState>,
    ) -> Run<i64> {
        let run = self.open_run(program, hook, dev)?;
        let program_step = |edge| StepKind::Program { run, edge };
        self.step(program_step(Edge::Entry), no, Outcome::None)?;
        self.recorder.enter();
        self.bpf_compute_data_pointers(no);
        let result = self.bpf_prog_run(
            program,
            dev,
            |kernel| TcHost::new(kernel, no, run, dev).at_netfilter(state),
            TcHost::finish,
        );
        self.recorder.leave();
        let verdict = i64::from(result? as i32);
        self.recorder.trace.runs[run].verdict = Some(verdict);
        self.step(program_step(Edge::Exit), no, Outcome::Ret(verdict))?;
        Ok(verdict)
    }
}
