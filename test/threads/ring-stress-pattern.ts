/** Bytes that tell which slab use they belong to: a late or early writer leaves a checksum that does not fit. */

/** Fills `bytes[start, end)` from the seed; returns its checksum. */
export function writePattern(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let state = seed | 1;
  let sum = 0;
  for (let at = start; at < end; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
    sum = (Math.imul(sum, 31) + (state >>> 24)) | 0;
  }
  return sum;
}

export function checksum(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let at = start; at < end; at += 1) sum = (Math.imul(sum, 31) + bytes[at]!) | 0;
  return sum;
}

export function seedOf(sequence: number, epoch: number, slab: number): number {
  return Math.imul(sequence, 0x9e3779b1) ^ Math.imul(epoch, 0x85ebca6b) ^ slab;
}
