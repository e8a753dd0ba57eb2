//! Large trees: what webhooks are told of them, and how they are deleted for good, in steps that hold up nobody.

use std::collections::BTreeSet;

use edgedrive::body::Body;
use edgedrive::ports::Clock;
use edgedrive::store::Jobs;
use serde_json::{Value as Json, json};

use crate::world::{BY_JOB, HOUR, SCANNER, World};

const FILES: usize = 300;

/// A drive with `/big`, of which nobody was told: files, half of them in `/big/sub`.
async fn with_tree(settings: &[(&str, &str)]) -> World {
    let world = World::new(settings).await;
    for folder in ["big", "big/sub", "elsewhere"] {
        assert_eq!(world.send("MKCOL", &format!("/dav/{folder}"), Body::empty()).await.0, 201);
    }
    for number in 0..FILES {
        let folder = if number % 2 == 0 { "big" } else { "big/sub" };
        assert_eq!(world.put(&format!("{folder}/f{number}"), "1").await, 201);
    }
    world
}

async fn folder_id(world: &World, name: &str) -> String {
    let folders = world.ask("GET", "/api/v1/folders", &Json::Null).await.1;
    let found = folders["folders"].as_array().unwrap().iter().find(|folder| folder["name"] == name).unwrap().clone();
    found["id"].as_str().unwrap().to_owned()
}

async fn hook(world: &World, fields: Json) {
    let mut hook = json!({ "url": "https://hooks.example.org/hook",
        "events": ["file.created", "file.updated", "file.deleted", "file.moved"] });
    hook.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    assert_eq!(world.ask("POST", "/api/v1/webhooks", &hook).await.0, 201);
}

fn all(event: &str) -> BTreeSet<String> {
    (0..FILES).map(|number| format!("{event} f{number} SKIPPED")).collect()
}

fn set(told: Vec<String>) -> BTreeSet<String> {
    told.into_iter().collect()
}

async fn waiting(world: &World) -> usize {
    world.jobs("ready").await.len()
}

#[tokio::test]
async fn a_change_of_a_large_tree_makes_one_job_and_tells_of_every_file_once() {
    let world = with_tree(&[]).await;
    hook(&world, json!({})).await;
    let changes =
        [("file.moved", "MOVE", "/dav/big", "/dav/there"), ("file.created", "COPY", "/dav/there", "/dav/copy")];
    for (event, method, from, to) in changes {
        assert_eq!(world.transfer(method, from, to).await, 201);
        assert_eq!(waiting(&world).await, 1, "{event}");
        world.pass(HOUR).await;
        let told = world.internet.told();
        assert_eq!(told.len(), FILES, "{event}");
        assert_eq!(set(told), all(event));
    }
    assert_eq!(world.send("DELETE", "/dav/there", Body::empty()).await.0, 204);
    assert_eq!(waiting(&world).await, 1);
    world.pass(HOUR).await;
    assert_eq!(set(world.internet.told()), all("file.deleted"));
    let trash = world.ask("GET", "/api/v1/trash", &Json::Null).await.1;
    let id = trash["trash"][0]["id"].as_str().unwrap();
    assert_eq!(world.ask("POST", &format!("/api/v1/trash/{id}/restore"), &Json::Null).await.0, 200);
    assert_eq!(waiting(&world).await, 1);
    world.pass(HOUR).await;
    assert_eq!(set(world.internet.told()), all("file.created"));
    assert_eq!(waiting(&world).await, 0);
}

#[tokio::test]
async fn a_webhook_of_a_folder_hears_of_what_is_in_it() {
    let world = with_tree(&[]).await;
    hook(&world, json!({ "folderId": folder_id(&world, "sub").await })).await;
    hook(&world, json!({ "folderId": folder_id(&world, "elsewhere").await, "events": ["file.moved"] })).await;
    assert_eq!(world.transfer("MOVE", "/dav/big", "/dav/elsewhere/big").await, 201);
    world.pass(HOUR).await;
    // Those in /big/sub twice: it is below both folders.
    assert_eq!(world.internet.told().len(), FILES + FILES / 2);
    assert_eq!(world.transfer("MOVE", "/dav/elsewhere/big", "/dav/big").await, 201);
    world.pass(HOUR).await;
    assert_eq!(world.internet.told().len(), FILES / 2, "it left the other folder");
}

