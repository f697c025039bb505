/**
 * Sends acks: those given while the connection is away go out after it is back, those sent just before it was lost go out again, and
 * `flush` says when the broker has read them all.
 */
import { MillraceError } from '../../api/errors.ts';
import { boundedFlush } from '../../connections/bounded-flush.ts';
import type { NatsLink } from '../../connections/nats-link.ts';
import { AckLines, BODY_BYTES_MAX } from './ack-lines.ts';

export { boundedFlush };

const CONFIRM_MS_MAX = 5_000;
const RETRY_MS = 50;
const WAITING_MAX = 65_536;

/** `reply` in latin1, byte for byte as it came. */
type Ack = { readonly reply: string; readonly body: Uint8Array };

export class AckSender {
  readonly #link: NatsLink;
  readonly #confirm: boolean;
  readonly #confirming = new Set<Promise<void>>();
  readonly #lines: AckLines;
  readonly #waiting: Ack[] = [];
  #unconfirmed = 0;
  #closed = false;

  constructor(link: NatsLink, options: { readonly confirm: boolean }) {
    this.#link = link;
    this.#confirm = options.confirm;
    this.#lines = new AckLines(link);
  }

  /** Straight from the bytes of a message's reply; false = not now, give its text. */
  trySendFrom(bytes: Uint8Array, start: number, end: number, body: Uint8Array): boolean {
    // oxlint-disable-line max-params -- one call for each message
    if (this.#confirm || !this.#link.up || this.#link.writer === null) return false;
    this.#lines.addFrom(bytes, start, end, body);
    return true;
  }

  /** `repeatable`: sent twice it means the same as once (an ack, not a nak). */
  send(reply: string, body: Uint8Array, repeatable: boolean): void {
    if (this.#confirm) return this.#sendConfirmed({ reply, body });
    if (this.#link.up) {
      if (repeatable && this.#link.writer !== null && body.length <= BODY_BYTES_MAX) this.#lines.add(reply, body);
      else this.#link.connection.publish(subjectOf(reply), body);
    }
    // Past the bound the broker delivers again after its ack wait, which is correct, only slower.
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ reply, body });
  }

  /** Progress is worth nothing later: it is not kept. */
  sendNow(reply: string, body: Uint8Array): void {
    if (this.#link.up) this.#link.connection.publish(subjectOf(reply), body);
  }

  up(): void {
    this.#lines.again();
    for (const { reply, body } of this.#waiting.splice(0)) this.#link.connection.publish(subjectOf(reply), body);
  }

  async flush(): Promise<void> {
    while (this.#confirming.size > 0) await Promise.all(this.#confirming);
    const unconfirmed = this.#unconfirmed;
    this.#unconfirmed = 0;
    if (unconfirmed > 0) {
      throw new MillraceError('MILLRACE_BROKER', `${unconfirmed} acks were not confirmed: their messages may come again`, {
        retryable: true,
      });
    }
    this.#lines.write();
    if (!this.#confirm) await boundedFlush(this.#link.connection);
  }

  close(): void {
    this.#closed = true;
  }

  #sendConfirmed(ack: Ack): void {
    const confirmed = this.#confirmOne(ack).finally(() => this.#confirming.delete(confirmed));
    this.#confirming.add(confirmed);
  }

  async #confirmOne({ reply, body }: Ack): Promise<void> {
    const endMs = performance.now() + CONFIRM_MS_MAX;
    while (performance.now() < endMs && !this.#closed) {
      try {
        if (this.#link.up) return void (await this.#link.connection.request(subjectOf(reply), body, { timeout: CONFIRM_MS_MAX / 2 }));
      } catch {
        // Timed out or nobody there: a second ack of the same message does no harm.
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    this.#unconfirmed++;
  }
}

const subjectOf = (reply: string): string => Buffer.from(reply, 'latin1').toString();
