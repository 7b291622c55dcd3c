import { z } from "zod";

const environment = z.object({
  HOST: z.string().default("0.0.0.0"),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  APP_VERSION: z.string().default("dev"),
  APP_REVISION: z.string().default("unknown"),
});
export type Config = z.infer<typeof environment>;

export const readConfig = (from: NodeJS.ProcessEnv = process.env): Config => environment.parse(from);
