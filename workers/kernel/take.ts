/** Takes encoded rows as events, as EventTaker does: size, room, id, claim, event row. It stops before a row that is anything but plain, with nothing of it done. */
import { BLOCK_BYTES, claim, CLAIM_FRESH, CLAIM_OTHER, conflict, homeScale, touchEntry, touchMetas } from './claim';
import { NO_SUBJECT, route } from './route';
import { STATE } from './state';

/** Ids whose places are looked at before they are claimed: their misses of cache overlap. */
const AHEAD: u32 = 16;
const ID_TEXT_BYTES_MAX: u32 = 256;
const EVENT_BYTES: usize = 48;
const CLAIM_BYTES: usize = 8;
const NO_SLOT: u32 = 0xffff_ffff;
const NONE: u32 = 0xffff_ffff;
const WITH_ID: u32 = 1;
const WINDOWED: u32 = 2;
const HEADER_SAFE: u32 = 4;

/** Rows from `from` to before `count`; returns the first that was not taken. */
export function take(S: usize, rowsAt: usize, from: u32, count: u32): u32 {
  const flags = load<u32>(S, STATE.FLAGS);
  const windowed = (flags & WINDOWED) != 0;
  const perByte = load<f64>(S, STATE.ROOM_PER_BYTE);
  const generation = load<u32>(S, STATE.GENERATION);
  const entries: usize = load<u32>(S, STATE.ENTRIES);
  const entriesEnd = entries + <usize>(load<u32>(S, STATE.PLACES) >> 3) * BLOCK_BYTES;
  const scale = homeScale(load<u32>(S, STATE.PLACES));
  const roomFixed = load<u32>(S, STATE.ROOM_FIXED);
  const eventMax = load<u32>(S, STATE.EVENT_MAX);
  const recordMax = load<u32>(S, STATE.RECORD_MAX);
  const routed = load<u32>(S, STATE.SUBJECT_PICK) != NONE;
  let subject = load<u32>(S, STATE.SUBJECT);
  let event: usize = load<u32>(S, STATE.EVENT_AT);
  let record = load<u32>(S, STATE.RECORD);
  let log: usize = load<u32>(S, STATE.CLAIM_AT);
  let claims = load<u32>(S, STATE.CLAIMS);
  let room = load<i32>(S, STATE.ROOM);
  let touched: u32 = 0;
  let index = from;
  for (; index < count; index += 1) {
    const row = rowsAt + <usize>index * STATE.ROW_BYTES;
    if (windowed && (index - from) % AHEAD == 0) {
      // Of these rows the entries, of the next ones the meta words: those take their time while these are claimed.
      const here = index + AHEAD < count ? index + AHEAD : count;
      const next = here + AHEAD < count ? here + AHEAD : count;
      for (let one = index == from ? index : here; one < next; one += 1) touched ^= touchMetas(rowsAt + <usize>one * STATE.ROW_BYTES, entries, scale);
      for (let one = index; one < here; one += 1) touched ^= touchEntry(rowsAt + <usize>one * STATE.ROW_BYTES, generation);
    }
    const bytes = load<u32>(row, 16) - load<u32>(row, 12);
    const needed = ((bytes + roomFixed) as i32) + (Math.ceil((bytes as f64) * perByte) as i32);
    if (needed > room || bytes > eventMax || load<u32>(row, 4) - load<u32>(row) > recordMax) break;
    if (routed) {
      subject = route(S, row);
      if (subject == NO_SUBJECT) break;
    }
    let claimed: u32 = NONE;
    if ((flags & WITH_ID) != 0) {
      const id = load<u32>(row, 20);
      const idEnd = load<u32>(row, 24);
      if (id == 0 || idEnd - id > ID_TEXT_BYTES_MAX || ((flags & HEADER_SAFE) != 0 && !isHeaderSafe(id, idEnd))) break;
      if (windowed) {
        const outcome = claim(S, row, log, generation, entries, entriesEnd);
        if (outcome == CLAIM_OTHER) break;
        if (outcome != CLAIM_FRESH) {
          store<u32>(S, load<u32>(S, STATE.DUPLICATES) + 1, STATE.DUPLICATES);
          if (conflict) store<u32>(S, load<u32>(S, STATE.CONFLICTS) + 1, STATE.CONFLICTS);
          record += 1;
          continue;
        }
        claimed = claims;
        claims += 1;
        log += CLAIM_BYTES;
        store<u32>(log, NO_SLOT); // The row after it is in main's reach too; see DedupeWindow.
        store<u32>(load<u32>(S, STATE.CLAIMS_WORD), claims); // Main rolls back this many and one more when the worker dies.
      }
      store<u64>(event, load<u64>(row, 20), 24);
    } else store<i64>(event, -1, 24);
    room -= needed;
    store<u64>(event, load<u64>(row, 12));
    store<u32>(event, subject, 8);
    store<u32>(event, record, 12);
    store<u64>(event, load<u64>(row), 16);
    store<u32>(event, claimed, 32);
    event += EVENT_BYTES;
    store<u32>(event - EVENT_BYTES, (event >> 2) as u32, 36); // TypeScript ends the list behind the last.
    store<i64>(event - EVENT_BYTES, -1, 40);
    record += 1;
  }
  store<u32>(S, event as u32, STATE.EVENT_AT);
  store<u32>(S, record, STATE.RECORD);
  store<u32>(S, log as u32, STATE.CLAIM_AT);
  store<u32>(S, claims, STATE.CLAIMS);
  store<i32>(S, room, STATE.ROOM);
  store<u32>(S, touched, STATE.TOUCHED); // Keeps the looking-ahead alive.
  return index;
}

/** An id becomes a header's value: a control character in it would be a header of the sender's choice. */
function isHeaderSafe(id: usize, end: usize): bool {
  for (let at = id; at < end; at += 1) {
    const byte = load<u8>(at);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}
