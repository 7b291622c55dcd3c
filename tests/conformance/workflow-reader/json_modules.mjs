// The package imports its schema as a JSON module without saying so, which its bundlers allow and Node does not.
import { register } from "node:module";

register("data:text/javascript," + encodeURIComponent(`
  export const load = (url, context, next) => next(url, url.endsWith(".json")
    ? { ...context, importAttributes: { type: "json" }, importAssertions: { type: "json" } } : context);
`));
