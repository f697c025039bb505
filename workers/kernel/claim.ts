/**
 * The plain cases of DedupeWindow.claim (src/memory/window.ts, where the protocol is told; window-table.ts draws the table): an id that is new, and one
 * that is known. Whatever else it meets it leaves to TypeScript, with nothing changed.
 */
import { STATE } from './state';

export const CLAIM_FRESH: i32 = 0;
export const CLAIM_KNOWN: i32 = 1;
/** TypeScript looks again, from the start. */
export const CLAIM_OTHER: i32 = 2;

const BLOCK_BYTES: usize = 384;
const TABLE_BYTES: usize = 32; // Of meta words in a block.
const METAS_BYTES: usize = 64;
const ENTRY_BYTES: usize = 20;
const PLACES: u32 = 8;
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
const BLOCKS_MAX: u32 = 128;
const HOME_SCALE: f64 = 1.0 / 4294967296.0;
const NOTHING: u32 = 0xffff_ffff;
const OTHER: u32 = 0xffff_fffe;

/** The meta word that `find` met, its address, and whether that is the id's own entry. */
let seen: u32 = 0;
let metaAt: usize = 0;
let matched: bool = false;
/** Of an id that was known: its body differed. */
export let conflict: bool = false;

/** As `WindowProbe.home`, in blocks, rounding included: two threads that disagreed would both find an id new. The scale is exact. */
// @ts-ignore: decorator
@inline
function home(S: usize, row: usize): u32 {
  return ((load<u32>(row, 32) as f64) * (((load<u32>(S, STATE.PLACES) / PLACES) as f64) * HOME_SCALE)) as u32;
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

/** Brings the meta words nearer that `claim` will look at. The result means nothing. */
// @ts-ignore: decorator
@inline
export function touchMetas(S: usize, row: usize): u32 {
  return load<u32>(<usize>load<u32>(S, STATE.ENTRIES) + <usize>home(S, row) * BLOCK_BYTES);
}

/** The same, when these are here, for the entry that it will read or write: an exchange waits for all stores before it. */
// @ts-ignore: decorator
@inline
export function touchEntry(S: usize, row: usize): u32 {
  const generation = load<u32>(S, STATE.GENERATION);
  const block = <usize>load<u32>(S, STATE.ENTRIES) + <usize>home(S, row) * BLOCK_BYTES;
  const table: usize = (generation & 1) as usize;
  const lanes = notable(block + table * TABLE_BYTES, liveOf(row, generation));
  const lane: usize = lanes == 0 ? 0 : (ctz<u32>(lanes) as usize);
  return load<u32>(block + METAS_BYTES + (table * PLACES + lane) * ENTRY_BYTES);
}

/** As `WindowProbe.find`: the slot of the id, or the one that it would take; OTHER where there is anything but live entries, stale ones and empty places. */
function find(S: usize, row: usize, generation: u32, current: bool): u32 {
  const blocks = load<u32>(S, STATE.PLACES) / PLACES;
  const live = liveOf(row, generation);
  const table: usize = (generation & 1) as usize;
  let block = home(S, row);
  matched = false;
  for (let left = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX; left > 0; left -= 1) {
    const metas = <usize>load<u32>(S, STATE.ENTRIES) + <usize>block * BLOCK_BYTES + table * TABLE_BYTES;
    for (let lanes = notable(metas, live); lanes != 0; lanes &= lanes - 1) {
      const lane = ctz<u32>(lanes);
      const slot = ((block * PLACES + lane) << 1) | (table as u32);
      metaAt = metas + ((lane as usize) << 2);
      seen = atomic.load<u32>(metaAt); // Pairs with the publishing exchange of `claim`, here and in TypeScript: the other words are complete.
      if (seen == 0) return slot;
      if (((seen ^ live) & LOW_MASK) != 0) {
        const age = (((live >> STAMP_SHIFT) & STAMP_MASK) - ((seen >> STAMP_SHIFT) & STAMP_MASK)) & STAMP_MASK;
        if (seen == ABANDONED || (seen & STATE_MASK) == RESERVED || age == 0 || age >= AGE_NEWER) return OTHER;
        return slot; // Stale counts as empty.
      }
      if (seen != live) continue;
      const at = entryOf(S, slot);
      if (load<u32>(at, E_PRINT1) != load<u32>(row, 36) || load<u64>(at, E_PRINT23) != load<u64>(row, 40)) continue;
      matched = true;
      return slot;
    }
    block += 1;
    if (block == blocks) block = 0;
  }
  return current ? OTHER : NOTHING; // A full table is for TypeScript to report.
}

/** Address of an entry's words. */
// @ts-ignore: decorator
@inline
function entryOf(S: usize, slot: u32): usize {
  const lane = ((slot & 1) << 3) | ((slot >> 1) & 7);
  return <usize>load<u32>(S, STATE.ENTRIES) + <usize>(slot >> 4) * BLOCK_BYTES + METAS_BYTES + <usize>lane * ENTRY_BYTES;
}

/** Hot: claims a row's fingerprint for this run; on CLAIM_FRESH the log row names the slot, as in TypeScript. */
export function claim(S: usize, row: usize, log: usize): i32 {
  const generation = load<u32>(S, STATE.GENERATION);
  // Pairs with the store in WindowClock.rotate: within a call the generation must stay what TypeScript counts the claims to.
  if (atomic.load<u32>(load<u32>(S, STATE.GENERATION_AT)) != generation) return CLAIM_OTHER;
  const slot = find(S, row, generation, true);
  if (slot == OTHER) return CLAIM_OTHER;
  if (matched) return known(S, row, slot);
  const free = seen;
  const freeAt = metaAt;
  const older = find(S, row, generation - 1, false);
  if (older == OTHER) return CLAIM_OTHER;
  if (matched) return known(S, row, older);
  const reserved = liveOf(row, generation) ^ (RESERVED | LIVE);
  const at = entryOf(S, slot);
  store<u32>(log, slot); // Before the exchange: see "Death of a worker".
  // Reserves. Pairs with the same exchange of a rival that saw the same place empty: one wins, the other looks again.
  if (atomic.cmpxchg<u32>(freeAt, free, reserved) != free) return CLAIM_OTHER;
  store<u32>(at, load<u32>(row, 36), E_PRINT1);
  store<u64>(at, load<u64>(row, 40), E_PRINT23);
  store<u32>(at, load<u32>(S, STATE.SEQUENCE), E_OWNER);
  store<u32>(at, load<u32>(row, 28), E_BODY);
  const live = reserved ^ (RESERVED | LIVE);
  // Publishes the entry's words; pairs with the loads in `find` and TypeScript's. It fails when others gave this thread up for dead.
  if (atomic.cmpxchg<u32>(freeAt, reserved, live) != reserved) return CLAIM_OTHER;
  // Pairs with the store in WindowClock.rotate: see DedupeWindow, where the same is done.
  if (atomic.load<u32>(load<u32>(S, STATE.GENERATION_AT)) == generation) return CLAIM_FRESH;
  atomic.cmpxchg<u32>(freeAt, live, live | 1);
  return CLAIM_OTHER;
}

/** As DedupeWindow's `#found`; a claim that has not settled is for TypeScript. */
function known(S: usize, row: usize, slot: u32): i32 {
  // Pairs with Ring.settleBelow. Loaded before the entry: a roll-back that preceded this watermark is then surely seen.
  const settled = atomic.load<u32>(load<u32>(S, STATE.SETTLED_AT));
  if (atomic.load<u32>(metaAt) != seen) return CLAIM_OTHER; // Pairs with the exchanges of claim and rollBack.
  const at = entryOf(S, slot);
  if (((load<u32>(at, E_OWNER) - settled) as i32) >= 0) return CLAIM_OTHER;
  conflict = load<u32>(at, E_BODY) != load<u32>(row, 28);
  return CLAIM_KNOWN;
}
