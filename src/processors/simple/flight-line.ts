/** What one connection has written and the server has not confirmed, oldest first: typed arrays, no object per message. */

/** The token of a message whose outcome was reported before its turn. */
const SETTLED = -1;

export class FlightLine {
  readonly #mask: number;
  readonly #token: Float64Array;
  readonly #bytes: Float64Array;
  readonly #sentAtMs: Float64Array;
  readonly #flush: Float64Array;
  readonly #subject: string[];
  /** Positions only grow; the slot of a position is its low bits. */
  #head = 0;
  #end = 0;

  constructor(messagesMax: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(2, messagesMax)));
    this.#mask = capacity - 1;
    this.#token = new Float64Array(capacity);
    this.#bytes = new Float64Array(capacity);
    this.#sentAtMs = new Float64Array(capacity);
    this.#flush = new Float64Array(capacity);
    this.#subject = new Array<string>(capacity).fill('');
  }

  /** Position of the oldest. */
  get head(): number {
    return this.#head;
  }

  /** Position after the newest. */
  get end(): number {
    return this.#end;
  }

  get full(): boolean {
    return this.#end - this.#head > this.#mask;
  }

  push(token: number, bytes: number, subject: string): number {
    const slot = this.#end & this.#mask;
    this.#token[slot] = token;
    this.#bytes[slot] = bytes;
    this.#subject[slot] = subject;
    return this.#end++;
  }

  sent(position: number, nowMs: number, flush: number): void {
    this.#sentAtMs[position & this.#mask] = nowMs;
    this.#flush[position & this.#mask] = flush;
  }

  /** Takes the oldest away. */
  shift(): void {
    this.#subject[this.#head & this.#mask] = '';
    this.#head++;
  }

  /** Its outcome is reported now; it stays in line until its turn. */
  settle(position: number): void {
    this.#token[position & this.#mask] = SETTLED;
  }

  settled(position: number): boolean {
    return this.#token[position & this.#mask] === SETTLED;
  }

  token(position: number): number {
    return this.#token[position & this.#mask]!;
  }

  bytes(position: number): number {
    return this.#bytes[position & this.#mask]!;
  }

  subject(position: number): string {
    return this.#subject[position & this.#mask]!;
  }

  sentAtMs(position: number): number {
    return this.#sentAtMs[position & this.#mask]!;
  }

  /** Number of the flush that carries it. */
  flush(position: number): number {
    return this.#flush[position & this.#mask]!;
  }
}
