//! Calls of kernel functions (`check_kfunc_call()`, `check_kfunc_args()`, kernel/bpf/verifier.c); which programs have
//! which: net/core/filter.c, net/core/xdp.c, kernel/bpf/helpers.c.

use super::Warning;
use super::nf;
use super::objects::{Dynptr, SKB, SKB_META, Wants, XDP};
use super::precise::Node;
use super::protos;
use super::refusal::{Checked, Refusal};
use super::reg::{Kind, MAYBE_NULL, RDONLY, Reg};
use super::scalar::Scalar;
use super::walk::{Next, Walk};
use crate::bpf::insn::{Callee, Insn};
use crate::bpf::proposed::{SKB_EXT, SKB_EXT_CREATE};

/// A kernel function. Arguments, a letter each: `C` the context, `i` a number, `D` a dynptr, `U` one to be made,
/// `c` a constant, `b` a buffer or NULL with its size behind it (`k`, constant), `m` memory with its size behind it (`k`), `I` an iterator, `2` `4` `8` memory of that size.
struct Kfunc {
    name: &'static str,
    types: u16,
    args: &'static [u8],
}

/// What the names of `xdp_metadata_kfunc_ids` begin with.
const METADATA: &str = "bpf_xdp_metadata_rx_";
const META: &str = "bpf_dynptr_from_skb_meta";
const SKB_TYPES: u16 = protos::TC
    | protos::SOCKET
    | protos::LWT_IN
    | protos::LWT_OUT
    | protos::LWT_XMIT
    | protos::SEG6LOCAL
    | protos::CGROUP_SKB
    | protos::SK_SKB
    | protos::NETFILTER;
const COMMON: u16 = SKB_TYPES | protos::XDP;

#[rustfmt::skip]
const KFUNCS: &[Kfunc] = &[
    Kfunc { name: "bpf_dynptr_from_skb", types: SKB_TYPES, args: b"CiU" },
    Kfunc { name: "bpf_dynptr_from_skb_meta", types: protos::TC, args: b"CiU" },
    Kfunc { name: "bpf_dynptr_from_xdp", types: protos::XDP, args: b"CiU" },
    Kfunc { name: "bpf_xdp_pull_data", types: protos::XDP, args: b"Ci" },
    Kfunc { name: "bpf_xdp_metadata_rx_timestamp", types: protos::XDP, args: b"C8" },
    Kfunc { name: "bpf_xdp_metadata_rx_hash", types: protos::XDP, args: b"C44" },
    Kfunc { name: "bpf_xdp_metadata_rx_vlan_tag", types: protos::XDP, args: b"C22" },
    Kfunc { name: "bpf_dynptr_slice", types: COMMON, args: b"Dibk" },
    Kfunc { name: "bpf_dynptr_slice_rdwr", types: COMMON, args: b"Dibk" },
    Kfunc { name: "bpf_dynptr_adjust", types: COMMON, args: b"Dii" },
    Kfunc { name: "bpf_dynptr_is_null", types: COMMON, args: b"D" },
    Kfunc { name: "bpf_dynptr_is_rdonly", types: COMMON, args: b"D" },
    Kfunc { name: "bpf_dynptr_size", types: COMMON, args: b"D" },
    Kfunc { name: "bpf_dynptr_clone", types: COMMON, args: b"DU" },
    Kfunc { name: "bpf_dynptr_copy", types: COMMON, args: b"DiDii" },
    Kfunc { name: "bpf_dynptr_memset", types: COMMON, args: b"Diii" },
    Kfunc { name: "bpf_iter_num_new", types: COMMON, args: b"Nii" },
    Kfunc { name: "bpf_iter_num_next", types: COMMON, args: b"I" },
    Kfunc { name: "bpf_iter_num_destroy", types: COMMON, args: b"I" },
    Kfunc { name: "bpf_rcu_read_lock", types: COMMON, args: b"" },
    Kfunc { name: "bpf_rcu_read_unlock", types: COMMON, args: b"" },
    Kfunc { name: "bpf_preempt_disable", types: COMMON, args: b"" },
    Kfunc { name: "bpf_preempt_enable", types: COMMON, args: b"" },
];

