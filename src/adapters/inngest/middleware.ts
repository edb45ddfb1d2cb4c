import { Middleware } from "inngest";
import { SealerUnavailable } from "../../value-sealer.ts";
import { answerWith, refuseAnswer, UNANSWERED } from "./answers.ts";
import { gateFetch } from "./fetch-door.ts";
import { guardFunctions } from "./functions.ts";
import type { RunContext } from "./gate/context.ts";
import { loggable, Refusals } from "./gate/failure.ts";
import { runsOf } from "./gate/fetch-gate.ts";
import { type EncryptionMiddlewareOptions, type ResolvedOptions, resolveOptions } from "./gate/options.ts";
import { markAsOurs, wrongSdk } from "./gate/ours.ts";
import { markPlatformError } from "./gate/platform-errors.ts";
import { createPolicy, type PlaintextPolicy } from "./gate/policy.ts";
import { refusedPath } from "./gate/refusals.ts";
import { openWithKeys } from "./gate/run-input.ts";
import { checkEvent } from "./gate/sent-events.ts";
import { guardTools } from "./gate/step-tools.ts";
import { checkShape, type StepShape } from "./gate/steps.ts";
import { type FunctionInput, type OpenedInput, openInput } from "./input.ts";
import { checkInstallation, checkOthers, listedOn } from "./install.ts";
import { invokedId } from "./invoked.ts";
import { abandoned, OutsideFailure } from "./outside-failure.ts";
import { sealResponseBody } from "./response-door.ts";
import { refusingSandboxes } from "./sandboxes.ts";
import { refuseStreams } from "./streams.ts";

/** What is used of what the SDK tells of a step. */
interface StepInfo {
  readonly hashedId: string;
  readonly stepType: unknown;
  readonly options: { readonly id: string };
}

/**
 * End-to-end encryption for an Inngest client, SDK v4: the platform stores ciphertext, functions see plaintext.
 *
 * It belongs on the client, first in its list of middleware. Keys come from `STEPSEAL_KEY` and
 * `STEPSEAL_KEY_FALLBACK` unless an option gives them.
 *
 * @throws {StepsealError} `CONFIG` where a key or an option is missing or wrong; and, when the client or a
 * function is created, where the middleware is listed on a function, twice, or not first
 *
 * @example
 * ```ts
 * import { Inngest } from "inngest";
 * import { encryptionMiddleware } from "stepseal/inngest";
 *
 * export const inngest = new Inngest({ id: "my-app", middleware: [encryptionMiddleware()] });
 * ```
 */
export function encryptionMiddleware(options?: EncryptionMiddlewareOptions): Middleware.Class {
  return createMiddleware(resolveOptions(options));
}

