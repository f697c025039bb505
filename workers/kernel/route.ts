/** Remembers which subject the picked values of an event make, so that TypeScript renders each subject once a run and not once an event. */
import { NONE, wordAt } from './scan';
import { STATE } from './state';

/** A place: run, subject, bytes; then the values as they are encoded, one after the other. */
const PLACE_BYTES: usize = 64;
const PLACES: u32 = 1024;
const R_SUBJECT: usize = 4;
const R_BYTES: usize = 8;
const R_VALUES: usize = 16;
const VALUES_BYTES_MAX: usize = 48;
export const NO_SUBJECT: u32 = 0xffff_ffff;

let bytes: usize = 0;

/** The place of the row's values, 0 = they are not all there, or too long. */
function placeOf(S: usize, row: usize): usize {
  const picks = load<u32>(S, STATE.PICKS);
  let hash: u64 = 0x9e3779b97f4a7c15;
  bytes = 0;
  for (let pick = load<u32>(S, STATE.SUBJECT_PICK); pick < picks; pick += 1) {
    const range = row + STATE.ROW_PICKS + (<usize>pick << 3);
    let at: usize = load<u32>(range);
    const end: usize = load<u32>(range, 4);
    if (at == NONE) return 0;
    bytes += end - at;
    for (; at < end; at += 8) hash = rotl<u64>(hash ^ wordAt(at, end), 29) * 0xbf58476d1ce4e5b9;
  }
  if (bytes > VALUES_BYTES_MAX) return 0;
  return S + STATE.ROUTES + <usize>(((hash >> 32) as u32) & (PLACES - 1)) * PLACE_BYTES;
}

/** Hot: the subject that is remembered for the row's values, or NO_SUBJECT. */
export function route(S: usize, row: usize): u32 {
  const place = placeOf(S, row);
  if (place == 0 || load<u32>(place) != load<u32>(S, STATE.ROUTE_RUN) || (load<u32>(place, R_BYTES) as usize) != bytes) return NO_SUBJECT;
  const picks = load<u32>(S, STATE.PICKS);
  let known = place + R_VALUES;
  for (let pick = load<u32>(S, STATE.SUBJECT_PICK); pick < picks; pick += 1) {
    const range = row + STATE.ROW_PICKS + (<usize>pick << 3);
    const end: usize = load<u32>(range, 4);
    for (let at: usize = load<u32>(range); at < end; at += 8) {
      const left = end - at < 8 ? end - at : 8;
      if (wordAt(at, end) != wordAt(known, known + left)) return NO_SUBJECT;
      known += left;
    }
  }
  return load<u32>(place, R_SUBJECT);
}

/** TypeScript has found the row's subject: the next event with these values needs it no more. */
export function remember(S: usize, row: usize, subject: u32): void {
  const place = placeOf(S, row);
  if (place == 0) return;
  store<u32>(place, load<u32>(S, STATE.ROUTE_RUN));
  store<u32>(place, subject, R_SUBJECT);
  store<u32>(place, bytes as u32, R_BYTES);
  const picks = load<u32>(S, STATE.PICKS);
  let known = place + R_VALUES;
  for (let pick = load<u32>(S, STATE.SUBJECT_PICK); pick < picks; pick += 1) {
    const range = row + STATE.ROW_PICKS + (<usize>pick << 3);
    const start: usize = load<u32>(range);
    const end: usize = load<u32>(range, 4);
    memory.copy(known, start, end - start);
    known += end - start;
  }
}
