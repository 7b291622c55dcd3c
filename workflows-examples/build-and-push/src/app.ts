import helmet from "@fastify/helmet";
import rateLimit from "@fastify/rate-limit";
import sensible from "@fastify/sensible";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance } from "fastify";
import { Counter, Registry, collectDefaultMetrics } from "prom-client";

import { Harbour, bookingRequest } from "./berths.js";
import type { Config } from "./config.js";

const berths = [
  { id: "north-1", lengthMetres: 40 },
  { id: "north-2", lengthMetres: 90 },
  { id: "quay", lengthMetres: 320 },
];

export async function createApp(config: Config): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: config.LOG_LEVEL } });
  const harbour = new Harbour(berths);
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const booked = new Counter({ name: "berths_booked_total", help: "Bookings made", registers: [metrics] });

  await app.register(helmet);
  await app.register(sensible);
  await app.register(rateLimit, { max: 300, timeWindow: "1 minute" });
  await app.register(swagger, { openapi: { info: { title: "Berths", version: config.APP_VERSION } } });

  app.get("/health", async () => ({
    status: "ok",
    arch: process.arch,
    node: process.version,
    version: config.APP_VERSION,
    revision: config.APP_REVISION,
    uptime: process.uptime(),
  }));

  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  app.get("/openapi.json", async () => app.swagger());
  app.get("/berths", async () => berths);
  app.get("/bookings", async () => harbour.list());

  app.post("/bookings", async (request, reply) => {
    const parsed = bookingRequest.safeParse(request.body);
    if (!parsed.success) throw app.httpErrors.badRequest(parsed.error.issues.map((i) => i.message).join("; "));
    const booking = harbour.book(parsed.data);
    if (!booking) throw app.httpErrors.conflict("no berth is free for this vessel and time");
    booked.inc();
    return reply.code(201).send(booking);
  });

  app.delete<{ Params: { id: string } }>("/bookings/:id", async (request, reply) => {
    if (!harbour.cancel(Number(request.params.id))) throw app.httpErrors.notFound();
    return reply.code(204).send();
  });

  return app;
}
