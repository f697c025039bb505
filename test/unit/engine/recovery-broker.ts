/** A `dedupe` broker in memory that keeps messages as bytes, reads them back, checks the expected sequence, and answers the first publishes as it is told. */
import { MillraceError } from '../../../src/api/errors.ts';
import type { Headers } from '../../../src/api/event.ts';
import { decodePayload } from '../../../src/codec/decode.ts';
import type { InboundMessage, OutboundMessage, ReadBackRequest } from '../../../src/processors/broker.ts';
import { FakeBroker } from './fake-broker.ts';

export interface Kept {
  readonly subject: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Uint8Array;
}

/** What becomes of a publish; `moved`: others store something first. */
export type Deed = 'ack' | 'stored-unknown' | 'lost-unknown' | 'later' | 'never' | 'moved';

export class RecoveryBroker extends FakeBroker {
  readonly kept: Kept[] = [];
  readonly expected: number[] = [];
  readBacks = 0;
  /** Called when others are to move the stream. */
  intrude: () => void = () => undefined;
  /** After so many messages no larger ones than `bytes` are taken. */
  shrinks: { readonly after: number; readonly bytes: number } | null = null;
  tooLarge = 0;
  readonly #deeds: Deed[];
  #tell: Parameters<FakeBroker['open']>[0] | null = null;

  constructor(kept: readonly Kept[] = [], deeds: readonly Deed[] = []) {
    super({ steps: [], kind: 'dedupe' });
    this.kept.push(...kept);
    this.#deeds = [...deeds];
  }

  override async open(listener: Parameters<FakeBroker['open']>[0]): Promise<void> {
    this.#tell = listener;
    await super.open(listener);
  }

  override tryPublish(message: OutboundMessage, token: number): boolean {
    if (this.shrinks !== null && this.expected.length >= this.shrinks.after) this.messageBytesMax = this.shrinks.bytes;
    if (message.end - message.start > this.messageBytesMax) {
      this.tooLarge += 1;
      setImmediate(() => this.#tell!.failed(token, new MillraceError('MILLRACE_EVENT_TOO_LARGE', 'larger than the limit')));
      return true;
    }
    const deed = this.#deeds.shift() ?? 'ack';
    const kept = keep(message);
    const { expectedSequence = -1 } = message;
    this.expected.push(expectedSequence);
    if (deed === 'moved') this.intrude();
    setImmediate(() => this.#answer(deed, kept, { token, expectedSequence }));
    return true;
  }

  async readBack({ fromSequence, headersOnly, message }: ReadBackRequest): Promise<number> {
    this.readBacks += 1;
    for (let sequence = fromSequence ?? 1; sequence <= this.kept.length; sequence += 1) {
      const { subject, headers, payload } = this.kept[sequence - 1]!;
      const header = (name: string): string | undefined => headers.get(name);
      const read: InboundMessage = {
        subject,
        payload: headersOnly ? new Uint8Array(0) : payload,
        sequence,
        timeMs: 0,
        redeliveries: 0,
        handle: null,
        header,
        headers: (): Headers => Object.fromEntries(headers),
      };
      message(read);
    }
    return this.kept.length;
  }

  #answer(deed: Deed, kept: Kept, { token, expectedSequence }: { token: number; expectedSequence: number }): void {
    const tell = this.#tell!;
    const id = kept.headers.get('Nats-Msg-Id');
    const known = this.kept.findIndex(({ headers }) => id !== undefined && headers.get('Nats-Msg-Id') === id);
    if (known >= 0) tell.acked(token, known + 1, true);
    else if (deed === 'lost-unknown') tell.unknown(token, new MillraceError('MILLRACE_PUBLISH_UNKNOWN', 'lost', { outcome: 'unknown' }));
    else if (deed === 'later' || deed === 'never')
      tell.failed(token, new MillraceError('MILLRACE_BROKER', deed, { retryable: deed === 'later' }));
    else if (expectedSequence >= 0 && expectedSequence !== this.kept.length) {
      tell.failed(token, new MillraceError('MILLRACE_BROKER', 'moved', { retryable: false, context: { brokerCode: 10_071 } }));
    } else {
      this.kept.push(kept);
      if (deed === 'stored-unknown') tell.unknown(token, new MillraceError('MILLRACE_PUBLISH_UNKNOWN', 'lost', { outcome: 'unknown' }));
      else tell.acked(token, this.kept.length, false);
    }
  }
}

function keep({ subject, memory, start, payloadStart, end }: OutboundMessage): Kept {
  const lines = Buffer.from(memory.slice(start, payloadStart)).toString().split('\r\n').slice(1, -2);
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
  return { subject, headers, payload: Uint8Array.from(memory.slice(payloadStart, end)) };
}

export function eventsOf({ headers, payload }: Kept): unknown[] {
  const decoded = decodePayload(payload, (name) => [...headers].find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]);
  if (decoded.form === 'single') return [decoded.event];
  return decoded.form === 'envelope' ? decoded.items.map(({ event }) => event) : [...decoded.events];
}
