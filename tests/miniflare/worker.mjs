// Runs the built Worker here, until it is stopped:
//
//   node tests/miniflare/worker.mjs PORT STATE [NAME=VALUE…]
//
// In the environment: WORKER_MAIN, another entry point than build/index.js; INSPECTOR_PORT, a port for the inspector.

import { start } from "./harness.mjs";

const [port, state, ...settings] = process.argv.slice(2);
const inspectorPort = process.env.INSPECTOR_PORT && Number(process.env.INSPECTOR_PORT);
await start({
  state,
  port: Number(port),
  settings: Object.fromEntries(settings.map((setting) => [setting.split("=", 1)[0], setting.slice(setting.indexOf("=") + 1)])),
  main: process.env.WORKER_MAIN || undefined,
  inspectorPort: inspectorPort || undefined,
});
