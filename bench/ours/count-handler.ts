/** A handler for workers: the same work on each event as the readers on the main thread do. */
import { idHash } from '../harness/id-hash.ts';

let sum = 0;

export function count(event: { readonly id: string }): void {
  sum = (sum + idHash(event.id)) >>> 0;
}

/** So that nothing may leave the sum out. */
export const sumSoFar = (): number => sum;
