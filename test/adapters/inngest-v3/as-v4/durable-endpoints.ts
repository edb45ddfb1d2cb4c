// SDK v3 has no streams.
export {};
