// Runs the built Worker on workerd, as it will run on Cloudflare: what a client sends reaches it unchanged, and so does what it
// answers. `wrangler dev` puts two proxies in between, which compress text whatever Cache-Control says (ranges, too), rewrite
// Location, and leave the length of HTML out. Bindings and settings are those of wrangler.toml and .dev.vars, and the state is
// where wrangler keeps it.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const host = "127.0.0.1";

// What wrangler makes of its configuration. It is kept beside the state: to load wrangler takes longer than all the rest.
async function workerOptions(state) {
  const sources = ["wrangler.toml", ".dev.vars"].map((name) => readFileSync(`${root}${name}`));
  const kept = `${state}/worker-${createHash("sha256").update(Buffer.concat(sources)).digest("hex").slice(0, 16)}.json`;
  if (!existsSync(kept)) {
    const { unstable_getMiniflareWorkerOptions } = await import("wrangler");
    mkdirSync(state, { recursive: true });
    writeFileSync(kept, JSON.stringify(unstable_getMiniflareWorkerOptions(`${root}wrangler.toml`).workerOptions), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(kept, "utf8"));
}

// Starts it, with its data in the folder `state`. `settings` go before those of wrangler.toml; `main` is another entry point than
// build/index.js; without `port`, it has a free one, and `ready` tells its URL.
export async function start({ state, settings = {}, port = 0, main = "build/index.js", inspectorPort }) {
  const { bindings, ...worker } = await workerOptions(state);
  const entry = resolve(root, main);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host,
      inspectorHost: host,
      inspectorPort,
      resourcePersistencePath: `${state}/v3`,
      workers: [
        {
          ...worker,
          name: "edgedrive",
          bindings: { ...bindings, ...settings },
          rootPath: root,
          modulesRoot: dirname(entry),
          modules: [
            { type: "ESModule", path: entry },
            { type: "CompiledWasm", path: `${dirname(entry)}/index_bg.wasm` },
          ],
          unsafeDirectSockets: [{ host, port }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return miniflare;
}

// Brings the D1 database in the folder `state` up to date, as `wrangler` does it on Cloudflare, with the migrations of `config`.
export async function migrate(state, config = `${root}wrangler.toml`) {
  mkdirSync(state, { recursive: true });
  const migrations = ["d1", "migrations", "apply", "DB", "--local", "--persist-to", state, "--config", config];
  await promisify(execFile)(`${root}node_modules/.bin/wrangler`, migrations, { env: { ...process.env, CI: "1" } });
}
