// Runs before each test file. SDK v3 and v4 keep what they execute under one name of the process, each in its own form.
Reflect.deleteProperty(globalThis, Symbol.for("inngest:als"));
