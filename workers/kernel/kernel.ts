/**
 * AssemblyScript, compiled to SIMD WebAssembly by `npm run build`: takes the plain records of an NDJSON slab from JSON to msgpack in one pass, in place
 * in the ring's memory. What it is not sure of (an error, a repeated key, an odd number) it leaves to the TypeScript stages: it never rejects and never guesses.
 */
import { identify } from './identity';
import { F_COUNT, F_HASHES, F_HEADER, F_KIND, F_NODE, F_SHAPE, FRAME_BYTES, STATE } from './state';
import { isSpace, NONE, skipSpace } from './scan';
import { keyEnd, matchKey, readKey } from './keys';
import { writeLiteral } from './literal';
import { writeNumber } from './number';
import { resultOut, writeString } from './string';
import { remember } from './route';
import { fingerprint, hashBatch } from './siphash';
import { take } from './take';

export { fingerprint, hashBatch, remember, take };

const DEPTH_MAX: i32 = 60;
/** Bytes that are read past the end of a run at most are far less than READ_BEYOND: nothing opens and no comma counts there. Written: the same. */
const OUT_BEYOND: usize = 1024;
const OUT_PER_IN: usize = 3;
const STOP_END: u32 = 0;
const STOP_ROWS: u32 = 1;
const STOP_SLOW: u32 = 2;

let picks: i32 = 0;

/** Runs from the state's `in` to `inEnd`; returns why it stopped. `in` then names the record that was not done. */
export function run(S: usize, inEnd: usize, outEnd: usize, rowsAt: usize, rowsMax: u32): u32 {
  let at: usize = load<u32>(S, STATE.IN);
  let out: usize = load<u32>(S, STATE.OUT);
  let lines: u32 = load<u32>(S, STATE.LINES);
  picks = load<i32>(S, STATE.PICKS);
  let rows: u32 = 0;
  let stop: u32 = STOP_END;
  while (true) {
    let start = at;
    while (at < inEnd && isSpace(load<u8>(at))) {
      if (load<u8>(at) == 10) {
        lines += 1;
        start = at + 1;
      }
      at += 1;
    }
    if (at >= inEnd) {
      at = inEnd;
      break;
    }
    if (rows == rowsMax) {
      at = start;
      stop = STOP_ROWS;
      break;
    }
    let end: usize = 0;
    if (out + OUT_BEYOND < outEnd) {
      // One check per record: msgpack is at most three times its JSON (`-0,` becomes 9 bytes), so the record must end where that much fits.
      const recordMax: usize = (outEnd - out - OUT_BEYOND) / OUT_PER_IN;
      end = record(S, at, inEnd - at > recordMax ? at + recordMax : inEnd, out);
    }
    if (end != 0) end = skipSpace(end, inEnd);
    if (end == 0 || (end < inEnd && load<u8>(end) != 10)) {
      at = start;
      stop = STOP_SLOW;
      break;
    }
    const row = rowsAt + <usize>rows * STATE.ROW_BYTES;
    store<u32>(row, start as u32, 0);
    store<u32>(row, lines, 8);
    if (end < inEnd) {
      end += 1;
      lines += 1;
    }
    store<u32>(row, end as u32, 4);
    store<u32>(row, out as u32, 12);
    out = resultOut;
    store<u32>(row, out as u32, 16);
    identify(S, row, picks);
    rows += 1;
    at = end;
  }
  store<u32>(S, at as u32, STATE.IN);
  store<u32>(S, out as u32, STATE.OUT);
  store<u32>(S, lines, STATE.LINES);
  store<u32>(S, rows, STATE.ROWS);
  return stop;
}

