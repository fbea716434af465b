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
            if matches!(work, Softirq::MacvlanBroadcast(..)) {
                self.run_work(work)?;
                continue;
            }
            match work {
                Softirq::VethPoll(dev) => self.veth_poll(dev)?,
                Softirq::Backlog => self.process_backlog()?,
                Softirq::GroCell(dev) => self.gro_cell_poll(dev)?,
                Softirq::MacvlanBroadcast(..) => {}
            }
        }
        Ok(())
    }

    /// `process_one_work()` (`kernel/workqueue.c`): a worker runs when softirqs are done, with bottom halves enabled, so
    /// that `netif_rx()` there has the packet received before it returns.
    fn run_work(&mut self, work: Softirq) -> Run<()> {
        let waits = |work: &Softirq| !matches!(work, Softirq::MacvlanBroadcast(..));
        if self.softirqs.iter().any(waits) {
            self.softirqs.push_back(work);
            return Ok(());
        }
        let Softirq::MacvlanBroadcast(dev, no) = work else {
            return Ok(());
        };
        let disabled = std::mem::take(&mut self.bh_disabled);
        let result = self.macvlan_process_broadcast(dev, no);
        self.bh_disabled = disabled;
        result
    }
}
