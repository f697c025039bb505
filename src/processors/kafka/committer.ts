/** Commits the positions of a group's partitions: one commit at a time, soon after an ack, and never past what is not settled. */
import type { Member } from './member.ts';
import type { PartitionPosition } from './position.ts';

const EVERY_MS = 200;
/** In a row: then the member is taken for gone, and replaced. */
const FAILURES_MAX = 5;

export class Committer {
  readonly #member: Member | null;
  readonly #positions: () => Iterable<PartitionPosition>;
  #last: Promise<boolean> = Promise.resolve(true);
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;

  /** Without a member there is nothing to commit. */
  constructor(member: Member | null, positions: () => Iterable<PartitionPosition>) {
    this.#member = member;
    this.#positions = positions;
  }

  start(): void {
    this.#timer = setInterval(() => void this.commit(), EVERY_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  /** Resolves with true when all that was settled before the call is committed. */
  commit(): Promise<boolean> {
    this.#last = this.#last.then(() => this.#commit());
    return this.#last;
  }

  async #commit(): Promise<boolean> {
    const member = this.#member;
    if (member === null || this.#stopped) return true;
    const dirty = [...this.#positions()].filter((position) => position.committable > position.committed);
    if (dirty.length === 0) return true;
    const commits = dirty.map((position) => ({ partition: position.partition, offset: position.committable }));
    try {
      await member.commit(commits);
      for (const [index, position] of dirty.entries()) position.committed = Math.max(position.committed, commits[index]!.offset);
      this.#failures = 0;
      return true;
    } catch {
      // A group that is sharing out anew takes it after that; a member that is gone is replaced.
      if (++this.#failures < FAILURES_MAX) return false;
      this.#failures = 0;
      member.rebuild();
      return false;
    }
  }
}