/// Those of designs, for programs of their kernels.
#[rustfmt::skip]
const PROPOSED: &[Kfunc] = &[
    Kfunc { name: SKB_EXT, types: SKB_TYPES, args: b"CicU" },
    Kfunc { name: "bpf_xdp_trait_set", types: protos::XDP, args: b"Cimki" },
    Kfunc { name: "bpf_xdp_trait_is_set", types: protos::XDP, args: b"Ci" },
    Kfunc { name: "bpf_xdp_trait_get", types: protos::XDP, args: b"Cimk" },
    Kfunc { name: "bpf_xdp_trait_del", types: protos::XDP, args: b"Ci" },
    Kfunc { name: "bpf_skb_trait_set", types: SKB_TYPES, args: b"Cimki" },
    Kfunc { name: "bpf_skb_trait_get", types: SKB_TYPES, args: b"Cimk" },
    Kfunc { name: "bpf_skb_trait_del", types: SKB_TYPES, args: b"Ci" },
];

/// The first call of a kernel function that only programs loaded for one device have (`bpf_dev_bound_kfunc_id()`,
/// net/core/xdp.c); every call counts, reached or not.
pub(super) fn needs_device(insns: &[Insn]) -> Option<usize> {
    let metadata =
        |insn: &Insn| matches!(insn, Insn::Call(Callee::Kfunc(name)) if name.starts_with(METADATA));
    insns.iter().position(metadata)
}

