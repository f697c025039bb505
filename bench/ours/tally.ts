/** How many events came and the sum of their ids' hashes; the same work for every reader. */
import { idHash } from '../harness/id-hash.ts';

export class Tally {
  events = 0;
  sum = 0;

  add(event: unknown): void {
    this.events += 1;
    this.sum = (this.sum + idHash((event as { readonly id: string }).id)) >>> 0;
  }

  /** Throws unless every line of the input came, once. */
  check({ lines, sumOfLines }: { readonly lines: number; readonly sumOfLines: number }): void {
    if (this.events === lines && this.sum === sumOfLines) return;
    throw new Error(`${this.events} events came with checksum ${this.sum}, not ${lines} with ${sumOfLines}`);
  }
}
