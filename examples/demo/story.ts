/**
 * What the demo plants, and looks for in everything the platform got: one marker for each path of the app. Of the order
 * that both apps run; each adds what only its platform has.
 */
export const STORY = {
  card: "4111-1111-1111-1111",
  nationalId: "AB-123456-C",
  riskNote: "declined-twice-at-casino",
  fraudVerdict: "manual-review-because-of-casino",
  childInput: "ship-to-12-Rose-Lane",
  childOutput: "parcel-left-with-Mrs-Novak",
  approver: "approved-by-dr-okafor",
  receipt: "receipt-for-heart-medication",
  bankError: "bank-says-account-DE89370400440532013000-is-locked",
  voucher: "voucher-of-patient-0815",
  voucherError: "voucher-expired-with-the-insurance-of-Ada-Byron",
  result: "charged-the-card-of-Ada-Byron",
} as const;

/** One value that a function saw. */
export interface Sight {
  readonly what: string;
  readonly value: unknown;
}

/** Told what a function sees, in the order it sees it. */
export type Seen = (what: string, value: unknown) => void;
