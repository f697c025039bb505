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
  /** Edges of the tree of picked paths: parent, key offset, key bytes, child, pick (-1 = none). */
  export const TRIE: usize = 256;
  export const TRIE_EDGE_BYTES: usize = 20;
  export const STACK: usize = 4096;
  export const HASHES: usize = 8192;
  export const HASHES_END: usize = 12288;
  export const SHAPE: usize = 16384;
  export const SHAPE_BYTES: usize = 128;
  export const SHAPES_MAX: u32 = 640; // Up to the rows.
  // A row: record start, next, line, out start, out end, id start, id end, body hash, fingerprint (4), picks (2 each).
  export const ROW_BYTES: usize = 128;
  export const ROW_PICKS: usize = 48;
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
