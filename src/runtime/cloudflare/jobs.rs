//! Waking the runner of jobs: by the queue `JOBS` after a request, and by a cron trigger.
//!
//! A message is a nudge and says nothing: what is to be done is in the database. One that is lost
//! is made good by the next tick of the cron trigger.

use std::rc::Rc;

use serde::de::IgnoredAny;
use wasm_bindgen::JsValue;
use worker::{Context, Env, MessageBatch, ScheduleContext, ScheduledEvent};
use worker_sys::Queue;

use super::js;
use super::tasks::{Local, WaitUntil};
use super::{binding, console, ports};
use crate::App;
use crate::config::Config;
use crate::error::Result;
use crate::ports::Tasks;

/// Sends a nudge, which the client does not wait for.
pub fn nudge(env: &Env, tasks: &Rc<WaitUntil>) {
    let sent = binding::<Queue>(env, "JOBS").map(|queue| queue.send(JsValue::NULL, JsValue::UNDEFINED));
    match sent {
        Ok(Ok(promise)) => tasks.keep(&promise),
        Ok(Err(thrown)) => log::error!("the queue took no nudge: {}", js::message(&thrown)),
        Err(error) => log::error!("{error}"),
    }
}

/// Nudges have come.
#[worker::event(queue)]
async fn queue(_nudges: MessageBatch<Option<IgnoredAny>>, env: Env, _context: Context) -> worker::Result<()> {
    console::init();
    match app(&env) {
        Ok(app) => drop(app.run_jobs().await),
        Err(error) => log::error!("{error}"),
    }
    Ok(())
}

/// The cron trigger has fired.
#[worker::event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    console::init();
    match app(&env) {
        Ok(app) => drop(app.sweep().await),
        Err(error) => log::error!("{error}"),
    }
}

fn app(env: &Env) -> Result<App> {
    let config = Config::read(|name| env.var(name).ok().map(|value| value.to_string()))?;
    let ports = ports(env, &config, Rc::new(Local) as Rc<dyn Tasks>)?;
    Ok(App::new(config, ports))
}
