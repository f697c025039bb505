/** Takes messages into the open group while credit lasts; the memory of groups that have landed is used again. */
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { OutboundMessage } from '../broker.ts';
import { Group, recordBytesMax } from './group.ts';

const FREE_GROUPS_MAX = 5;

export type CreditLimits = Pick<ResolvedOptions, 'maxInFlightBytes' | 'maxInFlightMessages'>;

export class Intake {
  readonly #limits: CreditLimits;
  readonly #free: Group[] = [];
  #open: Group | null = null;
  #bytes = 0;
  #messages = 0;
  #timeMs: number;

  /** `lastTimeMs`: newest time stored. Times never go back, so that a search by time can be binary. */
  constructor(limits: CreditLimits, lastTimeMs: number) {
    this.#limits = limits;
    this.#timeMs = lastTimeMs;
  }

  get open(): Group | null {
    return this.#open;
  }

  /** One message is always let in, or one larger than the whole credit would wait for ever. */
  hasCredit(message: OutboundMessage): boolean {
    if (this.#messages === 0) return true;
    return this.#messages < this.#limits.maxInFlightMessages && this.#bytes + recordBytesMax(message) <= this.#limits.maxInFlightBytes;
  }

  /** False = the open group must be taken first. */
  fits(message: OutboundMessage): boolean {
    return this.#open === null || this.#open.fits(recordBytesMax(message));
  }

  /** Hot path; only what has credit and fits. */
  add(message: OutboundMessage, token: number): void {
    this.#open ??= this.#emptyGroup(recordBytesMax(message));
    const now = Date.now();
    if (now > this.#timeMs) this.#timeMs = now;
    this.#bytes += this.#open.add(message, token, this.#timeMs);
    this.#messages++;
  }

  #emptyGroup(bytes: number): Group {
    const free = this.#free.at(-1);
    return free?.fits(bytes) ? this.#free.pop()! : new Group(bytes);
  }

  /** The open group, which is now someone else's. */
  take(): Group | null {
    const group = this.#open;
    this.#open = null;
    return group;
  }

  returnCredit(group: Group): void {
    this.#bytes -= group.bytes;
    this.#messages -= group.count;
  }

  /** LMDB is done with its memory. */
  recycle(group: Group): void {
    if (!group.recyclable || this.#free.length === FREE_GROUPS_MAX) return;
    group.reset();
    this.#free.push(group);
  }
}