#[tokio::test]
async fn what_happens_before_its_turn_is_told_of_as_it_is_then() {
    let world = with_tree(&[]).await;
    hook(&world, json!({})).await;
    assert_eq!(world.transfer("MOVE", "/dav/big", "/dav/there").await, 201);
    assert_eq!(world.put("there/new", "1").await, 201);
    assert_eq!(world.transfer("MOVE", "/dav/there/f0", "/dav/there/renamed").await, 201);
    assert_eq!(world.transfer("MOVE", "/dav/there/f2", "/dav/elsewhere/out").await, 201);
    world.pass(HOUR).await;
    let mut told = world.internet.told();
    told.sort_unstable();
    let count = |line: &str| told.iter().filter(|told| *told == line).count();
    assert_eq!(count("file.created new SKIPPED"), 1);
    assert_eq!(count("file.moved new SKIPPED"), 0);
    assert_eq!(count("file.moved renamed SKIPPED"), 2, "by its own event, and with the tree");
    assert_eq!(count("file.moved out SKIPPED"), 1, "by its own event");
    assert_eq!(told.len(), FILES + 2);
}

#[tokio::test]
async fn what_is_deleted_for_good_is_kept_until_it_has_been_told_of() {
    for trash_days in ["0", "30"] {
        let world = with_tree(&[("TRASH_DAYS", trash_days)]).await;
        hook(&world, json!({})).await;
        assert_eq!(world.send("DELETE", "/dav/big", Body::empty()).await.0, 204);
        assert_eq!(world.ask("DELETE", "/api/v1/trash", &Json::Null).await.0, 204);
        let trash = world.ask("GET", "/api/v1/trash", &Json::Null).await.1;
        assert_eq!(trash["trash"], json!([]), "nobody sees it");
        world.pass(HOUR).await;
        assert_eq!(set(world.internet.told()), all("file.deleted"), "TRASH_DAYS={trash_days}");
        assert_eq!(used(&world).await, 0);
        assert_eq!(waiting(&world).await, 0);
    }
}

#[tokio::test]
async fn many_files_that_share_a_content_are_told_of_by_one_job() {
    let world = World::new(&[SCANNER, BY_JOB]).await;
    hook(&world, json!({ "events": ["file.created", "file.infected"] })).await;
    assert_eq!(world.put("f0", "a virus").await, 201);
    for number in 1..FILES {
        assert_eq!(world.transfer("COPY", "/dav/f0", &format!("/dav/f{number}")).await, 201);
    }
    world.pass(HOUR).await;
    let expected: BTreeSet<String> =
        (0..FILES).map(|number| format!("file.infected f{number} INFECTED Test")).collect();
    let told = world.internet.told();
    assert_eq!(told.len(), FILES);
    assert_eq!(set(told), expected);
    assert_eq!(world.put("g0", "clean").await, 201);
    for number in 1..FILES {
        assert_eq!(world.transfer("COPY", "/dav/g0", &format!("/dav/g{number}")).await, 201);
    }
    world.pass(HOUR).await;
    let expected: BTreeSet<String> = (0..FILES).map(|number| format!("file.created g{number} CLEAN")).collect();
    assert_eq!(set(world.internet.told()), expected);
}

async fn used(world: &World) -> i64 {
    world.ask("GET", "/api/v1/me", &Json::Null).await.1["quota"]["usedBytes"].as_i64().unwrap()
}

/// A drive with `/big`, which holds 8 × 1,000 files in 8 folders, made by copying.
async fn with_8000() -> World {
    let world = World::new(&[]).await;
    for folder in ["seed", "big"] {
        assert_eq!(world.send("MKCOL", &format!("/dav/{folder}"), Body::empty()).await.0, 201);
    }
    for number in 0..10 {
        assert_eq!(world.put(&format!("seed/f{number}"), "1").await, 201);
    }
    for hundred in 0..10 {
        assert_eq!(world.transfer("COPY", "/dav/seed", &format!("/dav/big/a{hundred}")).await, 201);
    }
    assert_eq!(world.transfer("MOVE", "/dav/big", "/dav/hundred").await, 201);
    for folder in ["big", "thousand"] {
        assert_eq!(world.send("MKCOL", &format!("/dav/{folder}"), Body::empty()).await.0, 201);
    }
    for number in 0..10 {
        assert_eq!(world.transfer("COPY", "/dav/hundred", &format!("/dav/thousand/b{number}")).await, 201);
    }
    for number in 0..8 {
        assert_eq!(world.transfer("COPY", "/dav/thousand", &format!("/dav/big/c{number}")).await, 201);
    }
    for folder in ["seed", "hundred", "thousand"] {
        assert_eq!(world.send("DELETE", &format!("/dav/{folder}"), Body::empty()).await.0, 204);
    }
    assert_eq!(world.ask("DELETE", "/api/v1/trash", &Json::Null).await.0, 204);
    assert_eq!((used(&world).await, waiting(&world).await), (8_000, 0));
    world
}

async fn purge_in_steps(world: &World) -> usize {
    let jobs = Jobs::all(&world.native.ports(), &std::rc::Rc::default()).remove(0);
    let mut steps = 0;
    loop {
        let leased = jobs.lease(12).await.unwrap();
        let [job] = leased.as_slice() else { return steps };
        assert_eq!(job.kind, "purge");
        let before = used(world).await;
        jobs.purge(job).await.unwrap();
        assert!(before - used(world).await <= 6_000, "a step is bounded");
        world.check_totals().await;
        steps += 1;
    }
}

