/** A checksum of an event's bytes, to notice one id with two bodies; the same bits as the kernel's (workers/kernel/body-hash.ts). */

const PRIME = 0x01000193;
const MIX = 0x85ebca6b;

/** Two running sums for each of four lanes of 32 bits, so that order counts, folded together with the length and the last bytes. */
export function bodyHash(view: DataView, start: number, end: number): number {
  let [s0, s1, s2, s3, t0, t1, t2, t3] = [0, 0, 0, 0, 0, 0, 0, 0];
  const long = end - start >= 16;
  for (let at = start; long && at < end; at += 16) {
    if (at + 16 > end) at = end - 16; // The last bytes come with some before them once more: cheaper than one by one.
    s0 = (s0 + view.getInt32(at, true)) | 0;
    s1 = (s1 + view.getInt32(at + 4, true)) | 0;
    s2 = (s2 + view.getInt32(at + 8, true)) | 0;
    s3 = (s3 + view.getInt32(at + 12, true)) | 0;
    t0 = (t0 + s0) | 0;
    t1 = (t1 + s1) | 0;
    t2 = (t2 + s2) | 0;
    t3 = (t3 + s3) | 0;
  }
  let hash = 0x811c9dc5 ^ (end - start);
  for (let at = start; !long && at < end; at += 1) hash = Math.imul(hash ^ view.getUint8(at), PRIME);
  return fold(fold(fold(fold(hash, s0, t0), s1, t1), s2, t2), s3, t3);
}

function fold(hash: number, sum: number, sumOfSums: number): number {
  return Math.imul(Math.imul(hash ^ sum, PRIME) ^ sumOfSums, MIX);
}
