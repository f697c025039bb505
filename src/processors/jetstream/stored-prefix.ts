/**
 * Says how many of our messages in doubt a stream holds, from what it holds: they were stored in order and from the first on, so the answer is
 * the length of a prefix. Null where contents alone do not tell: then nothing may be concluded.
 */

/**
 * `doubt`: keys of the messages in doubt, in the order they were sent. `stored`: keys of what the stream holds at the sequences behind the last one
 * known, null for a sequence whose message is not there any more.
 */
export function storedPrefix(doubt: readonly string[], stored: readonly (string | null)[]): number | null {
  if (stored.length === 0) return 0;
  if (stored.length <= doubt.length && stored.every((key, index) => key === null || key === doubt[index])) {
    return stored.some((key) => key !== null) ? stored.length : null;
  }
  return amongOthers(doubt, stored);
}

/** Others wrote too: ours are found by what is in them, unless something in doubt is there more or fewer times than the prefix explains. */
function amongOthers(doubt: readonly string[], stored: readonly (string | null)[]): number | null {
  let found = 0;
  const surplus = new Map<string, number>(doubt.map((key) => [key, 0]));
  for (const key of stored) {
    if (key === null) return null;
    if (key === doubt[found]) found++;
    const count = surplus.get(key);
    if (count !== undefined) surplus.set(key, count + 1);
  }
  for (let index = 0; index < found; index++) surplus.set(doubt[index]!, surplus.get(doubt[index]!)! - 1);
  return [...surplus.values()].every((count) => count === 0) ? found : null;
}
