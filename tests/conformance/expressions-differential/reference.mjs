// The reference: the npm package, answering in the form of eval-batch.

import path from "node:path";
import { pathToFileURL } from "node:url";

export async function loadReference(modules) {
  const dist = path.join(modules, "@actions", "expressions", "dist");
  const load = (file) => import(pathToFileURL(path.join(dist, file)));
  const [{ Lexer }, { Parser }, { Evaluator }, data] = await Promise.all(
    ["lexer.js", "parser.js", "evaluator.js", "data/index.js"].map(load));

  const toData = (json) => JSON.parse(JSON.stringify(json), data.reviver);
  const kinds = new Map(Object.entries(data.Kind).filter(([, kind]) => typeof kind === "number").map(([name, kind]) => [kind, name]));
  const failure = (phase, error) => ({ error: { phase, message: String(error.message) } });

  return ({ expr, contexts }) => {
    let tokens, ast;
    try {
      tokens = new Lexer(expr).lex().tokens;
    } catch (error) {
      return failure("lexing", error);
    }
    try {
      ast = new Parser(tokens, Object.keys(contexts), []).parse();
    } catch (error) {
      return failure("parsing", error);
    }
    if (!ast) return { kind: "Null", value: null };
    try {
      const values = new data.Dictionary(...Object.entries(contexts).map(([key, value]) => ({ key, value: toData(value) })));
      const result = new Evaluator(ast, values).evaluate();
      const kind = kinds.get(result.kind);
      return { kind: kind === "Dictionary" ? "Object" : kind, value: JSON.parse(JSON.stringify(result, data.replacer)) };
    } catch (error) {
      return failure("evaluation", error);
    }
  };
}
