/** Where the kernel keeps what it needs, as offsets from its state region; drawn once more, for TypeScript, in workers/kernel-layout.ts. */

export namespace STATE {
  // Words that TypeScript sets before a run and reads after it.
  export const IN: usize = 0;
  export const OUT: usize = 4;
  export const ROWS: usize = 8;
  export const LINES: usize = 12;
  export const PICKS: usize = 16;
  /** 0 = no id, 1 = pick 0 is the event's id, 2 = the hash of the event is. */
  export const ID_RULE: usize = 20;
  export const TRIE_COUNT: usize = 24;
  export const SHAPES: usize = 28;
  /** 16 bytes: the secret of the window's fingerprints. */
  export const KEY: usize = 32;
  /** Where texts of ids go that do not lie in the event, and the end of their room. */
  export const TEXT: usize = 48;
  export const TEXT_END: usize = 52;
  /** 1 = ids go through the window: fingerprint and body hash are wanted. */
  export const WINDOWED: usize = 56;
  /** The first keys of records, as a list of shapes. */
  export const ROOT: usize = 60;
  export const PICK_RANGES: usize = 64;
  /** 16 zero bytes: the key of hashes that outlive a process; a hash. */
  export const NO_KEY: usize = 128;
  export const NO_LINK: usize = 128; // The same zeros: no key was seen here, and none is to be kept.
  export const PRINT: usize = 144;
  // What `take` needs of the run, and how far it is; sizes in bytes, places absolute.
  export const SEQUENCE: usize = 160;
  export const SUBJECT: usize = 164;
  export const RECORD_MAX: usize = 168;
  export const EVENT_MAX: usize = 172;
  export const ROOM_FIXED: usize = 176;
  /** 1 = an event must have an id, 2 = which is claimed, 4 = and becomes a header. */
  export const FLAGS: usize = 180;
  export const ROOM_PER_BYTE: usize = 184; // f64
  export const ENTRIES: usize = 192;
  export const PLACES: usize = 196;
  export const GENERATION_AT: usize = 200;
  export const GENERATION: usize = 204;
  export const SETTLED_AT: usize = 208;
  export const CLAIMS_WORD: usize = 212;
  export const EVENT_AT: usize = 216;
  export const RECORD: usize = 220;
  export const CLAIM_AT: usize = 224;
  export const CLAIMS: usize = 228;
  export const ROOM: usize = 232;
  export const DUPLICATES: usize = 236;
  export const CONFLICTS: usize = 240;
  export const TOUCHED: usize = 244;
  /** The first pick of those that make the subject; NONE = all events have the one above. */
  export const SUBJECT_PICK: usize = 248;
  /** Number of the run that remembered subjects are of. */
  export const ROUTE_RUN: usize = 252;
  /** Edges of the tree of picked paths: parent, key offset, key bytes, child, pick (-1 = none). */
  export const TRIE: usize = 256;
  export const TRIE_EDGE_BYTES: usize = 20;
  export const STACK: usize = 4096;
  export const HASHES: usize = 8192;
  export const HASHES_END: usize = 12288;
  export const SHAPE: usize = 16384;
  export const SHAPE_BYTES: usize = 128;
  export const SHAPES_MAX: u32 = 640; // Up to the rows.
  /** Remembered subjects, behind the rows. */
  export const ROUTES: usize = 131072;
  // A row: record start, next, line, out start, out end, id start, id end, body hash, fingerprint (4), picks (2 each).
  export const ROW_BYTES: usize = 128;
  export const ROW_PICKS: usize = 48;
  /** Behind all picks: `take`'s own. */
  export const ROW_HOME: usize = 112;
}

/** An open container. */
export const FRAME_BYTES: usize = 32;
export const F_KIND: usize = 0;
export const F_COUNT: usize = 4;
export const F_HEADER: usize = 8;
/** Keys of the record before its first one. */
export const F_SHAPE: usize = 12;
/** Its node in the tree of picked paths. */
export const F_NODE: usize = 16;
/** Where the hashes of its keys begin. */
export const F_HASHES: usize = 20;

/** A key behind the keys that lead to it: input bytes up to its value, its msgpack, those seen in its place and those seen behind it (absolute, 0 = none). */
export const S_IN_BYTES: usize = 0;
export const S_OUT_BYTES: usize = 4;
export const S_PARENT_SHAPE: usize = 8;
export const S_PARENT_NODE: usize = 12;
export const S_NODE: usize = 16;
export const S_PICK: usize = 20;
export const S_HASH: usize = 24;
export const S_SIBLING: usize = 28;
export const S_IN: usize = 32;
export const S_OUT: usize = 80;
export const S_CHILD: usize = 124;
export const S_KEY_BYTES_MAX: usize = 40;
