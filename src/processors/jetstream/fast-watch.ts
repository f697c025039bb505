/** Says when a broker has been silent for so long that it must be asked again, or that its connection must be cut. */
import type { NatsLink } from '../../connections/nats-link.ts';

/** A broker that answers nothing for so many publish timeouts, or a socket that takes nothing, is cut off. */
const SILENT_TIMEOUTS = 2;
const ASKS_PER_TIMEOUT = 3;

export class FastWatch {
  readonly #link: NatsLink;
  readonly #timeoutMs: number;
  #heardAtMs = 0;
  #asks = 0;

  constructor(link: NatsLink, timeoutMs: number) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
  }

  /** The broker has answered, or has nothing to answer. */
  heard(): void {
    this.#heardAtMs = performance.now();
    this.#asks = 0;
  }

  /** Called while an answer is awaited. `last`: it was asked for twice in vain. */
  judge(): 'wait' | 'ask' | 'last' | 'cut' {
    const nowMs = performance.now();
    const { writer } = this.#link;
    const silentMs = nowMs - this.#heardAtMs;
    const stuck = writer !== null && writer.waiting && nowMs - writer.progressAtMs > this.#timeoutMs * SILENT_TIMEOUTS;
    if (stuck || silentMs > this.#timeoutMs * SILENT_TIMEOUTS) return 'cut';
    if (silentMs <= (this.#timeoutMs / ASKS_PER_TIMEOUT) * (this.#asks + 1)) return 'wait';
    return ++this.#asks < ASKS_PER_TIMEOUT ? 'ask' : 'last';
  }
}