impl Walk<'_> {
    /// The function, in the kernel that the program is for.
    fn kfunc(&self, name: &str) -> Option<&'static Kfunc> {
        let table = match self.rules.proposed.knows(name) {
            true => PROPOSED,
            false => KFUNCS,
        };
        table.iter().find(|k| k.name == name)
    }

    pub(super) fn call_kfunc(&mut self, name: &str) -> Checked<Next> {
        let Some(kfunc) = self.kfunc(name) else {
            self.warn(Warning::UnknownKfunc {
                insn: self.insn,
                name: name.to_owned(),
            });
            self.scratch();
            self.set_unknown(0);
            return Ok(Next::Fall);
        };
        let assumed = name == META && self.rules.meta_everywhere && self.class & SKB_TYPES != 0;
        if kfunc.types & self.class == 0 && !assumed {
            return Err(Refusal::Kfunc(name.to_owned(), protos::names(kfunc.types)));
        }
        if name.starts_with(METADATA) && self.rules.device_bound.is_none() {
            self.warn(Warning::DeviceBound { insn: self.insn });
        }
        let (mut dynptr, mut size) = (Dynptr::default(), 0);
        for (i, code) in kfunc.args.iter().enumerate() {
            self.check_kfunc_arg(name, i + 1, *code, &mut dynptr, &mut size)?;
        }
        match name {
            "bpf_iter_num_next" => return Ok(Next::Fall),
            "bpf_rcu_read_lock" => self.state.rcu += 1,
            "bpf_preempt_disable" => self.state.preempt += 1,
            "bpf_rcu_read_unlock" => match self.state.rcu.checked_sub(1) {
                Some(left) => self.state.rcu = left,
                None => return Err(Refusal::RcuUnlock(name.to_owned())),
            },
            "bpf_preempt_enable" => match self.state.preempt.checked_sub(1) {
                Some(left) => self.state.preempt = left,
                None => return Err(Refusal::PreemptEnable(name.to_owned())),
            },
            _ => {}
        }
        self.scratch();
        match name {
            "bpf_dynptr_slice" | "bpf_dynptr_slice_rdwr" => self.slice(name, dynptr, size)?,
            "bpf_iter_num_destroy"
            | "bpf_rcu_read_lock"
            | "bpf_rcu_read_unlock"
            | "bpf_preempt_disable"
            | "bpf_preempt_enable" => {}
            "bpf_dynptr_size" => self.set_unknown(0),
            // `int`, `bool`: the upper half is not the function's
            _ => {
                let mut new = Reg::UNKNOWN;
                new.var = Scalar::UNKNOWN;
                self.put(0, new, [Node::NONE; 2]);
            }
        }
        // a slice may point at what is shared now
        let reopened = name == SKB_EXT && size & SKB_EXT_CREATE != 0;
        if name == "bpf_xdp_pull_data" || reopened {
            self.packet_changed();
        }
        Ok(Next::Fall)
    }

    /// r0 of `bpf_dynptr_slice()` and `bpf_dynptr_slice_rdwr()`.
    fn slice(&mut self, name: &str, dynptr: Dynptr, size: u64) -> Checked {
        let mut new = Reg::pointer(Kind::Mem, size as u32);
        new.flags = MAYBE_NULL | dynptr.slice_flag();
        if name == "bpf_dynptr_slice" {
            new.flags |= RDONLY;
        } else {
            if self.class & protos::WRITE == 0 {
                return Err(Refusal::SliceWrite);
            }
            self.out.facts.writes_packet = true;
        }
        new.parent = dynptr.id;
        new.id = self.new_id();
        self.put(0, new, [Node::NONE; 2]);
        Ok(())
    }

    fn check_kfunc_arg(
        &mut self,
        name: &str,
        regno: usize,
        code: u8,
        dynptr: &mut Dynptr,
        size: &mut u64,
    ) -> Checked {
        let value = *self.state.reg(regno);
        if code == b'k' {
            // checked with its buffer
            return Ok(());
        }
        if code == b'i' {
            return if value.is_scalar() {
                Ok(())
            } else {
                Err(Refusal::KfuncScalar(regno))
            };
        }
        if code == b'c' {
            let constant = value.var.constant(true).filter(|_| value.is_scalar());
            *size = constant.ok_or(Refusal::KfuncConstant(regno))?;
            return Ok(());
        }
        if (value.is_null() || value.may_be_null()) && code != b'b' {
            return Err(Refusal::KfuncNull(regno));
        }
        self.check_kfunc_offset(&value, regno)?;
        match code {
            // `struct __sk_buff *` of a program whose context holds an skb
            b'C' if self.class == protos::NETFILTER => match nf::is_skb(&value) {
                true => Ok(()),
                false => Err(Refusal::KfuncCtx(regno, value.type_name())),
            },
            b'C' if value.kind != Kind::Ctx => Err(Refusal::KfuncCtx(regno, value.type_name())),
            b'C' => Ok(()),
            b'D' => {
                *dynptr = self.use_dynptr(&value, regno, Wants::Any)?;
                Ok(())
            }
            b'U' => {
                let (of, parent) = match name {
                    "bpf_dynptr_from_skb" => (SKB, Some(0)),
                    "bpf_dynptr_from_skb_meta" | SKB_EXT => (SKB_META, Some(0)),
                    "bpf_dynptr_from_xdp" => (XDP, Some(0)),
                    _ => (dynptr.of, Some(dynptr.parent)),
                };
                self.make_dynptr(&value, regno, of, parent)
            }
            b'N' => self.make_iter(&value, regno),
            b'I' if name == "bpf_iter_num_next" => self.next_iter(&value, regno),
            b'I' => self.destroy_iter(&value, regno),
            b'b' => self.check_buffer(&value, regno, size),
            b'm' => self.check_sized(regno),
            _ => {
                let bytes = i64::from(code - b'0');
                self.check_helper_memory(&value, regno, bytes, false, true, None)?;
                self.check_helper_memory(&value, regno, bytes, true, true, None)
            }
        }
    }

    fn check_kfunc_offset(&self, value: &Reg, regno: usize) -> Checked {
        match value.kind {
            Kind::Stack
            | Kind::Packet
            | Kind::Meta
            | Kind::MapKey
            | Kind::MapValue
            | Kind::Mem
            | Kind::Scalar => Ok(()),
            _ => self.check_unmodified(value, regno, false),
        }
    }

    /// Memory and its size (`__sz`).
    fn check_sized(&mut self, regno: usize) -> Checked {
        let next = regno + 1;
        for writes in [false, true] {
            self.check_size(regno, next, writes, true, None)
                .map_err(|e| Refusal::KfuncPair(e.to_string(), regno, next))?;
        }
        Ok(())
    }

    /// A buffer and its size, which must be constant (`__szk`).
    fn check_buffer(&mut self, value: &Reg, regno: usize, size: &mut u64) -> Checked {
        let next = regno + 1;
        if !value.is_null() {
            let mut not_null = *value;
            not_null.flags &= !MAYBE_NULL;
            self.state.set(regno, not_null);
            for writes in [false, true] {
                self.check_size(regno, next, writes, true, None)
                    .map_err(|e| Refusal::KfuncPair(e.to_string(), regno, next))?;
            }
        }
        let bytes = *self.state.reg(next);
        if !bytes.is_scalar() {
            return Err(Refusal::KfuncScalar(next));
        }
        let Some(constant) = bytes.var.constant(true) else {
            return Err(Refusal::KfuncConstant(next));
        };
        self.nodes.ask(bytes.node);
        *size = constant;
        Ok(())
    }
}
