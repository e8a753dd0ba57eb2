// What only this runtime has: the queue, the cron trigger, D1's migrations, R2's multipart uploads, and a Worker that is gone at any
// moment. The rest, which both runtimes have, is asked over HTTP by the other folders.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { migrate, root, start } from "./harness.mjs";

const MIB = 1 << 20;
const adminToken = /^ADMIN_TOKEN="?([^"\n]*)/m.exec(readFileSync(`${root}.dev.vars`, "utf8"))[1];
// Deletions are final, and what they leave may go at once.
const settings = { TRASH_DAYS: "0", BLOB_GRACE_SECONDS: "0" };
const folder = mkdtempSync(join(tmpdir(), "edgedrive-"));
let worker;

before(async () => {
  await migrate(join(folder, "drive"));
  worker = await start({ state: join(folder, "drive"), settings });
});

after(async () => {
  await worker?.dispose();
  rmSync(folder, { recursive: true });
});

async function answer(status, path, { token = adminToken, headers, ...options } = {}) {
  const url = new URL(path, await worker.unsafeGetDirectURL());
  const response = await fetch(url, { ...options, headers: { Authorization: `Bearer ${token}`, ...headers } });
  const text = await response.text();
  assert.equal(response.status, status, `${options.method ?? "GET"} ${path}: ${response.status} ${text}`);
  return { response, text };
}

async function post(status, path, body) {
  const options = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  return JSON.parse((await answer(status, `/api/v1/admin/${path}`, options)).text);
}

// A new account's token.
async function account(login) {
  const { account } = await post(201, "accounts", { login });
  const { token } = await post(201, `accounts/${account.id}/tokens`, { name: "t", scopes: ["read", "write"] });
  return token.secret;
}

// What there is to see, as soon as it is enough.
async function seen(look, isEnough) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await look();
    if (isEnough(found)) return found;
    await pause(100);
  }
  assert.fail("it was waited for in vain");
}

async function rows(sql, database = worker) {
  return (await (await database.getD1Database("DB")).prepare(sql).all()).results;
}

const jobs = () => rows("SELECT kind FROM jobs");
const bucket = () => worker.getR2Bucket("BUCKET");
const blobs = async () => (await (await bucket()).list()).objects.map((object) => object.size);

// A body whose length nobody knows.
async function* pieces(count) {
  for (let number = 0; number < count; number++) yield new Uint8Array(MIB).fill(number);
}

test("what a request leaves to do is done by the consumer of the queue, and nobody else wakes the runner", async () => {
  const token = await account("queue");
  const uploads = "/remote.php/dav/uploads/queue/u";
  await answer(201, uploads, { token, method: "MKCOL" });
  await answer(201, `${uploads}/1`, { token, method: "PUT", body: "hello" });
  const headers = { Destination: "/remote.php/dav/files/queue/f" };
  await answer(201, `${uploads}/.file`, { token, method: "MOVE", headers });
  await seen(jobs, (left) => left.length === 0);
  const [content] = await rows("SELECT sha256 FROM contents WHERE size = 5");
  assert.match(content.sha256, /^2cf24dba/);
});

test("a message that nobody knows is taken and does no harm", async () => {
  const queue = await worker.getQueueProducer("JOBS");
  await queue.sendBatch([{ body: "x" }, { body: { kind: "nonsense" } }, { body: null }]);
  await answer(200, "/readyz");
});

test("the cron trigger collects what is garbage, and what an upload that broke off has left", async () => {
  const token = await account("cron");
  const before = await blobs();
  await answer(201, "/dav/f", { token, method: "PUT", body: "of no use soon" });
  assert.equal((await blobs()).length, before.length + 1);
  await answer(204, "/dav/f", { token, method: "DELETE" });
  const edgedrive = await worker.getWorker();
  await seen(
    async () => {
      await edgedrive.scheduled({ cron: "*/5 * * * *" });
      return blobs();
    },
    (left) => left.length === before.length,
  );
});

