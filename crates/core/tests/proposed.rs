//! Kernel functions of designs: `bpf_dynptr_from_skb_ext()` (August 2026; its rules are those of patch-series.md, section 5, and of the
//! series' own tests) and traits (RFC v2, `include/net/trait.h`, `net/core/xdp.c`).

mod world;

use headroom_core::bpf::{Object, Program};
use headroom_core::design::DesignName::{self, MacHeader, SkbExt, Traits};
use headroom_core::stack::{Executed, Hook, exec};
use world::{ECHO4, WIRE, at, whole};

fn tried(hook: Hook, design: DesignName, text: &str) -> Result<Executed, String> {
    let program = Program::from_asm("p", hook.section(), text).expect("a program");
    let object = Object {
        name: "test".to_owned(),
        programs: vec![program],
        maps: Vec::new(),
        license: "GPL".to_owned(),
    };
    exec(&object, "p", hook, &[2; 64], &[], design).map_err(|error| error.to_string())
}

fn run(hook: Hook, design: DesignName, text: &str) -> Executed {
    tried(hook, design, text).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(hook: Hook, design: DesignName, text: &str) -> String {
    tried(hook, design, text).map(|_| ()).expect_err("refused")
}

fn ret(hook: Hook, design: DesignName, text: &str) -> i32 {
    let done = run(hook, design, text);
    assert!(done.result.is_ok(), "{:?}", done.result);
    done.r0 as i32
}

/// A call with its size and flags, the dynptr at r10 less `at`.
fn open(size: u32, flags: u32, at: u32) -> String {
    format!(
        "r1 = r6\nr2 = {size}\nr3 = {flags}\nr4 = r10\nr4 += -{at}\ncall bpf_dynptr_from_skb_ext\n"
    )
}

fn ext(text: &str) -> i32 {
    ret(Hook::Tc, SkbExt, &format!("r6 = r1\n{text}exit\n"))
}

/// `-ENOENT` without the create flag; with it 64 bytes, which the next one finds; what is not known is `-EINVAL`.
#[test]
fn an_extension_is_created_and_found() {
    assert_eq!(ext(&open(0, 0, 16)), -2);
    let size = "r1 = r10\nr1 += -16\ncall bpf_dynptr_size\n";
    assert_eq!(ext(&(open(0, 1, 16) + size)), 64);
    assert_eq!(ext(&(open(8, 1, 16) + size)), 8);
    assert_eq!(ext(&open(65, 1, 16)), -7);
    assert_eq!(ext(&open(0, 2, 16)), -22);
    assert_eq!(ext(&(open(0, 1, 16) + &open(0, 0, 32))), 0);
}

/// Read-only without the create flag.
#[test]
fn what_is_found_is_read_only() {
    let write = |at: u32| {
        format!(
            "*(u64 *)(r10 -48) = 7\nr1 = r10\nr1 += -{at}\nr2 = 0\nr3 = r10\nr3 += -48\nr4 = 4\nr5 = 0\ncall bpf_dynptr_write\n"
        )
    };
    let both = open(0, 1, 16) + &open(0, 0, 32);
    assert_eq!(ext(&(both.clone() + &write(16))), 0);
    assert_eq!(ext(&(both + &write(32))), -22);
}

/// The series' own tests: flags must be a constant, and a slice is void once the extension is opened anew to be written.
#[test]
fn the_verifier_knows_it() {
    let variable = "r6 = r1\ncall bpf_get_prandom_u32\nr3 = r0\nr1 = r6\nr2 = 0\nr4 = r10\nr4 += -16\ncall bpf_dynptr_from_skb_ext\nr0 = 0\nexit\n";
    assert!(refused(Hook::Tc, SkbExt, variable).contains("must be a known constant"));
    let slice = |flags: u32| {
        format!(
            "r6 = r1\n{}if r0 != 0 goto out\nr1 = r10\nr1 += -16\nr2 = 0\nr3 = 0\nr4 = 8\ncall bpf_dynptr_slice\nif r0 == 0 goto out\n\
             r7 = r0\n{}r0 = *(u8 *)(r7 +0)\nexit\nout: r0 = 1\nexit\n",
            open(0, 1, 16),
            open(0, flags, 32)
        )
    };
    assert!(refused(Hook::Tc, SkbExt, &slice(1)).contains("R7 invalid mem access 'scalar'"));
    assert_eq!(ret(Hook::Tc, SkbExt, &slice(0)), 0);
}

/// Elsewhere there is no such function: it is named where it is called.
#[test]
fn other_kernels_have_none() {
    let text = format!("r6 = r1\n{}exit\n", open(0, 0, 16));
    let done = run(Hook::Tc, MacHeader, &text);
    let error = done.result.expect_err("none").to_string();
    assert!(
        error.contains("kernel function bpf_dynptr_from_skb_ext"),
        "{error}"
    );
    let text = "r2 = 3\ncall bpf_xdp_trait_del\nexit\n";
    let error = run(Hook::Xdp, SkbExt, text).result.expect_err("none");
    assert!(
        error
            .to_string()
            .contains("kernel function bpf_xdp_trait_del")
    );
    assert_eq!(ret(Hook::Xdp, Traits, text), -2);
}

/// One program writes at ingress of a device, another one reads behind the routing decision.
#[test]
fn an_extension_goes_along() {
    let text = format!(
        "{WIRE}ip link add d0 type dummy\nip link set d0 up\nip addr add 192.0.2.3/24 dev d0\nip neigh add 192.0.2.1 lladdr 02:00:00:00:00:09 dev d0\n\
         sysctl -w net.ipv4.ip_forward=1\norc tcx ext_write rx ingress\norc tcx ext_read d0 egress\n\
         orc send tx 0200000000010200000000020800{} tx",
        ECHO4
            .replacen("4001d4a3c0000202", "4001d4a3c6000202", 1)
            .replacen("4001d4a3", "4001cea3", 1)
    );
    let trace = whole(&text, SkbExt);
    assert_eq!(trace.printk, ["create 0 write 0", "find 0 value 42"]);
}

fn set(key: u32, len: u32) -> String {
    format!(
        "*(u64 *)(r10 -8) = 7\nr1 = r6\nr2 = {key}\nr3 = r10\nr3 += -8\nr4 = {len}\nr5 = 0\ncall bpf_xdp_trait_set\n"
    )
}

fn get(key: u32, len: u32) -> String {
    format!("r1 = r6\nr2 = {key}\nr3 = r10\nr3 += -16\nr4 = {len}\ncall bpf_xdp_trait_get\n")
}

fn xdp(text: &str) -> i32 {
    ret(Hook::Xdp, Traits, &format!("r6 = r1\n{text}exit\n"))
}

/// `trait_set()`, `trait_get()`, `trait_is_set()`, `trait_del()`: -EINVAL 22, -EBUSY 16, -ENOENT 2, -ENOSPC 28.
#[test]
fn traits_in_xdp() {
    let ask = |name: &str, key: u32| format!("r1 = r6\nr2 = {key}\ncall bpf_xdp_trait_{name}\n");
    assert_eq!(xdp(&set(3, 4)), 0);
    assert_eq!(xdp(&(set(3, 4) + &get(3, 8))), 4);
    assert_eq!(xdp(&(set(3, 8) + &get(3, 8))), 8);
    assert_eq!(xdp(&(set(3, 8) + &get(3, 4))), -28);
    assert_eq!(xdp(&(set(3, 8) + &get(4, 8))), -2);
    assert_eq!((xdp(&set(64, 4)), xdp(&set(3, 2))), (-22, -22));
    assert_eq!(xdp(&(set(3, 4) + &set(3, 8))), -16);
    assert_eq!(xdp(&(set(3, 4) + &ask("is_set", 3))), 1);
    assert_eq!(xdp(&(set(3, 4) + &ask("is_set", 4))), 0);
    assert_eq!(xdp(&(set(3, 4) + &ask("del", 3))), 0);
    assert_eq!(xdp(&(set(3, 4) + &ask("del", 3) + &get(3, 4))), -2);
    // 256 - 40 - 16 bytes are 25 values of eight
    let many = |count: u32| (0..count).map(|key| set(key, 8)).collect::<String>();
    assert_eq!((xdp(&many(25)), xdp(&many(26))), (0, -28));
}

/// Traits and metadata can't be used together (-EOPNOTSUPP 95, -ENOTSUPP 524), and `bpf_xdp_adjust_head()` ends at the traits: 40, 16 and 8
/// bytes.
#[test]
fn traits_beside_metadata_and_head() {
    let meta = "r1 = r6\nr2 = -4\ncall bpf_xdp_adjust_meta\n";
    assert_eq!(xdp(&(set(3, 4) + meta)), -524);
    assert_eq!(xdp(&(meta.to_owned() + &set(3, 4))), -95);
    let head = |by: i32| format!("r1 = r6\nr2 = {by}\ncall bpf_xdp_adjust_head\n");
    assert_eq!(xdp(&(set(3, 8) + &head(64 - 256))), 0);
    assert_eq!(xdp(&(set(3, 8) + &head(63 - 256))), -22);
}

/// From XDP to TC, in native and generic mode: key 2 before key 9; then one is deleted and one changed.
#[test]
fn traits_go_along() {
    for mode in ["native", "generic"] {
        let text = format!(
            "{WIRE}orc xdp trait_set rx {mode}\norc tcx trait_get rx ingress\norc tcx trait_change rx ingress\norc tcx trait_get rx ingress\n\
             orc send tx 0200000000010200000000020800{ECHO4} tx"
        );
        let trace = whole(&text, Traits);
        assert_eq!(
            trace.printk,
            [
                "key 2: 4 42",
                "key 9: 8 1122334455667788",
                "del 0",
                "set 0",
                "key 2: 4 43",
                "key 9: -2 0"
            ],
            "{mode}"
        );
        assert_eq!(at(&trace, "ip_rcv_core", "rx").meta.len, 4);
    }
    // without any, -EOPNOTSUPP
    let text = format!(
        "{WIRE}orc tcx trait_get rx ingress\norc send tx 0200000000010200000000020800{ECHO4} tx"
    );
    assert_eq!(
        whole(&text, Traits).printk,
        ["key 2: -95 0", "key 9: -95 0"]
    );
}
