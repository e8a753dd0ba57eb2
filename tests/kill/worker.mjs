// The built Worker on workerd, without wrangler around it: wrangler takes three seconds to start, and this one. Bindings
// and settings are those of wrangler.toml and .dev.vars, and the state is where wrangler keeps it.
//
//   node tests/kill/worker.mjs PORT STATE [NAME=VALUE…]

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const [port, state, ...settings] = process.argv.slice(2);
const root = fileURLToPath(new URL("../../", import.meta.url));

// What wrangler makes of its configuration. It is kept beside the state: to load wrangler takes longer than all the rest.
async function options() {
  const kept = `${state}/worker.json`;
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
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: Number(port),
    resourcePersistencePath: `${state}/v3`,
    workers: [
      {
        ...worker,
        name: "edgedrive",
        rootPath: root,
        modulesRoot: `${root}build`,
        modules: [
          { type: "ESModule", path: `${root}build/index.js` },
          { type: "CompiledWasm", path: `${root}build/index_bg.wasm` },
        ],
      },
    ],
  }),
);
await miniflare.ready;