/** One object; returns where it ends, or 0. The output's end is in `resultOut`. */
function record(S: usize, from: usize, inEnd: usize, outStart: usize): usize {
  if (load<u8>(from) != 0x7b) return 0;
  for (let pick: i32 = 0; pick < picks; pick += 1) store<u32>(S + STATE.PICK_RANGES + (<usize>pick << 3), NONE as u32);
  let at = from;
  let out = outStart;
  let frame = S + STATE.STACK; // Of the innermost open container; the first is a stop.
  const floor = frame;
  const ceiling = frame + <usize>DEPTH_MAX * FRAME_BYTES;
  let shape: u32 = 0; // Keys seen in this record.
  let link: usize = S + STATE.ROOT;
  if (load<u32>(S, STATE.SHAPES) == STATE.SHAPES_MAX) store<u32>(S, 0, STATE.SHAPES);
  if (load<u32>(S, STATE.SHAPES) == 0) store<u32>(link, 0); // Forgets them all: by its own, or because it was aimed anew.
  let hashes = S + STATE.HASHES;
  let node: u32 = 0;
  let pick: i32 = -1;
  let pickAt: usize = 0;
  while (true) {
    // A value begins at `at`.
    let byte = load<u8>(at);
    pickAt = out;
    if (byte == 0x22) {
      at = writeString(at + 1, out, inEnd);
      if (at == 0) return 0;
      out = resultOut;
    } else if (byte == 0x7b || byte == 0x5b) {
      if (pick >= 0) return 0; // A picked container: its end is known late; rare.
      frame += FRAME_BYTES;
      if (frame >= ceiling) return 0;
      const isMap = byte == 0x7b;
      store<u32>(frame, isMap ? 1 : 0, F_KIND);
      store<u32>(frame, 0, F_COUNT);
      store<u32>(frame, out as u32, F_HEADER);
      store<u32>(frame, shape, F_SHAPE);
      store<u32>(frame, isMap ? node : NONE as u32, F_NODE);
      store<u32>(frame, hashes as u32, F_HASHES);
      out += 1;
      at = skipSpace(at + 1, inEnd);
      if (at >= inEnd) return 0;
      byte = load<u8>(at);
      if (byte != (isMap ? 0x7d : 0x5d)) {
        if (isMap) {
          // To the first key, below.
          if (byte != 0x22) return 0;
          const learned = matchKey(at, out, link, frame, hashes);
          const after = learned != 0 ? learned : readKey(S, at, out, link, frame, hashes, inEnd);
          if (after == 0) return 0;
          at = after;
          out = keyEnd.out;
          node = keyEnd.node;
          pick = keyEnd.pick;
          link = keyEnd.link;
          hashes += 4;
          shape += 1;
        } else {
          node = NONE as u32;
          pick = -1;
        }
        store<u32>(frame, 1, F_COUNT);
        continue;
      }
      // Empty: closed below like any other.
    } else if (byte == 0x20 || byte == 9 || byte == 13) { // More than was remembered of the space after a colon.
      if (at >= inEnd) return 0;
      at = skipSpace(at, inEnd);
      continue;
    } else {
      at = byte == 0x2d || (byte >= 0x30 && byte <= 0x39) ? writeNumber(at, out) : writeLiteral(at, out);
      if (at == 0) return 0;
      out = resultOut;
    }
    // A value has ended, or an empty container is to be closed.
    while (true) {
      if (pick >= 0) {
        store<u32>(S + STATE.PICK_RANGES + (<usize>pick << 3), pickAt as u32);
        store<u32>(S + STATE.PICK_RANGES + (<usize>pick << 3), out as u32, 4);
        pick = -1;
      }
      if (frame == floor) {
        resultOut = out;
        return at > inEnd ? 0 : at;
      }
      byte = load<u8>(at);
      if (byte != 0x2c && byte != 0x7d && byte != 0x5d) {
        at = skipSpace(at, inEnd);
        byte = load<u8>(at);
      }
      const isMap = load<u32>(frame, F_KIND) != 0;
      if (byte == 0x2c) {
        if (at >= inEnd || load<u32>(frame, F_COUNT) == 0) return 0;
        store<u32>(frame, load<u32>(frame, F_COUNT) + 1, F_COUNT);
        at += 1;
        if (load<u8>(at) <= 0x20) at = skipSpace(at, inEnd);
        if (!isMap) {
          node = NONE as u32;
          break;
        }
        if (load<u8>(at) != 0x22) return 0;
        const learned = matchKey(at, out, link, frame, hashes);
        const after = learned != 0 ? learned : readKey(S, at, out, link, frame, hashes, inEnd);
        if (after == 0) return 0;
        at = after;
        out = keyEnd.out;
        node = keyEnd.node;
        pick = keyEnd.pick;
        link = keyEnd.link;
        hashes += 4;
        shape += 1;
        break;
      }
      if (byte != (isMap ? 0x7d : 0x5d)) return 0;
      at += 1;
      out = close(S, frame, out);
      if (out == 0) return 0;
      hashes = load<u32>(frame, F_HASHES);
      frame -= FRAME_BYTES;
    }
  }
  return 0;
}

/** Writes the container's head; one of more than 15 needs more room, and what is in it moves up. */
function close(S: usize, frame: usize, out: usize): usize {
  const header: usize = load<u32>(frame, F_HEADER);
  const count = load<u32>(frame, F_COUNT);
  const isMap = load<u32>(frame, F_KIND) != 0;
  if (count < 16) {
    store<u8>(header, (isMap ? 0x80 : 0x90) | (count as u8));
    return out;
  }
  if (count > 0xffff) return 0;
  memory.copy(header + 3, header + 1, out - header - 1);
  store<u8>(header, isMap ? 0xde : 0xdc);
  store<u8>(header, (count >> 8) as u8, 1);
  store<u8>(header, count as u8, 2);
  for (let pick: i32 = 0; pick < picks; pick += 1) {
    const range = S + STATE.PICK_RANGES + (<usize>pick << 3);
    const start = load<u32>(range);
    if (start == (NONE as u32) || start <= (header as u32)) continue;
    store<u32>(range, start + 2);
    store<u32>(range, load<u32>(range, 4) + 2, 4);
  }
  return out + 2;
}
