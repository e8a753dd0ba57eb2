//! Waking the runner of jobs: by the queue `JOBS` after a request, and by a cron trigger.
//!
//! A message is a nudge and says nothing: what is to be done is in the database. One that is lost
//! is made good by the next tick of the cron trigger.

use std::rc::Rc;
use std::time::Duration;

use js_sys::futures::JsFuture;
use js_sys::{Object, Promise, Reflect};
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

/// The cron trigger fires this often.
const LONGEST_NUDGE: Duration = Duration::from_mins(5);

/// Sends a nudge, which the client does not wait for.
pub fn nudge(env: &Env, tasks: &Rc<WaitUntil>) {
    if let Some(sent) = send(env, JsValue::UNDEFINED) {
        tasks.keep(&sent);
    }
}

/// Has the runner woken again after a while. Every run may do this, so a long while is left to the cron trigger.
async fn nudge_in(env: &Env, pause: Duration) {
    if pause > LONGEST_NUDGE {
        return;
    }
    let options = Object::new();
    // Setting a property of a plain object does not fail.
    let _ = Reflect::set(&options, &"delaySeconds".into(), &JsValue::from(pause.as_secs_f64().ceil()));
    if let Some(sent) = send(env, options.into())
        && let Err(thrown) = JsFuture::from(sent).await
    {
        refused(&thrown);
    }
}

/// Hands a message to the queue. The promise is that it is there.
fn send(env: &Env, options: JsValue) -> Option<Promise> {
    match binding::<Queue>(env, "JOBS").map(|queue| queue.send(JsValue::NULL, options)) {
        Ok(sent) => sent.inspect_err(refused).ok(),
        Err(error) => {
            log::error!("{error}");
            None
        }
    }
}

fn refused(thrown: &JsValue) {
    log::error!("the queue took no nudge: {}", js::message(thrown));
}

/// Nudges have come.
#[worker::event(queue)]
async fn queue(_nudges: MessageBatch<Option<IgnoredAny>>, env: Env, _context: Context) -> worker::Result<()> {
    console::init();
    match app(&env) {
        Ok(app) => {
            let summary = app.run_jobs().await;
            if let Some(pause) = summary.again_in {
                nudge_in(&env, pause).await;
            }
        }
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
