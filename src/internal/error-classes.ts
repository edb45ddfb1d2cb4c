/** Causes and nested errors are followed this deep, and this many in all. */
export const MAX_DEPTH = 16;
export const MAX_ERRORS = 256;

/** The classes of the language itself: an error comes back as an instance of one of these. */
export type ClassName =
  | "AggregateError"
  | "EvalError"
  | "RangeError"
  | "ReferenceError"
  | "SyntaxError"
  | "TypeError"
  | "URIError"
  | "Error";

// Nearest class first: every other one derives from Error.
export const CLASSES: Readonly<Record<ClassName, ErrorConstructor | AggregateErrorConstructor>> = {
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  Error,
};
