// Runs the built Worker on workerd as it will run on Cloudflare: what a client sends reaches it unchanged, and so does what it
// answers. `wrangler dev` puts two proxies in between, which compress text whatever Cache-Control says (ranges, too), rewrite
// Location, and leave the length of HTML out. Bindings and settings are those of wrangler.toml and .dev.vars, and the state is
// where wrangler keeps it.
//
//   node scripts/worker.mjs PORT STATE [NAME=VALUE…]
//
// In the environment: WORKER_MAIN, another entry point than build/index.js; INSPECTOR_PORT, a port for the inspector.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [port, state, ...settings] = process.argv.slice(2);
const root = fileURLToPath(new URL("../", import.meta.url));
const host = "127.0.0.1";

// What wrangler makes of its configuration. It is kept beside the state: to load wrangler takes longer than all the rest.
async function options() {
  const sources = ["wrangler.toml", ".dev.vars"].map((name) => readFileSync(`${root}${name}`));
  const kept = `${state}/worker-${createHash("sha256").update(Buffer.concat(sources)).digest("hex").slice(0, 16)}.json`;
  if (!existsSync(kept)) {
    const { unstable_getMiniflareWorkerOptions } = await import("wrangler");
    const { workerOptions } = unstable_getMiniflareWorkerOptions(`${root}wrangler.toml`);
    writeFileSync(kept, JSON.stringify(workerOptions), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(kept, "utf8"));
}

const worker = await options();
for (const setting of settings) {
  const [name, ...value] = setting.split("=");
  worker.bindings[name] = value.join("=");
}
const main = resolve(root, process.env.WORKER_MAIN || "build/index.js");
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host,
    inspectorHost: host,
    inspectorPort: process.env.INSPECTOR_PORT ? Number(process.env.INSPECTOR_PORT) : undefined,
    resourcePersistencePath: `${state}/v3`,
    workers: [
      {
        ...worker,
        name: "edgedrive",
        rootPath: root,
        modulesRoot: dirname(main),
        modules: [
          { type: "ESModule", path: main },
          { type: "CompiledWasm", path: `${dirname(main)}/index_bg.wasm` },
        ],
        unsafeDirectSockets: [{ host, port: Number(port) }],
      },
    ],
  }),
);
await miniflare.ready;
