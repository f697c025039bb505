/** Where a read that ends at the present stops: behind the last record each partition had when it began. */
import type { PartitionPosition } from './position.ts';

export class PresentEnd {
  /** Offset behind the last record of each partition. */
  readonly #ends: readonly number[];

  constructor(ends: readonly number[]) {
    this.#ends = ends;
  }

  /** Stored after the read began. */
  isLater(partition: number, offset: number): boolean {
    return offset >= (this.#ends[partition] ?? 0);
  }

  reachedBy(positions: Iterable<PartitionPosition>): boolean {
    for (const { partition, next } of positions) if (!this.isLater(partition, next)) return false;
    return true;
  }
}
