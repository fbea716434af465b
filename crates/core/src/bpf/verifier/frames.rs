//! Functions: entering, leaving, callbacks, the end of the program
//! (`check_func_call()`, `prepare_func_exit()`, `process_bpf_exit_full()`, kernel/bpf/verifier.c).

use crate::bpf::insn::Reg as Register;

use super::Warning;
use super::precise::Node;
use super::protos;
use super::refusal::{Checked, Refusal};
use super::reg::{Kind, Reg};
use super::scalar::Scalar;
use super::state::{Frame, State};
use super::walk::{Next, Walk};

/// `MAX_CALL_FRAMES`, include/linux/bpf_verifier.h.
const MAX_FRAMES: usize = 16;

impl Walk<'_> {
    /// A frame for a function that is called from here; r1 to r5 are what `args` says.
    pub(super) fn enter(&self, state: &mut State, entry: usize, args: [Reg; 5]) -> Checked {
        if state.frames.len() >= MAX_FRAMES {
            return Err(Refusal::CallDepth(state.frames.len() + 1));
        }
        let mut frame = Frame::new(state.frames.len(), entry, self.insn);
        frame.regs[1..6].copy_from_slice(&args);
        state.frames.push(frame);
        Ok(())
    }

    pub(super) fn call_function(&mut self, entry: usize) -> Checked<Next> {
        if self.program.globals.contains(&entry) {
            self.warn(Warning::GlobalFunction { insn: self.insn });
        }
        let args: [Reg; 5] = std::array::from_fn(|i| *self.state.reg(i + 1));
        let mut state = std::mem::replace(&mut self.state, State::new());
        let entered = self.enter(&mut state, entry, args);
        self.state = state;
        entered?;
        let caller = self.state.top() - 1;
        self.state.frames[caller].regs[..6].fill(Reg::NOT_INIT);
        Ok(Next::To(entry))
    }

    /// A helper calls a function of the program: the function is walked, and later what follows the
    /// helper (`push_callback_call()`).
    pub(super) fn push_callback(&mut self, entry: usize, args: [Reg; 5]) -> Checked {
        let mut state = self.state.clone();
        self.enter(&mut state, entry, args)?;
        state.frame_mut().callback = true;
        state.unrolled += 1;
        let caller = state.top() - 1;
        state.frames[caller].callback_depth += 1;
        state.insn = entry;
        self.push_state(state, entry)?;
        self.state.frame_mut().callback_depth = 0;
        Ok(())
    }

    /// A function that is called when this run is over, with a stack of its own.
    pub(super) fn push_later(&mut self, entry: usize, args: [Reg; 3]) -> Checked {
        let mut state = State::new();
        let frame = state.frame_mut();
        frame.entry = entry;
        frame.regs[1..4].copy_from_slice(&args);
        frame.later = self.state.frame().later + 1;
        state.insn = entry;
        self.push_state(state, entry)
    }

    /// Registers that a call leaves unset, r0 to r5.
    pub(super) fn scratch(&mut self) {
        self.state.frame_mut().regs[..6].fill(Reg::NOT_INIT);
    }

    pub(super) fn check_exit(&mut self) -> Checked<Next> {
        let outer = self.state.frames.len() == 1;
        self.check_leak(outer, "BPF_EXIT instruction in main prog")?;
        if !outer {
            return self.leave().map(Next::To);
        }
        let r0 = self.read(0)?;
        if !r0.is_scalar() {
            self.leak(0);
        }
        self.check_result(&r0)?;
        Ok(Next::End)
    }

    /// `check_return_code()`: of the types here programs of a cgroup and of netfilter have a range.
    fn check_result(&mut self, r0: &Reg) -> Checked {
        if self.state.frame().later > 0 {
            return self.check_range(r0, "At async callback return", 0);
        }
        if self.class & (protos::CGROUP_SKB | protos::NETFILTER) == 0 {
            return Ok(());
        }
        let cgroup = self.class == protos::CGROUP_SKB;
        let max = if cgroup && self.program.section.ends_with("egress") {
            3
        } else {
            1
        };
        self.check_range(r0, "At program exit", max)
    }

    /// What a program or a timer's function may return: 0 to `max`.
    fn check_range(&mut self, r0: &Reg, what: &'static str, max: i64) -> Checked {
        if !r0.is_scalar() {
            return Err(Refusal::ReturnKind(what, r0.type_name()));
        }
        self.nodes.ask(r0.node);
        if r0.var.smin() < 0 || r0.var.smax() > max {
            return Err(Refusal::ReturnRange {
                what,
                reg: "R0",
                known: known(&r0.var),
                min: 0,
                max: max as i32,
            });
        }
        Ok(())
    }

    /// `check_resource_leak()`; `regions`: locks must be open as well.
    pub(super) fn check_leak(&mut self, regions: bool, what: &'static str) -> Checked {
        let state = &self.state;
        if regions && state.lock.is_some() {
            return Err(Refusal::InsideRegion(what, "spin_lock"));
        }
        if state.frames.len() == 1
            && let Some(taken) = state.refs.first()
        {
            return Err(Refusal::Unreleased {
                id: taken.id,
                insn: self.cfg.slots.get(taken.insn).copied().unwrap_or_default(),
                what,
            });
        }
        if regions && state.rcu > 0 {
            return Err(Refusal::InsideRegion(what, "rcu_read_lock"));
        }
        if regions && state.preempt > 0 {
            return Err(Refusal::InsideRegion(what, "preempt_disable"));
        }
        Ok(())
    }

    /// Back to the caller; gives the instruction there.
    pub(super) fn leave(&mut self) -> Checked<usize> {
        let r0 = *self.state.reg(0);
        if r0.kind == Kind::Stack {
            return Err(Refusal::ReturnStack);
        }
        let callback = self.state.frame().callback;
        if callback {
            if !r0.is_scalar() {
                return Err(Refusal::CallbackReturn);
            }
            self.nodes.ask(r0.node);
            if r0.var.smin() < 0 || r0.var.smax() > 1 {
                return Err(Refusal::ReturnRange {
                    what: "At callback return",
                    reg: "R0",
                    known: known(&r0.var),
                    min: 0,
                    max: 1,
                });
            }
        }
        let Some(callee) = self.state.frames.pop() else {
            return Ok(self.insn);
        };
        if callback {
            // the helper is visited again: it may call once more, or return
            self.widen_loop(callee.callsite);
            return Ok(callee.callsite);
        }
        self.state.set(0, r0);
        Ok(callee.callsite + 1)
    }

    /// `check_ld_abs()`.
    pub(super) fn check_packet_load(&mut self, index: Option<Register>) -> Checked<Next> {
        if self.class & (protos::TC | protos::SOCKET) == 0 {
            return Err(Refusal::LdAbsType);
        }
        if self.state.frames.iter().any(|frame| frame.callback) {
            return Err(Refusal::LdAbsCallback);
        }
        let r6 = self.read(6)?;
        self.check_leak(true, "BPF_LD_[ABS|IND]")?;
        if r6.kind != Kind::Ctx {
            return Err(Refusal::LdAbsR6);
        }
        if let Some(index) = index {
            self.read(index.number())?;
        }
        self.check_unmodified(&r6, 6, false)?;
        self.scratch();
        self.set_unknown(0);
        if self.state.frames.len() > 1 {
            // bytes that are not there end the function with 0
            self.push(self.insn + 1)?;
            self.put(0, Reg::number(0), [Node::NONE; 2]);
            return self.leave().map(Next::To);
        }
        Ok(Next::Fall)
    }
}

/// What `verbose_invalid_scalar()` prints of a number.
fn known(var: &Scalar) -> String {
    let mut out = String::new();
    if var.smin() > i64::MIN {
        out.push_str(&format!(" smin={}", var.smin()));
    }
    if var.smax() < i64::MAX {
        out.push_str(&format!(" smax={}", var.smax()));
    }
    if out.is_empty() {
        out.push_str(" unknown scalar value");
    }
    out
}
