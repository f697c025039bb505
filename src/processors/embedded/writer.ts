/**
 * Puts groups into the store so that no sequence is ever given twice, whoever else has the folder open. Alone, a group is a
 * conditional write: it happens only while the head's token is the one this process wrote last, checked inside LMDB's own
 * write thread (measured: as fast as plain puts). When another process has written, its groups come back undone, in order,
 * and are stored under the write lock from a callback (slower, and it cannot lose) until the other has been quiet for a while.
 */
import { committed } from './commit.ts';
import type { Group } from './group.ts';
import type { Store } from './store.ts';
import { HEAD_KEY, newToken, readHead, writeHead } from './store.ts';

const QUIET_MS = 1_000;

export type Landing = 'stored' | 'conflict';

export class Writer {
  readonly #store: Store;
  #next: number;
  #bytes: number;
  #token: number;
  #sharedUntil = 0;

  constructor(store: Store) {
    this.#store = store;
    const head = readHead(store);
    this.#next = head.next;
    this.#bytes = head.bytes;
    this.#token = head.token;
  }

  /** Another process is writing too. Asked only while nothing is in flight, since the two ways must not mix. */
  get shared(): boolean {
    return performance.now() < this.#sharedUntil;
  }

  /** Groups land in the order of these calls; one that conflicts makes all after it conflict. Rejects when nothing was stored. */
  put(group: Group): Promise<Landing> {
    const { meta } = this.#store;
    const expected = this.#token;
    this.#assign(group);
    return committed(meta.ifVersion(HEAD_KEY, expected, () => this.#write(group))).then((stored) => (stored ? 'stored' : 'conflict'));
  }

  /** A child transaction, so that a put that fails takes the group with it and not only itself. */
  async putLocked(group: Group): Promise<void> {
    const write = this.#store.meta.childTransaction(() => {
      this.resynchronize();
      this.#assign(group);
      this.#write(group);
    });
    await committed(write);
  }

  /**
   * After a failed commit: can LMDB still begin a transaction? When it failed to write its meta page it cannot, and then it is
   * unknown whether the transaction counts; else the transaction was undone for certain. Waits for other writers; rare.
   */
  canWrite(): boolean {
    try {
      this.#store.meta.transactionSync(() => undefined);
      return true;
    } catch {
      return false;
    }
  }

  /** Reads the head again, after a conflict or a failed commit. */
  resynchronize(): void {
    const head = readHead(this.#store);
    if (head.token !== this.#token) this.#sharedUntil = performance.now() + QUIET_MS;
    this.#next = head.next;
    this.#bytes = head.bytes;
    this.#token = head.token;
  }

  #assign(group: Group): void {
    group.base = this.#next;
    writeHead(group.head, this.#next + group.count, this.#bytes + group.bytes);
    this.#token = newToken();
  }

  #write(group: Group): void {
    const { meta, messages } = this.#store;
    for (let index = 0; index < group.count; index++) {
      const record = group.record(index, this.#bytes);
      this.#bytes += record.length;
      void messages.put(this.#next++, record); // inside a condition LMDB-js gives no promise of its own: the group's says it all
    }
    void meta.put(HEAD_KEY, group.head, this.#token);
  }
}
