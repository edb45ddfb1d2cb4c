const FUNCTIONS: Readonly<Record<string, (...values: number[]) => number>> = {
  pow: (base = Number.NaN, exponent = Number.NaN) => base ** exponent,
  sqrt: (value = Number.NaN) => Math.sqrt(value),
  abs: (value = Number.NaN) => Math.abs(value),
  exp: (value = Number.NaN) => Math.exp(value),
  floor: (value = Number.NaN) => Math.floor(value),
  ceil: (value = Number.NaN) => Math.ceil(value),
  round: (value = Number.NaN) => Math.round(value),
  min: (...values) => Math.min(...values),
  max: (...values) => Math.max(...values),
};

const TOKEN = /\s*(\d+(?:\.\d+)?|[a-z]+|[-+*/%^(),])\s*/gy;

/** The tokens of an expression, or undefined when something is none. */
function tokensOf(expression: string): string[] | undefined {
  const tokens: string[] = [];
  let end = 0;
  for (const match of expression.matchAll(TOKEN)) {
    tokens.push(match[1]!);
    end = match.index + match[0].length;
  }
  return end === expression.length && tokens.length > 0 ? tokens : undefined;
}

/**
 * The value of an `Upstash-Retry-Delay`: arithmetic over numbers, `retried` and the platform's functions.
 *
 * @param retried what the expression calls so: 0 for the first retry
 * @returns milliseconds; undefined when the text is no such expression
 */
export function evaluate(expression: string, retried: number): number | undefined {
  const tokens = tokensOf(expression);
  if (!tokens) return undefined;
  let at = 0;
  const take = (...wanted: string[]): string | undefined =>
    wanted.includes(tokens[at] ?? "") ? tokens[at++] : undefined;

  const primary = (): number => {
    if (take("-") !== undefined) return -primary();
    if (take("(") !== undefined) {
      const value = sum();
      return take(")") === undefined ? Number.NaN : value;
    }
    const token = tokens[at++] ?? "";
    if (token === "retried") return retried;
    const call = Object.hasOwn(FUNCTIONS, token) ? FUNCTIONS[token] : undefined;
    if (call === undefined) return token === "" ? Number.NaN : Number(token);
    if (take("(") === undefined) return Number.NaN;
    const values = [sum()];
    while (take(",") !== undefined) values.push(sum());
    return take(")") === undefined ? Number.NaN : call(...values);
  };
  const product = (): number => {
    let value = primary();
    for (let sign = take("*", "/", "%"); sign !== undefined; sign = take("*", "/", "%")) {
      const right = primary();
      value = sign === "*" ? value * right : sign === "/" ? value / right : value % right;
    }
    return value;
  };
  function sum(): number {
    let value = product();
    for (let sign = take("+", "-"); sign !== undefined; sign = take("+", "-")) {
      value = sign === "+" ? value + product() : value - product();
    }
    return value;
  }

  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? value : undefined;
}
