//! Running jobs behind the answer to the request that made them, in the same instance. For the rest
//! there is `POST /internal/jobs/run`, which a cron calls: Spin may end an instance at any time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::Started;
use super::system::WasiClock;
use crate::ports::Clock;

/// For a job that is due in so much time, the instance waits.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, PartialEq)]
enum Runner {
    Idle,
    Running,
    /// Running, and there are new jobs since it looked.
    WantedAgain,
}

thread_local! {
    static RUNNER: Cell<Runner> = const { Cell::new(Runner::Idle) };
}

/// Does the jobs that are due, unless this instance is at it already: then it looks once more.
pub async fn run(started: Rc<Started>) {
    if RUNNER.get() != Runner::Idle {
        RUNNER.set(Runner::WantedAgain);
        return;
    }
    loop {
        RUNNER.set(Runner::Running);
        let again_in = started.app.run_jobs().await.again_in;
        if RUNNER.get() == Runner::WantedAgain {
            continue;
        }
        match again_in {
            // Whoever wants it in the meantime need not wait for that.
            Some(pause) if pause <= LONGEST_WAIT => {
                RUNNER.set(Runner::Idle);
                WasiClock.sleep(pause).await;
                if RUNNER.get() != Runner::Idle {
                    return;
                }
            }
            _ => break,
        }
    }
    RUNNER.set(Runner::Idle);
}
