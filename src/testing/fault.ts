/**
 * What goes wrong with one request of a test platform, as on a network.
 *
 * `lost`: it does not reach the app, and the platform gets no answer. `unanswered`: the app handles it, and its answer is
 * lost. Either way the platform tries again, as it does after any failed attempt. `repeated`: the app gets it twice, one
 * after the other, as from a queue that delivers at least once. `delay`: it is made later on the virtual clock, and others
 * overtake it; the hook is asked again then.
 */
export type Fault = "lost" | "unanswered" | "repeated" | { readonly delay: string | number };

/**
 * Sends a request as its fault has it.
 *
 * @param send makes the request once
 * @param noAnswer what the platform takes instead of an answer that does not come
 * @returns the answers the platform gets: two when the request was repeated
 */
export async function sendWith<Answer>(
  fault: Exclude<Fault, object> | undefined,
  send: () => Promise<Answer>,
  noAnswer: () => Answer,
): Promise<readonly [Answer, Answer?]> {
  switch (fault) {
    case "lost":
      return [noAnswer()];
    case "unanswered":
      await send();
      return [noAnswer()];
    case "repeated":
      return [await send(), await send()];
    case undefined:
      return [await send()];
  }
}
