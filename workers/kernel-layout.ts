/** The kernel's state region as TypeScript sees it: the same drawing as workers/kernel/state.ts, in words. */

/** Int32 indexes from the start of the state. */
export const KernelWord = {
  in: 0,
  out: 1,
  rows: 2,
  lines: 3,
  picks: 4,
  idRule: 5,
  trieCount: 6,
  shapes: 7,
  key: 8,
  text: 12,
  textEnd: 13,
  windowed: 14,
  sequence: 40,
  subject: 41,
  recordMax: 42,
  eventMax: 43,
  roomFixed: 44,
  flags: 45,
  entries: 48,
  places: 49,
  generationAt: 50,
  generation: 51,
  settledAt: 52,
  claimsWord: 53,
  eventAt: 54,
  record: 55,
  claimAt: 56,
  claims: 57,
  room: 58,
  duplicates: 59,
  conflicts: 60,
  subjectPick: 62,
  routeRun: 63,
  trie: 64,
} as const;
/** A float64, in bytes from the start of the state. */
export const ROOM_PER_BYTE_AT = 184;
export const TakeFlag = { withId: 1, windowed: 2, headerSafe: 4 } as const;
export const KernelId = { none: 0, field: 1, hash: 2 } as const;
export const TRIE_EDGE_WORDS = 5;
export const TRIE_EDGES_MAX = 32;
/** Where the keys of the edges lie, in bytes from the start of the state. */
export const KERNEL_KEYS_START = 1_024;
export const KERNEL_KEYS_BYTES_MAX = 2_048;
/** 8 bytes, then 16 zero bytes, then 16 for a result: for hashing batches. */
export const KERNEL_HASH_START = 3_584;
export const KERNEL_ROWS_START = 98_304;

/** Words of a row. */
export const RowWord = { start: 0, next: 1, line: 2, outStart: 3, outEnd: 4, idStart: 5, idEnd: 6, body: 7, print: 8, picks: 12 } as const;
export const ROW_WORDS = 32;
export const ROWS_MAX = 256;
export const PICKS_MAX = 8;

export const KernelStop = { end: 0, rows: 1, slow: 2 } as const;

/** Output that a record needs: this much for each byte of input, and this much more; with less it is left (`slow`). */
export const OUT_PER_IN = 3;
export const OUT_BEYOND = 1_024;
/** The kernel may look this far past the end of a run, at bytes that decide nothing. Each slab has its out area there. */
export const READ_BEYOND = 1_024;
