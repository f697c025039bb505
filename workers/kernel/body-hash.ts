/** A checksum of an event's bytes, to notice one id with two bodies; the same as in workers/body-hash.ts. */

/** Two running sums per lane, so that order counts, folded together with the length. */
export function bodyHash(start: usize, end: usize): u32 {
  let sums = i32x4.splat(0);
  let sumsOfSums = i32x4.splat(0);
  let hash: u32 = 0x811c9dc5 ^ ((end - start) as u32);
  if (end - start < 16) {
    for (let at = start; at < end; at += 1) hash = (hash ^ (load<u8>(at) as u32)) * 0x01000193;
  } else {
    let at = start;
    for (; at + 16 <= end; at += 16) {
      sums = i32x4.add(sums, v128.load(at));
      sumsOfSums = i32x4.add(sumsOfSums, sums);
    }
    if (at < end) {
      sums = i32x4.add(sums, v128.load(end - 16)); // Some bytes once more: cheaper than the last ones one by one.
      sumsOfSums = i32x4.add(sumsOfSums, sums);
    }
  }
  hash = fold(hash, i32x4.extract_lane(sums, 0), i32x4.extract_lane(sumsOfSums, 0));
  hash = fold(hash, i32x4.extract_lane(sums, 1), i32x4.extract_lane(sumsOfSums, 1));
  hash = fold(hash, i32x4.extract_lane(sums, 2), i32x4.extract_lane(sumsOfSums, 2));
  return fold(hash, i32x4.extract_lane(sums, 3), i32x4.extract_lane(sumsOfSums, 3));
}

// @ts-ignore: decorator
@inline
function fold(hash: u32, sum: i32, sumOfSums: i32): u32 {
  return ((hash ^ (sum as u32)) * 0x01000193 ^ (sumOfSums as u32)) * 0x85ebca6b;
}
