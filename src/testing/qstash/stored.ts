/** States of a run, as the platform's API spells them. */
export type QstashRunState = "RUN_STARTED" | "RUN_SUCCESS" | "RUN_FAILED" | "RUN_CANCELED";

/** One entry of a run's journal, as it is sent to the app. What a test writes here is what the app is sent next. */
export interface QstashJournalEntry {
  messageId: string;
  /** Base64 of the initial payload in the first entry, of a step's JSON in the others. */
  body: string;
  callType: "step" | "toCallback" | "fromCallback";
}

/** A run of a workflow. */
export interface QstashRun {
  readonly id: string;
  /** The workflow's URL. */
  readonly url: string;
  readonly state: QstashRunState;
  /** The initial payload, then steps in the order they were stored. */
  readonly journal: QstashJournalEntry[];
  /** JSON of what the workflow returned; undefined when it returned nothing or has not ended. */
  readonly result: string | undefined;
  readonly labels: readonly string[];
  readonly label: string | undefined;
  /** Headers the trigger forwards to every step. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly createdAt: number;
  readonly completedAt: number | undefined;
  /** The run whose `context.invoke` started this one. */
  readonly invokerId: string | undefined;
  /** The failed run that this one resumes or restarts. */
  readonly rerunOf: string | undefined;
  /** Its entry in the dead letter queue, once it failed. */
  readonly dlqId: string | undefined;
  /** What became of the failure callback. */
  readonly failureCallback: QstashCallbackState | undefined;
}

/** States of a failure callback, as the platform's API spells them. */
export type QstashCallbackState = "CALLBACK_INPROGRESS" | "CALLBACK_SUCCESS" | "CALLBACK_FAIL";

/** A message whose deliveries all failed. */
export interface QstashDlqEntry {
  readonly dlqId: string;
  readonly messageId: string;
  readonly url: string;
  readonly runId: string | undefined;
  readonly createdAt: number;
  readonly responseStatus: number;
  readonly responseHeader: Readonly<Record<string, string[]>>;
  /** Text of the last response. */
  readonly responseBody: string;
}

/** A run that waits for an event, as the API gives it. */
export interface QstashWaiter {
  readonly url: string;
  /** Unix seconds. */
  readonly deadline: number;
  readonly headers: Readonly<Record<string, string[]>>;
  readonly timeoutUrl?: string;
  readonly timeoutBody?: string;
  readonly timeoutHeaders?: Readonly<Record<string, string[]>>;
}

/** A waiter that was notified. */
export interface QstashNotification {
  readonly waiter: QstashWaiter;
  readonly messageId: string;
  readonly error: string;
  readonly workflowRunId: string;
  readonly workflowCreatedAt: number;
}
