//! What fails is tried again, later and later, and given up in the end; what does not fail goes on.

use std::rc::Rc;

use edgedrive::body::Body;
use edgedrive::store::Jobs;
use http::{Request, header};
use serde_json::{Value as Json, json};

use crate::world::{BY_JOB, HOUR, SCANNER, Scanner, World};

#[tokio::test]
async fn an_event_is_told_once_to_a_receiver_that_takes_it() {
    let world = World::with_webhook(&[]).await;
    assert_eq!(world.put("a", "1").await, 201);
    assert_eq!(world.pass(HOUR).await.done, 1);
    assert_eq!(world.put("a", "2").await, 204);
    assert_eq!(world.pass(HOUR).await.done, 1);
    assert_eq!(world.internet.told(), ["file.created a SKIPPED", "file.updated a SKIPPED"]);
    assert!(world.jobs("ready").await.is_empty());
}

#[tokio::test]
async fn a_webhook_that_fails_for_a_day_is_switched_off() {
    let world = World::with_webhook(&[]).await;
    world.internet.refused.replace(vec!["*"]);
    world.put("a", "1").await;
    world.pass(23 * HOUR).await;
    assert_eq!(world.webhook().await["enabled"], true);
    world.put("b", "1").await;
    world.pass(4 * HOUR).await;
    let hook = world.webhook().await;
    assert_eq!(hook["enabled"], false);
    assert!(hook["disabledReason"].as_str().unwrap().starts_with("no delivery succeeded for 24 hours"), "{hook}");
    let attempts = world.internet.told().len();
    assert!((25..60).contains(&attempts), "{attempts} attempts");

    world.put("c", "1").await;
    world.pass(24 * HOUR).await;
    assert_eq!(world.internet.told(), [""; 0], "what is off is told nothing");
}

#[tokio::test]
async fn an_event_that_is_never_taken_ends_as_dead_and_holds_nothing_up() {
    let world = World::with_webhook(&[]).await;
    world.internet.refused.replace(vec!["poison"]);
    world.put("poison", "1").await;
    let mut attempts = 0;
    for hour in 0..30 {
        let name = format!("file{hour}");
        world.put(&name, "1").await;
        world.pass(HOUR).await;
        let told = world.internet.told();
        assert!(told.contains(&format!("file.created {name} SKIPPED")), "in hour {hour}: {told:?}");
        attempts += told.iter().filter(|told| told.contains("poison")).count();
    }
    assert!((20..=25).contains(&attempts), "{attempts} attempts in 30 hours");
    world.pass(12 * HOUR).await;
    world.internet.told();
    let dead = world.jobs("dead").await;
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0]["kind"], &dead[0]["tries"]), (&json!("webhook"), &json!(25)));
    assert!(dead[0]["error"].as_str().unwrap().contains("500"), "{}", dead[0]);

    world.internet.refused.replace(Vec::new());
    let retry = format!("/api/v1/admin/jobs/{}/retry", dead[0]["id"].as_str().unwrap());
    assert_eq!(world.ask("POST", &retry, &Json::Null).await.0, 204);
    world.pass(HOUR).await;
    assert_eq!(world.internet.told(), ["file.created poison SKIPPED"]);
}

#[tokio::test]
async fn a_job_whose_runner_died_is_done_by_another() {
    let world = World::with_webhook(&[]).await;
    world.put("a", "1").await;
    let jobs = Jobs::all(&world.native.ports(), &Rc::default());
    assert_eq!(jobs[0].lease(12).await.unwrap().len(), 1);
    world.pass(20_000).await;
    assert!(world.internet.told().is_empty(), "it has another ten seconds");
    world.pass(HOUR).await;
    assert_eq!(world.internet.told().len(), 1);
    assert!(world.jobs("ready").await.is_empty());
}

#[tokio::test]
async fn it_is_seen_when_nothing_wakes_the_runner() {
    let world = World::with_webhook(&[]).await;
    let queue = async || {
        let (status, ready) = world.ask("GET", "/readyz", &Json::Null).await;
        assert_eq!(status, 200, "what needs no job works");
        (ready["queue"].as_str().unwrap().to_owned(), ready["warnings"].as_array().unwrap().len())
    };
    world.internet.refused.replace(vec!["*"]);
    world.put("a", "1").await;
    assert_eq!(queue().await, ("ok".to_owned(), 0));
    world.pass(HOUR).await;
    assert_eq!(queue().await, ("ok".to_owned(), 0), "it is tried again and again");
    world.native.clock.advance(2 * HOUR);
    assert_eq!(queue().await, ("stalled".to_owned(), 1));
    let jobs = Jobs::all(&world.native.ports(), &Rc::default());
    assert_eq!(jobs[0].lease(12).await.unwrap().len(), 1);
    world.put("b", "1").await;
    world.native.clock.advance(20_000);
    assert_eq!(queue().await, ("ok".to_owned(), 0), "somebody is at it");
    world.internet.refused.replace(Vec::new());
    world.pass(HOUR).await;
    assert_eq!(queue().await, ("ok".to_owned(), 0));
}