/** The middleware for options that are checked. */
export function createMiddleware(resolved: ResolvedOptions): Middleware.Class {
  /** One instance serves one request, or one `send`. */
  class EncryptionMiddleware extends Middleware.BaseMiddleware {
    override readonly id = "stepseal";
    #inRequest = false;
    #context: RunContext | undefined;
    #shapes: ReadonlyMap<string, StepShape> = new Map();
    /** By the id of a step that invokes: whether `plaintextFrom` names every function that it invokes. */
    readonly #invokesPlain = new Map<string, boolean>();
    /** By the id of a step of which SDKs before 4.4 do not tell the type: whether it waits for a signal, and never sends one. */
    readonly #awaitsSignal = new Map<string, boolean>();
    readonly #refusals = new Refusals();
    readonly #outside = new OutsideFailure();

    static override onRegister({ client, fn }: Middleware.OnRegisterArgs): void {
      checkInstallation(EncryptionMiddleware, client, fn);
      checkOthers(listedOn(client), client, resolved, `client "${client.id}"`);
      gateFetch(client, resolved);
      guardFunctions(client, resolved);
      if (!resolved.allows("sandbox") && "sandboxes" in client) {
        const sandboxes = refusingSandboxes(() => refusedPath("sandbox", `client "${client.id}"`));
        Object.defineProperty(client, "sandboxes", { value: sandboxes, configurable: true });
      }
    }

    /** What SDK v3 would call. */
    static init(): never {
      throw wrongSdk("stepseal/inngest", "v3", "stepseal/inngest-v3");
    }

    /** The response door. */
    override async wrapRequest({ next }: Middleware.WrapRequestArgs): Promise<Middleware.Response> {
      this.#inRequest = true;
      let response: Middleware.Response = UNANSWERED;
      try {
        await resolved.sealer();
        response = await next();
        if (!resolved.seals) return response;
        // The ring may have been replaced meanwhile.
        const sealer = await resolved.sealer();
        const scope = { sealer, options: resolved, context: this.#context, refusals: this.#refusals };
        return answerWith(this.client, response, await sealResponseBody(response, scope));
      } catch (error) {
        const answered = response !== UNANSWERED && !(error instanceof SealerUnavailable);
        const what = answered ? "an answer could not be sealed" : "a request failed before it was answered";
        this.client.logger.error(`stepseal: ${what}: ${loggable(error)}`);
        return answered ? refuseAnswer(this.client, response, error) : UNANSWERED;
      } finally {
        if (this.#context !== undefined) runsOf(this.client).leave(this.#context);
      }
    }

    /** Opens what comes in. A throw here is a clean failure of the run; later hooks would hang it. */
    override async transformFunctionInput(arg: FunctionInput): Promise<FunctionInput> {
      // The SDK's proxy for results of durable endpoints comes by, too, with an event of its own and no request.
      if (!this.#inRequest && isProxied(arg) && resolved.allows("durable-endpoint")) return arg;
      try {
        const { input, shapes } = await this.#open(arg);
        this.#shapes = shapes;
        return resolved.seals ? this.#guarded(input) : input;
      } catch (error) {
        throw this.#refusals.record(error);
      }
    }

    #open(arg: FunctionInput): Promise<OpenedInput> {
      const reader = {
        options: resolved,
        policy: this.#policy(),
        clientId: this.client.id,
        inRequest: this.#inRequest,
        onContext: (context: RunContext) => this.#enter(context),
      };
      const sealed = [arg.ctx.event, arg.ctx.events, arg.steps];
      return openWithKeys(resolved, sealed, (sealer) => openInput(arg, { ...reader, sealer }));
    }

    /** The input with tools that let nothing out, nor in, that the gate would have to refuse too late. */
    #guarded(input: FunctionInput): FunctionInput {
      if (!resolved.allows("stream")) {
        refuseStreams(() => this.#refusals.record(refusedPath("stream", `function "${input.fn.id()}"`)));
      }
      const step = guardTools(input.ctx.step, {
        options: resolved,
        startedBy: String(input.ctx.event.name),
        recorded: (error) => this.#refusals.record(error),
        fail: (error) => this.#outside.fail(this.#refusals.record(error)),
        onSignal: (stepId, waits) => {
          this.#awaitsSignal.set(stepId, waits && this.#awaitsSignal.get(stepId) !== false);
        },
        onInvoke: (stepId, called) => {
          const functionId = invokedId(called, this.client.id);
          if (functionId === undefined) return;
          const plain = resolved.plainFunctions.has(functionId);
          this.#invokesPlain.set(stepId, plain && this.#invokesPlain.get(stepId) !== false);
        },
      });
      return { ...input, ctx: { ...input.ctx, step } };
    }

    /**
     * Refuses a step whose state does not fit its type; the type is first known here, before anything of the state is
     * used. The run is failed from the outside: a throw would reach user code, and the step never settles.
     */
    override transformStepInput(
      arg: Middleware.TransformStepInputArgs,
    ): Middleware.TransformStepInputArgs | Promise<Middleware.TransformStepInputArgs> {
      return this.#misfit({ ...arg.stepInfo, options: arg.stepOptions }) ?? arg;
    }

    /**
     * The same for a step that another middleware has given another id since. No SDK before 4.16, and none without
     * AsyncLocalStorage, shows every one of parallel steps here.
     *
     * Nothing is awaited, and the promise of `next` is returned as it is: an await that reaches the event loop would
     * turn parallel steps into serial ones, and a throw would hang the run.
     */
    override wrapStep({ next, stepInfo }: Middleware.WrapStepArgs): Promise<unknown> {
      const misfit = this.#misfit(stepInfo);
      if (misfit !== undefined) return misfit;
      const result = next();
      if (this.#shapes.get(stepInfo.hashedId) === "error") result.catch(markPlatformError);
      return result;
    }

    /** A promise that never settles, where a step has to be refused or the run is failing already. */
    #misfit({ hashedId, options, stepType }: StepInfo): Promise<never> | undefined {
      // A sibling that wins a race would let user code go on.
      if (this.#outside.happened) return abandoned();
      const shape = this.#shapes.get(hashedId);
      if (shape === undefined) return undefined;
      const { id } = options;
      const type =
        stepType === "unknown" && this.#awaitsSignal.get(id) === true ? "waitForSignal" : String(stepType);
      const fromPlainFunction = type === "invoke" && this.#invokesPlain.get(id) === true;
      try {
        checkShape({ hashedId, id, stepType: type, shape, fromPlainFunction }, resolved, this.#policy());
        return undefined;
      } catch (error) {
        return this.#outside.fail(this.#refusals.record(error));
      }
    }

    override wrapFunctionHandler({ next }: Middleware.WrapFunctionHandlerArgs): Promise<unknown> {
      return Promise.race([next(), this.#outside.promise]);
    }

    /** Refuses an event before it is sent: a throw in the client's `fetch` would be retried five times. */
    override async wrapSendEvent({ events, next }: Middleware.WrapSendEventArgs): ReturnType<typeof next> {
      if (resolved.seals) for (const event of events) checkEvent(event, resolved);
      return next();
    }

    #policy(): PlaintextPolicy {
      return createPolicy(resolved.plaintext, (message) => this.client.logger.warn(message));
    }

    #enter(context: RunContext): void {
      // Without a request there is no end to leave at, and no checkpoint either.
      if (!this.#inRequest) return;
      const runs = runsOf(this.client);
      if (this.#context !== undefined) runs.leave(this.#context);
      this.#context = undefined;
      runs.enter(context);
      this.#context = context;
    }
  }
  markAsOurs(EncryptionMiddleware);
  return EncryptionMiddleware;
}

function isProxied({ ctx }: FunctionInput): boolean {
  return String(ctx.event.name) === "__proxy__" && ctx.runId === "__proxy__";
}
