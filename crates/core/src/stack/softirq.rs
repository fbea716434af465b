//! When waiting packets are taken up: `local_bh_enable()` and `net_rx_action()` (`kernel/softirq.c`,
//! `net/core/dev.c`).

use super::{Kernel, Run, Softirq};

impl Kernel {
    /// Runs `body` with bottom halves disabled; the outermost caller lets softirqs run afterwards.
    pub(super) fn local_bh<T>(&mut self, body: impl FnOnce(&mut Self) -> Run<T>) -> Run<T> {
        self.bh_disabled += 1;
        let result = body(self);
        self.bh_disabled -= 1;
        let value = result?;
        if self.bh_disabled == 0 {
            self.do_softirq()?;
        }
        Ok(value)
    }

    /// Queues work for the next softirq.
    pub(super) fn raise_softirq(&mut self, work: Softirq) {
        self.softirqs.push_back(work);
    }

    /// `net_rx_action()`: polls in the order in which work was queued.
    fn do_softirq(&mut self) -> Run<()> {
        self.bh_disabled += 1;
        let result = self.net_rx_action();
        self.bh_disabled -= 1;
        result
    }

    fn net_rx_action(&mut self) -> Run<()> {
        while let Some(work) = self.softirqs.pop_front() {
            if is_thread(&work) {
                self.run_work(work)?;
                continue;
            }
            match work {
                Softirq::VethPoll(dev) => self.veth_poll(dev)?,
                Softirq::Backlog => self.process_backlog()?,
                Softirq::GroCell(dev) => self.gro_cell_poll(dev)?,
                Softirq::MacvlanBroadcast(..) | Softirq::CpuMap(..) => {}
            }
        }
        Ok(())
    }

    /// `process_one_work()` (`kernel/workqueue.c`): a worker runs when softirqs are done, with bottom halves enabled, so
    /// that `netif_rx()` there has the packet received before it returns. The thread of a cpumap disables them.
    fn run_work(&mut self, work: Softirq) -> Run<()> {
        if self.softirqs.iter().any(|work| !is_thread(work)) {
            self.softirqs.push_back(work);
            return Ok(());
        }
        let disabled = std::mem::take(&mut self.bh_disabled);
        let result = match work {
            Softirq::MacvlanBroadcast(dev, no) => self.macvlan_process_broadcast(dev, no),
            Softirq::CpuMap(dev, no) => self.local_bh(|k| k.cpu_map_kthread_run(dev, no)),
            _ => Ok(()),
        };
        self.bh_disabled = disabled;
        result
    }
}

/// Whether it is not a softirq that does it, but a thread that waits for them to be done.
fn is_thread(work: &Softirq) -> bool {
    matches!(work, Softirq::MacvlanBroadcast(..) | Softirq::CpuMap(..))
}
