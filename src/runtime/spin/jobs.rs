//! Running jobs behind the answer to the request that made them, in the same instance. For the rest
//! there is `POST /internal/jobs/run`, which a cron calls.

use std::cell::Cell;
use std::rc::Rc;

use super::Started;

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
        started.app.run_jobs().await;
        if RUNNER.get() == Runner::Running {
            break;
        }
    }
    RUNNER.set(Runner::Idle);
}
