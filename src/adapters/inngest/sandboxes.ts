/**
 * Stands in place of `client.sandboxes`: whatever is called on it, at any depth, rejects with the refusal. The SDK's
 * own would turn a refusal in `fetch` into a failure of the transport, and try again.
 */
export function refusingSandboxes(refusal: () => unknown): object {
  const refusing: object = new Proxy(() => {}, {
    // No promise, so that awaiting the object itself ends.
    get: (_, key) => (key === "then" ? undefined : refusing),
    apply: () => Promise.reject(refusal()),
  });
  return refusing;
}
