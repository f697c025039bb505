/**
 * The plain cases of DedupeWindow.claim (src/memory/window.ts, where the protocol is told; window-table.ts draws the table): an id that is new, and one
 * that is known. Whatever else it meets it leaves to TypeScript, with nothing changed.
 */
import { STATE } from './state';

export const CLAIM_FRESH: i32 = 0;
export const CLAIM_KNOWN: i32 = 1;
/** TypeScript looks again, from the start. */
export const CLAIM_OTHER: i32 = 2;

export const BLOCK_BYTES: usize = 384;
const TABLE_BYTES: usize = 32; // Of meta words in a block.
const METAS_BYTES: usize = 64;
const ENTRY_BYTES: usize = 20;
const PLACES: usize = 8;
const E_PRINT1: usize = 0;
const E_PRINT23: usize = 4;
const E_OWNER: usize = 12;
const E_BODY: usize = 16;
const STATE_MASK: u32 = 3;
const RESERVED: u32 = 1;
const LIVE: u32 = 2;
const STAMP_SHIFT: u32 = 2;
const STAMP_MASK: u32 = 0xff;
const LOW_MASK: u32 = STATE_MASK | (STAMP_MASK << STAMP_SHIFT);
const AGE_NEWER: u32 = 128;
const TAG_SHIFT: u32 = 10;
const ABANDONED: u32 = 0xffff_fffc;
const HOME_SCALE: f64 = 1.0 / 4294967296.0;
/** As far as `WindowProbe` looks, and no further: an id behind that would be found by some threads only. */
const BLOCKS_MAX: usize = 128;
const FOUND: i32 = 0;
const OTHER: i32 = 1;

/** The meta word that `find` met, its address, its entry's, and whether that is the id's own. */
let seen: u32 = 0;
let metaAt: usize = 0;
let entryAt: usize = 0;
let matched: bool = false;
/** Of an id that was known: its body differed. */
export let conflict: bool = false;

/** Of blocks, for each value of a fingerprint's first word, as `WindowProbe.home`, rounding included: two threads that disagreed would both find an id new. */
export function homeScale(places: u32): f64 {
  return ((places / (PLACES as u32)) as f64) * HOME_SCALE;
}

/** The meta word of a live entry that may be the row's id. */
// @ts-ignore: decorator
@inline
function liveOf(row: usize, generation: u32): u32 {
  return (load<u32>(row, 32) << TAG_SHIFT) | (((generation >> 1) & STAMP_MASK) << STAMP_SHIFT) | LIVE;
}

/** Of a table's eight places: a bit for each whose meta word is `live`, or whose state or stamp is another. */
// @ts-ignore: decorator
@inline
function notable(metas: usize, live: u32): u32 {
  const wanted = i32x4.splat(live as i32);
  const low = i32x4.splat(LOW_MASK as i32);
  const first = v128.xor(v128.load(metas), wanted);
  const second = v128.xor(v128.load(metas, 16), wanted);
  const zero = i32x4.splat(0);
  const one = v128.or(i32x4.eq(first, zero), i32x4.ne(v128.and(first, low), zero));
  const two = v128.or(i32x4.eq(second, zero), i32x4.ne(v128.and(second, low), zero));
  return (i32x4.bitmask(one) | (i32x4.bitmask(two) << 4)) as u32;
}

/** Remembers where the row's id is at home, and brings the meta words there nearer. The result means nothing. */
// @ts-ignore: decorator
@inline
export function touchMetas(row: usize, entries: usize, scale: f64): u32 {
  const block = entries + <usize>(((load<u32>(row, 32) as f64) * scale) as u32) * BLOCK_BYTES;
  store<u32>(row, block as u32, STATE.ROW_HOME);
  return load<u32>(block);
}

/** The same, when these are here, for the entry that `claim` will read or write (one in four lies in two lines): an exchange waits for all stores before it. */
// @ts-ignore: decorator
@inline
export function touchEntry(row: usize, generation: u32): u32 {
  const block: usize = load<u32>(row, STATE.ROW_HOME);
  const table: usize = (generation & 1) as usize;
  const lanes = notable(block + table * TABLE_BYTES, liveOf(row, generation));
  const lane: usize = lanes == 0 ? 0 : (ctz<u32>(lanes) as usize);
  const entry = block + METAS_BYTES + (table * PLACES + lane) * ENTRY_BYTES;
  return load<u32>(entry) ^ load<u32>(entry, E_BODY);
}

