import { canonicalJson, isObject } from "./json.ts";
import { unsupported } from "./platform.ts";

/** What an expression can see. */
export interface Scope {
  readonly event?: unknown;
  readonly async?: unknown;
}

type Operand = { readonly literal: unknown } | { readonly path: readonly string[] };

const TOKEN =
  /\s*(?:(?<op>==|!=|&&)|(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<number>-?\d+(?:\.\d+)?)|(?<path>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\s*(?:'[^'\\]*'|"[^"\\]*"|\d+)\s*\])*))\s*/y;

function readOperand(groups: Record<string, string | undefined>): Operand | undefined {
  const { string, number, path } = groups;
  if (string !== undefined) {
    return { literal: string.slice(1, -1).replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c)) };
  }
  if (number !== undefined) return { literal: Number(number) };
  if (path === "true" || path === "false") return { literal: path === "true" };
  if (path === "null") return { literal: null };
  if (path === undefined) return undefined;
  const parts = path
    .match(/[A-Za-z_]\w*|'[^']*'|"[^"]*"|\d+/g)!
    .map((part) => part.replace(/^['"]|['"]$/g, ""));
  return parts[0] === "event" || parts[0] === "async" ? { path: parts } : undefined;
}

function resolve(operand: Operand, scope: Scope): unknown {
  if ("literal" in operand) return operand.literal;
  let value: unknown = scope;
  for (const part of operand.path) {
    if (Array.isArray(value)) value = value[Number(part)];
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[part];
    else return undefined;
  }
  return value;
}

/**
 * Evaluates the part of the platform's expression language that matching events needs: comparisons of event
 * fields and literals by `==` and `!=`, joined by `&&`. A field that is absent equals nothing.
 *
 * @param place names what the expression belongs to, for the error
 * @throws StepsealError `UNSUPPORTED`, naming the expression
 */
export function matches(expression: string, scope: Scope, place: string): boolean {
  const refuse = () =>
    unsupported(
      place,
      `cannot evaluate the expression ${JSON.stringify(expression)}: the engine knows only == and != between fields of event or async and literals, joined by &&`,
    );
  const tokens: Record<string, string | undefined>[] = [];
  let end = 0;
  for (const token of expression.matchAll(new RegExp(TOKEN, "gy"))) {
    tokens.push(token.groups ?? {});
    end = token.index + token[0].length;
  }
  if (end !== expression.length || tokens.length % 4 !== 3) throw refuse();
  let result = true;
  for (let i = 0; i < tokens.length; i += 4) {
    const left = readOperand(tokens[i]!);
    const operator = tokens[i + 1]!.op;
    const right = readOperand(tokens[i + 2]!);
    const joined = i + 3 >= tokens.length || tokens[i + 3]!.op === "&&";
    if (!left || !right || !joined || (operator !== "==" && operator !== "!=")) throw refuse();
    const [a, b] = [resolve(left, scope), resolve(right, scope)];
    const equal = a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b);
    if (equal !== (operator === "==")) result = false;
  }
  return result;
}

/** The value of a key expression: one field of the event. @throws StepsealError `UNSUPPORTED` */
export function keyOf(expression: string, scope: Scope, place: string): string {
  const token = new RegExp(TOKEN, "y").exec(expression);
  const operand = token?.[0].length === expression.length ? readOperand(token.groups ?? {}) : undefined;
  if (!operand) {
    throw unsupported(
      place,
      `cannot evaluate the key ${JSON.stringify(expression)}: give one field of event`,
    );
  }
  return canonicalJson(resolve(operand, scope) ?? null);
}