#[tokio::test]
async fn a_large_tree_is_purged_in_steps_and_seen_by_nobody_meanwhile() {
    let world = with_8000().await;
    assert_eq!(world.send("DELETE", "/dav/big", Body::empty()).await.0, 204);
    let trash = world.ask("GET", "/api/v1/trash", &Json::Null).await.1;
    let id = trash["trash"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.ask("DELETE", &format!("/api/v1/trash/{id}"), &Json::Null).await.0, 204);
    assert_eq!(world.ask("GET", "/api/v1/trash", &Json::Null).await.1["trash"], json!([]));
    for (method, path) in [("DELETE", String::new()), ("POST", "/restore".to_owned())] {
        assert_eq!(world.ask(method, &format!("/api/v1/trash/{id}{path}"), &Json::Null).await.0, 404, "{method}");
    }
    let dav = format!("/remote.php/dav/trashbin/me/trash/big.d{id}");
    assert_eq!(world.send("GET", &dav, Body::empty()).await.0, 404);
    assert_eq!(used(&world).await, 8_000, "its bytes count until they are gone");
    assert!(purge_in_steps(&world).await >= 2);
    assert_eq!(used(&world).await, 0);
}

#[tokio::test]
async fn a_part_of_what_was_deleted_is_purged_likewise() {
    let world = with_8000().await;
    assert_eq!(world.send("MKCOL", "/dav/top", Body::empty()).await.0, 201);
    assert_eq!(world.put("top/stays", "1").await, 201);
    assert_eq!(world.transfer("MOVE", "/dav/big", "/dav/top/big").await, 201);
    assert_eq!(world.send("DELETE", "/dav/top", Body::empty()).await.0, 204);
    let trash = world.ask("GET", "/api/v1/trash", &Json::Null).await.1;
    let id = trash["trash"][0]["id"].as_str().unwrap().to_owned();
    let part = format!("/remote.php/dav/trashbin/me/trash/top.d{id}/big");
    assert_eq!(world.send("DELETE", &part, Body::empty()).await.0, 204);
    assert_eq!(world.send("DELETE", &part, Body::empty()).await.0, 404);
    assert!(purge_in_steps(&world).await >= 2);
    assert_eq!(used(&world).await, 1);
    assert_eq!(world.ask("POST", &format!("/api/v1/trash/{id}/restore"), &Json::Null).await.0, 200);
    assert_eq!(world.get("top/stays").await, 200);
}

#[tokio::test]
async fn what_has_expired_holds_up_nobody_else() {
    let world = with_8000().await;
    let neighbour = world.neighbour().await;
    assert_eq!(world.send("DELETE", "/dav/big", Body::empty()).await.0, 204);
    world.native.clock.advance(1_000);
    assert_eq!(neighbour.put("small", "1").await, 201);
    assert_eq!(neighbour.send("DELETE", "/dav/small", Body::empty()).await.0, 204);
    world.native.clock.advance(31 * 24 * HOUR);
    let jobs = Jobs::all(&world.native.ports(), &std::rc::Rc::default()).remove(0);
    jobs.expire_trash(world.native.clock.now()).await.unwrap();
    let leased = jobs.lease(12).await.unwrap();
    assert_eq!(leased.len(), 2, "each account has a job of its own");
    jobs.purge(leased.iter().find(|job| job.account_id == 2).unwrap()).await.unwrap();
    assert_eq!((used(&world).await, used(&neighbour).await), (8_000, 0));
    world.app.sweep().await;
    world.pass(HOUR).await;
    assert_eq!(used(&world).await, 0);
    world.check_totals().await;
}

#[tokio::test]
async fn a_large_account_is_gone_at_once_and_its_rows_step_by_step() {
    let world = with_8000().await;
    assert_eq!(world.ask("DELETE", "/api/v1/admin/accounts/1", &Json::Null).await.0, 204);
    assert_eq!(world.get("big").await, 401);
    assert_eq!(
        world.ask("POST", "/api/v1/admin/accounts", &json!({ "login": "me" })).await.0,
        201,
        "the login is free"
    );
    world.pass(HOUR).await;
    assert_eq!(world.count("nodes").await, 2, "the roots of the new account");
    assert_eq!(world.count("drives").await, 2);
    assert_eq!(world.count("contents").await, 0);
    assert_eq!(waiting(&world).await, 0);
}

#[tokio::test]
async fn folders_within_folders_beyond_any_step_are_purged() {
    let world = World::new(&[]).await;
    world.make_chain(7_000).await;
    assert_eq!(world.ask("DELETE", "/api/v1/admin/accounts/1", &Json::Null).await.0, 204);
    world.pass(HOUR).await;
    assert_eq!(world.count("nodes").await, 0);
}