/** As `WindowProbe.find`: FOUND = the id's entry (`matched`) or the one that it would take; OTHER where there is anything but live entries, stale ones and empty places. */
function find(row: usize, generation: u32, entries: usize, end: usize): i32 {
  const live = liveOf(row, generation);
  const table: usize = (generation & 1) as usize;
  let block: usize = load<u32>(row, STATE.ROW_HOME);
  matched = false;
  for (let left = (end - entries) / BLOCK_BYTES < BLOCKS_MAX ? (end - entries) / BLOCK_BYTES : BLOCKS_MAX; left > 0; left -= 1) {
    const metas = block + table * TABLE_BYTES;
    for (let lanes = notable(metas, live); lanes != 0; lanes &= lanes - 1) {
      const lane = ctz<u32>(lanes) as usize;
      metaAt = metas + (lane << 2);
      entryAt = block + METAS_BYTES + (table * PLACES + lane) * ENTRY_BYTES;
      seen = atomic.load<u32>(metaAt); // Pairs with the publishing exchange of `claim`, here and in TypeScript: the other words are complete.
      if (seen == 0) return FOUND;
      if (((seen ^ live) & LOW_MASK) != 0) {
        const age = (((live >> STAMP_SHIFT) & STAMP_MASK) - ((seen >> STAMP_SHIFT) & STAMP_MASK)) & STAMP_MASK;
        if (seen == ABANDONED || (seen & STATE_MASK) == RESERVED || age == 0 || age >= AGE_NEWER) return OTHER;
        return FOUND; // Stale counts as empty.
      }
      if (seen != live) continue;
      if (load<u32>(entryAt, E_PRINT1) != load<u32>(row, 36) || load<u64>(entryAt, E_PRINT23) != load<u64>(row, 40)) continue;
      matched = true;
      return FOUND;
    }
    block += BLOCK_BYTES;
    if (block == end) block = entries;
  }
  return OTHER; // A full table is for TypeScript to report.
}

/** Hot: claims a row's fingerprint for this run; on CLAIM_FRESH the log row names the slot, as in TypeScript. */
export function claim(S: usize, row: usize, log: usize, generation: u32, entries: usize, end: usize): i32 {
  // Pairs with the store in WindowClock.rotate: within a call the generation must stay what TypeScript counts the claims to.
  if (atomic.load<u32>(load<u32>(S, STATE.GENERATION_AT)) != generation) return CLAIM_OTHER;
  if (find(row, generation, entries, end) == OTHER) return CLAIM_OTHER;
  if (matched) return known(S, row);
  const free = seen;
  const at = metaAt;
  const entry = entryAt;
  if (find(row, generation - 1, entries, end) == OTHER) return CLAIM_OTHER;
  if (matched) return known(S, row);
  const live = liveOf(row, generation);
  const reserved = live ^ (RESERVED | LIVE);
  store<u32>(log, slotOf(entry, entries)); // Before the exchange: see "Death of a worker".
  // Reserves. Pairs with the same exchange of a rival that saw the same place empty: one wins, the other looks again.
  if (atomic.cmpxchg<u32>(at, free, reserved) != free) return CLAIM_OTHER;
  store<u32>(entry, load<u32>(row, 36), E_PRINT1);
  store<u64>(entry, load<u64>(row, 40), E_PRINT23);
  store<u32>(entry, load<u32>(S, STATE.SEQUENCE), E_OWNER);
  store<u32>(entry, load<u32>(row, 28), E_BODY);
  // Publishes the entry's words; pairs with the loads in `find` and TypeScript's. It fails when others gave this thread up for dead.
  if (atomic.cmpxchg<u32>(at, reserved, live) != reserved) return CLAIM_OTHER;
  // Pairs with the store in WindowClock.rotate: see DedupeWindow, where the same is done.
  if (atomic.load<u32>(load<u32>(S, STATE.GENERATION_AT)) == generation) return CLAIM_FRESH;
  atomic.cmpxchg<u32>(at, live, live | 1);
  return CLAIM_OTHER;
}

/** Number of an entry, as `slotOf` in window-table.ts: its place, then its table. */
// @ts-ignore: decorator
@inline
function slotOf(entry: usize, entries: usize): u32 {
  const offset = (entry - entries) as u32;
  const block = offset / (BLOCK_BYTES as u32);
  const lane = (offset - block * (BLOCK_BYTES as u32) - (METAS_BYTES as u32)) / (ENTRY_BYTES as u32);
  return (((block << 3) | (lane & 7)) << 1) | (lane >> 3);
}

/** As DedupeWindow's `#found`; a claim that has not settled is for TypeScript. */
function known(S: usize, row: usize): i32 {
  // Pairs with Ring.settleBelow. Loaded before the entry: a roll-back that preceded this watermark is then surely seen.
  const settled = atomic.load<u32>(load<u32>(S, STATE.SETTLED_AT));
  if (atomic.load<u32>(metaAt) != seen) return CLAIM_OTHER; // Pairs with the exchanges of claim and rollBack.
  if (((load<u32>(entryAt, E_OWNER) - settled) as i32) >= 0) return CLAIM_OTHER;
  conflict = load<u32>(entryAt, E_BODY) != load<u32>(row, 28);
  return CLAIM_KNOWN;
}