#[tokio::test]
async fn a_target_is_checked_again_before_each_attempt() {
    let lax = [("WEBHOOK_ALLOW_PRIVATE", "1")];
    let world = World::new(&lax).await;
    let hook = json!({ "url": "http://127.0.0.1:9000/" });
    assert_eq!(world.ask("POST", "/api/v1/webhooks", &hook).await.0, 201);
    let world = world.restarted(&[]);
    world.put("a", "1").await;
    world.pass(HOUR).await;
    assert_eq!(world.internet.told(), [""; 0]);
    let id = world.webhook().await["id"].as_str().unwrap().to_owned();
    let deliveries = world.ask("GET", &format!("/api/v1/webhooks/{id}/deliveries"), &Json::Null).await.1;
    let error = deliveries["deliveries"][0]["error"].as_str().unwrap();
    assert!(error.contains("public"), "{error}");
}

#[tokio::test]
async fn files_are_announced_when_they_are_settled() {
    let world = World::with_webhook(&[SCANNER, BY_JOB]).await;
    for (name, content) in [("clean", "1"), ("bad", "virus"), ("moved", "2"), ("gone", "3"), ("twice", "4")] {
        assert_eq!(world.put(name, content).await, 201);
    }
    assert_eq!(world.put("twice", "5").await, 204);
    let request = Request::builder().method("MOVE").uri("/dav/moved").header("destination", "/dav/there");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {}", world.token));
    assert_eq!(world.app.handle(request.body(Body::empty()).unwrap()).await.status(), 201);
    assert_eq!(world.send("DELETE", "/dav/gone", Body::empty()).await.0, 204);
    world.pass(HOUR).await;
    let mut told = world.internet.told();
    told.sort_unstable();
    let expected = [
        "file.created clean CLEAN",
        "file.created there CLEAN",
        "file.created twice CLEAN",
        "file.infected bad INFECTED Test",
    ];
    assert_eq!(told, expected);
    assert_eq!((world.get("clean").await, world.get("bad").await), (200, 403));

    assert_eq!(world.put("clean", "6").await, 204);
    assert_eq!(world.put("bad", "7").await, 204);
    world.pass(HOUR).await;
    let mut told = world.internet.told();
    told.sort_unstable();
    assert_eq!(told, ["file.created bad CLEAN", "file.updated clean CLEAN"]);
}

#[tokio::test]
async fn a_scanner_that_is_away_for_a_month_costs_no_file_its_scan() {
    let world = World::with_webhook(&[SCANNER, BY_JOB]).await;
    world.internet.scanner.set(Scanner::Away);
    for name in ["a", "b", "c"] {
        assert_eq!(world.put(name, "1").await, 201);
    }
    world.pass(HOUR).await;
    world.native.clock.advance(30 * 24 * HOUR);
    world.pass(HOUR).await;
    let ready = world.ask("GET", "/readyz", &Json::Null).await;
    assert_eq!((ready.0, &ready.1["scanner"], &ready.1["pendingScans"]), (200, &json!("unavailable"), &json!(3)));
    assert_eq!(world.internet.told(), [""; 0]);

    world.internet.scanner.set(Scanner::Works);
    world.pass(60_000).await;
    assert_eq!(world.internet.told().len(), 3);
    let ready = world.ask("GET", "/readyz", &Json::Null).await;
    assert_eq!((&ready.1["scanner"], &ready.1["backlog"]), (&json!("ok"), &json!(0)));
}

#[tokio::test]
async fn a_file_that_the_scanner_always_fails_at_ends_in_error() {
    let world = World::with_webhook(&[SCANNER, BY_JOB]).await;
    world.internet.scanner.set(Scanner::Fails);
    assert_eq!(world.put("a", "1").await, 201);
    world.pass(48 * HOUR).await;
    assert_eq!(world.jobs("dead").await.len(), 1);
    let files = world.ask("GET", "/api/v1/files", &Json::Null).await.1;
    assert_eq!(files["files"][0]["avStatus"], "ERROR");
    assert_eq!(world.get("a").await, 200);

    let world = world.restarted(&[SCANNER, BY_JOB, ("SCAN_PENDING", "block")]);
    assert_eq!(world.get("a").await, 403);
    world.internet.scanner.set(Scanner::Works);
    assert_eq!(world.ask("POST", "/api/v1/admin/rescan", &Json::Null).await.0, 202);
    world.pass(HOUR).await;
    assert_eq!(world.get("a").await, 200);
    assert_eq!(world.internet.told(), ["file.created a CLEAN"]);
}

#[tokio::test]
async fn a_rescan_judges_everything_again() {
    let world = World::with_webhook(&[]).await;
    for number in 0..450 {
        let content = if number % 10 == 0 { "virus" } else { "fine" };
        assert_eq!(world.put(&format!("f{number}"), content).await, 201);
    }
    world.pass(HOUR).await;
    assert_eq!(world.internet.told().len(), 450);

    let world = world.restarted(&[SCANNER]);
    assert_eq!(world.ask("POST", "/api/v1/admin/rescan", &Json::Null).await.0, 202);
    world.pass(10_000).await;
    let under_way = world.ask("GET", "/api/v1/admin/rescan", &Json::Null).await.1;
    assert_eq!(under_way["rescan"]["total"], 450);
    world.pass(HOUR).await;
    let rescan = world.ask("GET", "/api/v1/admin/rescan", &Json::Null).await.1;
    assert_eq!(rescan["rescan"]["done"], 450);
    assert!(rescan["rescan"]["finishedAt"].is_string(), "{rescan}");
    let told = world.internet.told();
    assert_eq!(told.len(), 45);
    assert!(told.iter().all(|told| told.starts_with("file.infected")), "{told:?}");
    assert!(world.jobs("ready").await.is_empty());
}
