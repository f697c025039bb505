/** What `publish` passes before it is taken: the stream is made or verified, ids that are stored already are known, and calls are taken in the order they were made. */
import { CallTurns } from './call-turns.ts';
import { OpenCalls } from './open-calls.ts';
import type { Parts } from './parts.ts';
import { Preparing } from './preparing.ts';
import type { PublishLane } from './publish-lane.ts';
import type { Recovery } from './recovery.ts';
import type { MillraceError } from '../api/errors.ts';
import type { PublishOptions, Receipt } from '../api/event.ts';

export interface GateParts {
  readonly lane: PublishLane;
  readonly recovery: Recovery;
}

export class PublishGate {
  readonly #parts: Parts;
  readonly #lane: PublishLane;
  readonly #recovery: Recovery;
  readonly #preparing: Preparing;
  readonly #entering: OpenCalls = new OpenCalls();
  readonly #turns: CallTurns = new CallTurns();

  constructor(parts: Parts, { lane, recovery }: GateParts) {
    this.#parts = parts;
    this.#lane = lane;
    this.#recovery = recovery;
    this.#preparing = new Preparing(parts.broker);
  }

  /** Hot path: no promise but the one that the caller gets. Throws, or rejects. */
  publish(subject: string, event: unknown, options: PublishOptions): Promise<Receipt> {
    const ready = this.#preparing.prepare(subject) === null && (options.id === undefined || this.#recovery.idsReady);
    if (ready && !this.#turns.busy) return this.#lane.publish(subject, event, options);
    const turn = this.#turns.enter(ready ? Promise.resolve() : this.#makeReady(subject, options.id));
    return this.#entering.during(turn).then((leave) => {
      try {
        return this.#lane.publish(subject, event, options);
      } finally {
        leave();
      }
    });
  }

  tryPublish(subject: string, event: unknown, options: PublishOptions): boolean {
    const preparing = this.#preparing.prepare(subject);
    preparing?.catch((error: unknown) => this.#parts.signals.emit('error', error as MillraceError));
    if (options.id !== undefined && !this.#recovery.idsReady) {
      void Promise.resolve(preparing)
        .then(() => this.#recovery.recover('hash'))
        .catch(() => undefined); // It has told.
      return false; // Not taken before it can be known whether it is stored already.
    }
    return this.#lane.tryPublish(subject, event, options);
  }

  /** Resolves when the calls made so far have got into the ring, or have failed. */
  async entered(): Promise<void> {
    await this.#entering.none();
    await this.#lane.entered();
  }

  async #makeReady(subject: string, id: string | undefined): Promise<void> {
    for (let wait = this.#preparing.prepare(subject); wait !== null; wait = this.#preparing.prepare(subject)) await wait;
    if (id !== undefined && !this.#recovery.idsReady) await this.#recovery.recover('hash');
  }
}
