/**
 * How many messages and bytes may be in flight: grows slowly while acks come quickly, shrinks when they do not, halves when told to slow
 * down. Whoever was turned away is told once when there is room again.
 */

export interface CreditLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** An ack slower than this shrinks the window. */
  readonly latencyMsMax: number;
}

/** The share of the configured limits that is in use, at least. */
const SHARE_MIN = 1 / 64;
const SHARE_STEP = 1 / 32;
const SHRINK = 0.75;
const HALF = 0.5;

export class CreditWindow {
  readonly #limits: CreditLimits;
  readonly #writable: () => void;
  /** A writer was turned away and not called since. */
  #starved = false;
  #share = 1;
  #messages = 0;
  #bytes = 0;
  #messagesNow: number;
  #bytesNow: number;
  /** Acks until the share may change again: one change per window, since those after it were sent under the old one. */
  #hold = 0;

  constructor(limits: CreditLimits, writable: () => void) {
    this.#limits = limits;
    this.#writable = writable;
    this.#messagesNow = limits.messagesMax;
    this.#bytesNow = limits.bytesMax;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** 1 = the configured limits. */
  get share(): number {
    return this.#share;
  }

  /** One message always fits, whatever its size: else it would wait for ever. */
  tryTake(bytes: number): boolean {
    if (this.#messages > 0 && (this.#messages >= this.#messagesNow || this.#bytes + bytes > this.#bytesNow)) return false;
    this.#messages++;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
    if (this.#hold > 0) this.#hold--;
  }

  /** Turns a writer away, for want of credit or of a connection: what `tryPublish` answers. */
  starve(): false {
    this.#starved = true;
    return false;
  }

  /** After credit came back. A quarter must be free: waking a writer for less would make small writes. */
  wake(): void {
    if (this.#starved && this.#messages * 4 <= this.#messagesNow * 3 && this.#bytes * 4 <= this.#bytesNow * 3) this.wakeNow();
  }

  /** Also with little credit free: what was missing was the connection. */
  wakeNow(): void {
    if (!this.#starved) return;
    this.#starved = false;
    this.#writable();
  }

  acked(latencyMs: number): void {
    if (this.#hold > 0) return;
    if (latencyMs > this.#limits.latencyMsMax) this.#change(this.#share * SHRINK);
    else if (this.#share < 1) this.#change(this.#share + SHARE_STEP);
  }

  /** The broker said that it has too much. */
  congested(): void {
    if (this.#hold === 0) this.#change(this.#share * HALF);
  }

  #change(share: number): void {
    this.#share = Math.min(1, Math.max(SHARE_MIN, share));
    this.#messagesNow = Math.max(1, Math.floor(this.#limits.messagesMax * this.#share));
    this.#bytesNow = Math.max(1, Math.floor(this.#limits.bytesMax * this.#share));
    this.#hold = this.#messages;
  }
}
