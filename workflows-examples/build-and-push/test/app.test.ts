import assert from "node:assert/strict";
import { test } from "node:test";

import { createApp } from "../src/app.js";
import { readConfig } from "../src/config.js";

const app = await createApp(readConfig({ LOG_LEVEL: "silent", APP_VERSION: "9.9.9" }));
const booking = {
  vessel: "Aurora",
  lengthMetres: 35,
  arrival: "2030-05-01T08:00:00Z",
  departure: "2030-05-02T08:00:00Z",
};
const post = (payload: object) => app.inject({ method: "POST", url: "/bookings", payload });

test("health tells the architecture and the version", async () => {
  const answer = (await app.inject("/health")).json();
  assert.equal(answer.arch, process.arch);
  assert.equal(answer.version, "9.9.9");
});

test("a vessel gets the shortest berth that is free", async () => {
  assert.equal((await post(booking)).json().berth, "north-1");
  assert.equal((await post(booking)).json().berth, "north-2");
  assert.equal((await post(booking)).json().berth, "quay");
  assert.equal((await post(booking)).statusCode, 409);
});

test("a cancelled booking frees its berth", async () => {
  assert.equal((await app.inject({ method: "DELETE", url: "/bookings/1" })).statusCode, 204);
  assert.equal((await post(booking)).json().berth, "north-1");
});

test("a wrong booking is refused", async () => {
  assert.equal((await post({ ...booking, lengthMetres: -1 })).statusCode, 400);
});