test("an upload of unknown length becomes an object of R2 in parts of one size, and comes back", async () => {
  const token = await account("multipart");
  const before = await blobs();
  await answer(201, "/dav/f", { token, method: "PUT", body: ReadableStream.from(pieces(20)), duplex: "half" });
  const stored = (await blobs()).filter((size) => !before.includes(size));
  assert.equal(stored.reduce((sum, size) => sum + size, 0), 20 * MIB + 80 * 16, "each segment of 256 KiB has a tag");
  const url = new URL("/dav/f", await worker.unsafeGetDirectURL());
  const content = await (await fetch(url, { headers: { Authorization: `Bearer ${token}` } })).bytes();
  assert.equal(content.length, 20 * MIB);
  for (let number = 0; number < 20; number++) assert.equal(content[number * MIB], number);
});

test("a Worker that is gone in the middle of an upload starts anew with all that it had answered for", async () => {
  const token = await account("gone");
  await answer(201, "/dav/d", { token, method: "MKCOL" });
  await answer(201, "/dav/d/kept", { token, method: "PUT", body: "kept" });
  const locked = await answer(200, "/dav/d/kept", {
    token,
    method: "LOCK",
    body: '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>',
  });
  const before = await blobs();
  const url = new URL("/dav/d/kept", await worker.unsafeGetDirectURL());
  const begun = Promise.withResolvers();
  let isGone = false;
  async function* endless() {
    while (!isGone) {
      yield new Uint8Array(MIB);
      begun.resolve();
      await pause(20);
    }
  }
  const headers = { Authorization: `Bearer ${token}`, If: `(${locked.response.headers.get("lock-token")})` };
  const broken = fetch(url, { method: "PUT", headers, body: ReadableStream.from(endless()), duplex: "half" });
  const failed = assert.rejects(broken);
  await begun.promise;
  await worker.dispose();
  await failed;
  isGone = true;

  const since = performance.now();
  worker = await start({ state: join(folder, "drive"), settings });
  console.log(`it was there again after ${Math.round(performance.now() - since)} ms`);
  assert.equal((await answer(200, "/dav/d/kept", { token })).text, "kept");
  await answer(423, "/dav/d/kept", { token, method: "PUT", body: "no" });
  assert.deepEqual(await blobs(), before);
  const free = { "Lock-Token": locked.response.headers.get("lock-token") };
  await answer(204, "/dav/d/kept", { token, method: "UNLOCK", headers: free });
});

test("a database of an earlier version is brought up to date with what it holds", async () => {
  const migrations = readdirSync(`${root}migrations`).sort();
  const state = join(folder, "earlier");
  const config = join(folder, "wrangler.toml");
  const some = join(folder, "some");
  mkdirSync(some);
  for (const file of migrations.slice(0, 1)) copyFileSync(`${root}migrations/${file}`, join(some, file));
  const toml = readFileSync(`${root}wrangler.toml`, "utf8");
  const withSome = toml.replace(/^migrations_dir = .*$/m, `migrations_dir = "some"`).replace(/^main = .*$/m, "");
  writeFileSync(config, withSome);
  await migrate(state, config);
  let earlier = await start({ state });
  const database = await earlier.getD1Database("DB");
  await database.batch(
    [
      "INSERT INTO accounts (id, login, display_name, created_at) VALUES (1, 'me', 'Me', 1)",
      "INSERT INTO drives (account_id, login, display_name, version_bytes) VALUES (1, 'me', 'Me', 0)",
      "INSERT INTO nodes (id, root_of, name, etag, created_at, modified_at) VALUES (1, 1, '', 'e', 1, 1)",
      "INSERT INTO nodes (id, parent_id, name, etag, created_at, modified_at) VALUES (2, 1, 'folder', 'f', 1, 1)",
      "INSERT INTO properties (node_id, namespace, name, value) VALUES (2, 'urn:x', 'p', 'value')",
    ].map((sql) => database.prepare(sql)),
  );
  await earlier.dispose();
  for (const file of migrations.slice(1)) copyFileSync(`${root}migrations/${file}`, join(some, file));
  await migrate(state, config);
  earlier = await start({ state });
  try {
    assert.deepEqual(await rows("PRAGMA foreign_key_check", earlier), []);
    assert.deepEqual(await rows("SELECT name FROM nodes WHERE parent_id = 1", earlier), [{ name: "folder" }]);
    const [{ property_bytes: counted }] = await rows("SELECT property_bytes FROM drives WHERE account_id = 1", earlier);
    assert.ok(counted > 0, "what was there is counted");
  } finally {
    await earlier.dispose();
  }
});
