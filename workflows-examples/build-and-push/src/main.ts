import { createApp } from "./app.js";
import { readConfig } from "./config.js";

const config = readConfig();
const app = await createApp(config);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void app.close().then(() => process.exit(0));
  });
}

await app.listen({ host: config.HOST, port: config.PORT });
