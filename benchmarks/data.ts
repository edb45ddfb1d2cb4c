/** Kinds of data that apps seal. */
export const KINDS = ["json", "chat", "random", "non-latin"] as const;
export type DataKind = (typeof KINDS)[number];

/** Sizes of values as JSON, in bytes. */
export const SIZES = [64, 1024, 16 * 1024, 256 * 1024, 4 * 1024 * 1024] as const;

const SENTENCES = [
  "Could you send me the invoice for March once more, please?",
  "The parcel arrived yesterday, but one of the two boxes is damaged.",
  'She said "tomorrow", and then nothing came.\n',
  "Our VAT number has changed; the new one is on the last page.",
];
const OTHER_SENTENCES = [
  "請問可以再寄一次三月份的發票嗎？",
  "Посылка пришла вчера, но одна из двух коробок повреждена.",
  "納品先の住所が変わりましたので、ご確認ください。",
  "هل يمكنك إرسال الفاتورة مرة أخرى من فضلك؟",
];

/**
 * A value of a kind whose JSON takes about as many bytes.
 *
 * `json`: nested records, as a step returns them. `chat`: messages in English. `random`: strings that no compression
 * shortens. `non-latin`: messages in other scripts, which take two or three bytes for a character.
 */
export function sampleOf(kind: DataKind, bytes: number): unknown {
  const random = generator(bytes);
  const item = ITEMS[kind];
  // The smallest is one record, and not a list of one.
  if (bytes < 128) return SMALLEST[kind];
  const items: unknown[] = [];
  let size = 2;
  while (size < bytes) {
    const next = item(items.length, random);
    items.push(next);
    size += Buffer.byteLength(JSON.stringify(next)) + 1;
  }
  return items;
}

const SMALLEST: Readonly<Record<DataKind, unknown>> = {
  json: { id: 1001, ok: true, note: "approved", tags: ["a", "b"], n: 1 },
  chat: "Could you send me the invoice for March once more, pls?",
  random: "q7Zp0Vw3Kd9XbRfLm2TyUcHs8NgAeJ5oiB4rGvDxWtQkMzPaYhE6SlCu1FnO",
  "non-latin": "請問可以再寄一次三月份的發票嗎？謝謝",
};

const ITEMS: Readonly<Record<DataKind, (index: number, random: () => number) => unknown>> = {
  json: (index, random) => ({
    id: 1000 + index,
    customer: { name: "Ada Byron", tags: ["vip", "eu"], active: index % 3 === 0 },
    total: Math.round(random() * 1e6) / 100,
    lines: [
      { sku: `sku-${index}`, count: index % 7 },
      { sku: "shipping", count: 1, note: null },
    ],
  }),
  chat: (index) => ({ role: index % 2 === 0 ? "user" : "assistant", content: SENTENCES[index % 4] }),
  random: (_, random) => {
    let text = "";
    while (text.length < 120) text += Math.floor(random() * 2 ** 32).toString(36);
    return text;
  },
  "non-latin": (index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: OTHER_SENTENCES[index % 4],
  }),
};

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
