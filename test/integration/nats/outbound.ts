/** The engine's side of a broker, in small: messages in shared memory, outcomes by token, and resends where a test asks for them. */
import type { MillraceError } from '../../../src/api/errors.ts';
import type { Broker, OutboundMessage, PublishListener } from '../../../src/processors/broker.ts';
import { waitFor } from '../../harness/wait-for.ts';

export type Outcome =
  | { readonly kind: 'acked'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'failed' | 'unknown'; readonly error: MillraceError };

/** Builds the message a worker would have left in a slab; each in a shared memory of its own. */
export function outboundOf(subject: string, payload: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): OutboundMessage {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const block = Buffer.from(lines.length === 0 ? '' : `NATS/1.0\r\n${lines.join('')}\r\n`);
  const body = Buffer.from(payload);
  const before = 16; // Bytes of a neighbour: a reader of the wrong range would show them.
  const memory = new Uint8Array(new SharedArrayBuffer(before + block.length + body.length + before)).fill(0x23);
  memory.set(block, before);
  memory.set(body, before + block.length);
  return { subject, memory, start: before, payloadStart: before + block.length, end: before + block.length + body.length, count: 1 };
}

export class RecordingListener implements PublishListener {
  readonly outcomes: Map<number, Outcome> = new Map<number, Outcome>();
  readonly states: string[] = [];
  readonly reasons: MillraceError[] = [];
  readonly warnings: string[] = [];
  /** Tokens that got a second outcome: must stay empty. */
  readonly twice: number[] = [];
  /** Called with each outcome. */
  onOutcome: (token: number, outcome: Outcome) => void = () => undefined;
  onWritable: () => void = () => undefined;

  acked(token: number, sequence: number, duplicate: boolean): void {
    this.#record(token, { kind: 'acked', sequence, duplicate });
  }

  failed(token: number, error: MillraceError): void {
    this.#record(token, { kind: 'failed', error });
  }

  unknown(token: number, error: MillraceError): void {
    this.#record(token, { kind: 'unknown', error });
  }

  writable(): void {
    this.onWritable();
  }

  state(state: string, reason?: MillraceError): void {
    this.states.push(state);
    if (reason !== undefined) this.reasons.push(reason);
  }

  warning(message: string): void {
    this.warnings.push(message);
  }

  #record(token: number, outcome: Outcome): void {
    if (this.outcomes.has(token)) this.twice.push(token);
    this.outcomes.set(token, outcome);
    this.onOutcome(token, outcome);
  }
}

/** Publishes one message and waits for what becomes of it. */
export async function publishOne(broker: Broker, listener: RecordingListener, message: OutboundMessage): Promise<Outcome> {
  const token = nextToken++;
  await waitFor('credit', () => broker.tryPublish(message, token));
  return waitFor(`the outcome of ${message.subject}`, () => listener.outcomes.get(token));
}

let nextToken = 1_000_000;
