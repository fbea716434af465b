//! Time, chance, the running task, and reads of memory anywhere. Packets move in the softirq of the idle task.

use headroom_core::bpf::MapKind;
use headroom_core::stack::Hook;

use crate::bench::*;

fn ask(id: i32) -> i64 {
    r0(Hook::Xdp, &format!("call {id}\nexit"))
}

/// `init_task` is 0 and root's; the root cgroup has the id 1 and the level 0.
#[test]
fn the_idle_task() {
    assert_eq!((ask(14), ask(15), ask(80)), (0, 0, 1));
    let ancestor = |level: i32| r0(Hook::Tc, &format!("r1 = {level}\ncall 123\nexit"));
    assert_eq!((ancestor(0), ancestor(1), ancestor(-1)), (1, 0, 0));
    // A kernel address, the same for both.
    assert!(ask(35) < 0);
    assert_eq!(ask(35), ask(158));
}

/// `strscpy_pad()`: the name, cut to what fits with its NUL, and zeros behind it.
#[test]
fn the_name_of_the_task() {
    let comm = |size: i32, at: i32| {
        let text = format!(
            "*(u64 *)(r10 -16) = -1\n*(u64 *)(r10 -8) = -1\nr1 = r10\nr1 += -16\nr2 = {size}\ncall 16\n\
             r0 = *(u64 *)(r10 {at})\nexit"
        );
        r0(Hook::Xdp, &text).to_le_bytes()
    };
    assert_eq!(
        (comm(16, -16), comm(16, -8)),
        (*b"swapper/", *b"0\0\0\0\0\0\0\0")
    );
    assert_eq!(
        (comm(5, -16), comm(5, -8)),
        (*b"swap\0\xff\xff\xff", [0xff; 8])
    );
    assert_eq!(comm(1, -16), *b"\0\xff\xff\xff\xff\xff\xff\xff");
}

/// No cgroup is in any map here: `-EAGAIN` for an empty index, `-E2BIG` behind the end.
#[test]
fn under_a_cgroup() {
    let under = |index: i32| {
        let text = format!("r1 = map[groups]\nr2 = {index}\ncall 37\nexit");
        let groups = map("groups", MapKind::from_number(8), [4, 4, 2]);
        ended(&run_maps(Hook::Tc, &text, &[groups]))
    };
    assert_eq!(
        (under(0), under(1), under(2), under(-1)),
        (EAGAIN, EAGAIN, E2BIG, E2BIG)
    );
}

/// `bpf_send_signal_common()` spares threads of the kernel.
#[test]
fn signals_do_not_reach_the_kernel() {
    let send = |id: i32| r0(Hook::Tc, &format!("r1 = 9\ncall {id}\nexit"));
    assert_eq!((send(109), send(117)), (EPERM, EPERM));
}

/// Another namespace than the first, or another size: `-EINVAL`, and zeros.
#[test]
fn pid_in_a_namespace() {
    let ask = |dev: i32, ino: &str, size: i32, more: &str| {
        let text = format!(
            "*(u64 *)(r10 -16) = -1\n*(u64 *)(r10 -8) = -1\nr1 = {dev}\nr2 = {ino} ll\nr3 = r10\nr3 += -16\n\
             r4 = {size}\ncall 120\n{more}exit"
        );
        r0(Hook::Xdp, &text)
    };
    let first = "0xeffffffc";
    assert_eq!(ask(4, first, 8, ""), 0);
    assert_eq!(ask(4, first, 8, "r0 = *(u64 *)(r10 -16)\n"), 0);
    assert_eq!(
        (
            ask(4, "0x1", 8, ""),
            ask(5, first, 8, ""),
            ask(4, first, 16, "")
        ),
        (EINVAL, EINVAL, EINVAL)
    );
    assert_eq!(ask(4, first, 16, "r0 = *(u64 *)(r10 -8)\n"), 0);
}

/// The clock is virtual and never stands; `CONFIG_HZ` is 250, and `INITIAL_JIFFIES` is five minutes before 32 bits
/// overflow.
#[test]
fn clocks() {
    let twice = |id: i32| format!("call {id}\nr6 = r0\ncall {id}\nr0 -= r6\nexit");
    for id in [5, 125, 208] {
        assert!(r0(Hook::Tc, &twice(id)) > 0, "{id}");
    }
    assert_eq!(ask(118), 0x1_0000_0000 - 75_000);
    // The coarse clock stands at the last tick.
    assert_eq!(ask(160) % 4_000_000, 0);
    assert_eq!(r0(Hook::Tc, &twice(160)), 0);
}

/// Seeded: the same in each run, and not the same twice.
#[test]
fn chance() {
    assert_eq!(ask(7), ask(7));
    assert_ne!(r0(Hook::Tc, "call 7\nr6 = r0\ncall 7\nr0 ^= r6\nexit"), 0);
    assert_eq!((ask(8), ask(42)), (0, 0));
}

/// `bpf_probe_read_*()`: what fails leaves zeros. Below the kernel's half of the addresses it is `-ERANGE`, where
/// nothing is mapped `-EFAULT`; there is no user's memory.
#[test]
fn reads_anywhere() {
    let read = |id: i32, size: i32, from: &str, more: &str| {
        let text = format!(
            "r6 = r1\n*(u64 *)(r10 -8) = 0x7f\nr3 = {from}\nr1 = r10\nr1 += -8\nr2 = {size}\ncall {id}\n{more}exit"
        );
        ended(&run_maps(
            Hook::Xdp,
            &text,
            &[rodata("text", b"word\0tail\0")],
        ))
    };
    let (user, kernel, user_str, kernel_str) = (112, 113, 114, 115);
    let shown = "r0 = *(u64 *)(r10 -8)\n";
    let text = "map[text][0]+0";
    assert_eq!(read(kernel, 8, text, ""), 0);
    assert_eq!(read(kernel, 8, text, shown).to_le_bytes(), *b"word\0tai");
    assert_eq!(read(kernel_str, 8, text, ""), 5);
    assert_eq!(read(kernel_str, 3, text, ""), 3);
    assert_eq!(
        read(kernel_str, 3, text, shown).to_le_bytes()[..3],
        *b"wo\0"
    );
    assert_eq!(read(kernel_str, 0, text, ""), 0);
    let (low, unmapped) = ("0x1000 ll", "0xffffffffa0000000 ll");
    for id in [kernel, kernel_str] {
        assert_eq!(
            (read(id, 8, low, ""), read(id, 8, unmapped, "")),
            (ERANGE, EFAULT)
        );
        assert_eq!(read(id, 8, low, shown), 0);
    }
    for id in [user, user_str] {
        assert_eq!(
            (read(id, 8, low, ""), read(id, 8, text, "")),
            (EFAULT, EFAULT)
        );
        assert_eq!(read(id, 8, low, shown), 0);
    }
    // The packet, from `data` on.
    assert_eq!(
        read(kernel, 6, "*(u32 *)(r1 +0)", shown).to_le_bytes()[..6],
        [2, 0, 0, 0, 0, 1]
    );
}
