/** A broker in memory whose every answer a schedule decides: acks, refusals, doubt, disconnects, and (planted) lies. */
import { MillraceError } from '../../../src/api/errors.ts';
import type { Capabilities, ProcessorKind } from '../../../src/api/capabilities.ts';
import { decodePayload } from '../../../src/codec/decode.ts';
import type { Broker, BrokerHealth, BrokerLimits, BrokerReader, OutboundMessage, PublishListener } from '../../../src/processors/broker.ts';

/**
 * `stored-unknown`: stored, and the answer is lost. `lost-unknown`: neither. `cut`: the connection breaks before this message, what is in flight is in doubt.
 * `lie`, `twice`, `alter`: planted faults: acked and not stored, stored twice, stored with other bytes.
 */
export type Answer = 'ack' | 'too-large' | 'never' | 'later' | 'stored-unknown' | 'lost-unknown' | 'cut' | 'lie' | 'twice' | 'alter';

export interface Step {
  readonly answer: Answer;
  /** Turns of the event loop until it is given. */
  readonly turns: number;
}

export interface Stored {
  readonly subject: string;
  readonly messageId: string | null;
  readonly events: readonly unknown[];
  readonly ids: readonly (string | null)[];
}

export interface FakeBrokerOptions {
  /** Used one after the other, from the start again when they end; `ack` at once when empty. */
  readonly steps: readonly Step[];
  /** Faults stop after so many answers, so that every run can end. */
  readonly faultsMax?: number;
  readonly inFlightMax?: number;
  readonly messageBytesMax?: number;
  /** After so many messages `messageBytesMax` is `bytes`, and what is larger is refused. */
  readonly shrinks?: { readonly after: number; readonly bytes: number };
  readonly resends?: boolean;
  readonly kind?: ProcessorKind;
}

interface Flight {
  readonly token: number;
  readonly message: Stored;
  readonly step: Step;
  turns: number;
  /** What storing it said; null = it is still on its way. Messages arrive in the order they were sent, whenever they are answered. */
  result: { readonly sequence: number; readonly duplicate: boolean } | null;
}

export class FakeBroker implements Broker {
  readonly kind: ProcessorKind;
  readonly capabilities: Capabilities = {
    persistent: true,
    ordered: true,
    durable: false,
    replay: false,
    dedupe: true,
    queueGroups: false,
    acks: false,
    nak: false,
    term: false,
    working: false,
    headers: true,
    wildcards: true,
    sequences: true,
  };
  readonly path = 'fake';
  readonly stream = 'FAKE';
  readonly resends: boolean;
  readonly stored: Stored[] = [];
  /** Answers given, by kind: a fault test asserts that its fault happened. */
  readonly given: Map<Answer, number> = new Map();
  messageBytesMax: number;
  #listener!: PublishListener;
  #flights: Flight[] = [];
  #asked = 0;
  #starved = false;
  #downTurns = 0;
  #closed = false;
  #ticking = false;
  readonly #known: Map<string, number> = new Map();
  readonly #options: FakeBrokerOptions;

  constructor(options: FakeBrokerOptions) {
    this.#options = options;
    this.kind = options.kind ?? 'jetstream';
    this.resends = options.resends ?? true;
    this.messageBytesMax = options.messageBytesMax ?? 1_048_576;
  }

  async open(listener: PublishListener): Promise<void> {
    this.#listener = listener;
    listener.state('open');
  }

  limits(): BrokerLimits {
    return { messageBytesMax: this.messageBytesMax };
  }

  async prepare(): Promise<void> {
    // There is no stream to make.
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    if (this.#closed) return false;
    if (this.#flights.some((flight) => flight.token === token)) throw new Error(`token ${token} is in flight already`);
    if (this.#downTurns > 0 || this.#flights.length >= (this.#options.inFlightMax ?? 8)) {
      this.#starved = true;
      this.#tick();
      return false;
    }
    const { shrinks } = this.#options;
    if (shrinks !== undefined && this.#asked >= shrinks.after) this.messageBytesMax = shrinks.bytes;
    const step = message.end - message.start > this.messageBytesMax ? TOO_LARGE : this.#nextStep();
    this.given.set(step.answer, (this.given.get(step.answer) ?? 0) + 1);
    if (step.answer === 'cut') {
      this.#starved = true;
      this.#downTurns = 1 + step.turns;
      this.#tick();
      return false;
    }
    this.#flights.push({ token, message: copyOf(message), step, turns: step.turns, result: null });
    this.#tick();
    return true;
  }

  async consume(): Promise<BrokerReader> {
    throw new Error('nothing to read');
  }

  async lastSequence(): Promise<number> {
    return this.stored.length;
  }

  async health(): Promise<BrokerHealth> {
    return { rttMs: 0, server: 'fake', reasons: [] };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { token } of this.#flights.splice(0)) this.#listener.unknown(token, unknownError());
  }

  #nextStep(): Step {
    const { steps, faultsMax = Number.POSITIVE_INFINITY } = this.#options;
    const step = steps.length === 0 || this.#asked >= faultsMax ? ACK : steps[this.#asked % steps.length]!;
    this.#asked += 1;
    return step;
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    setImmediate(() => {
      this.#ticking = false;
      this.#turn();
      if (!this.#closed && (this.#flights.length > 0 || this.#starved)) this.#tick();
    });
  }

  #turn(): void {
    if (this.#closed) return;
    if (this.#downTurns > 0) {
      this.#breakConnection();
      return;
    }
    for (const flight of this.#flights) this.#arrive(flight);
    const due = this.#flights.filter((flight) => flight.turns-- <= 0);
    this.#flights = this.#flights.filter((flight) => !due.includes(flight));
    for (const flight of due) this.#answer(flight);
    if (this.#starved && this.#flights.length < (this.#options.inFlightMax ?? 8)) {
      this.#starved = false;
      this.#listener.writable();
    }
  }

  /** A connection carries bytes in order: of what was in flight a first part was stored, the rest was not. */
  #breakConnection(): void {
    const flights = this.#flights.splice(0);
    if (flights.length > 0) this.#listener.state('reconnecting');
    for (const [index, flight] of flights.entries()) if (index * 2 < flights.length) this.#arrive(flight);
    for (const { token } of flights) this.#listener.unknown(token, unknownError());
    this.#downTurns -= 1;
    if (this.#downTurns > 0) return;
    this.#starved = false;
    this.#listener.state('open');
    this.#listener.writable();
  }

  #arrive(flight: Flight): void {
    const { message, step } = flight;
    if (
      flight.result !== null ||
      step.answer === 'too-large' ||
      step.answer === 'never' ||
      step.answer === 'later' ||
      step.answer === 'lost-unknown'
    )
      return;
    if (step.answer === 'lie') flight.result = { sequence: this.stored.length + 1, duplicate: false };
    else
      flight.result = this.#store(
        step.answer === 'alter' ? { ...message, events: message.events.map(() => ({ altered: true })) } : message,
      );
    if (step.answer === 'twice') this.stored.push(message);
  }

  #answer({ token, step: { answer }, result }: Flight): void {
    if (answer === 'too-large') this.#listener.failed(token, new MillraceError('MILLRACE_EVENT_TOO_LARGE', 'larger than the limit'));
    else if (answer === 'never' || answer === 'later') {
      this.#listener.failed(
        token,
        new MillraceError(answer === 'never' ? 'MILLRACE_BROKER' : 'MILLRACE_BROKER_BUSY', `refused: ${answer}`),
      );
    } else if (answer === 'stored-unknown' || result === null) this.#listener.unknown(token, timeoutError());
    else this.#listener.acked(token, result.sequence, result.duplicate);
  }

  #store(message: Stored): { readonly sequence: number; readonly duplicate: boolean } {
    const known = message.messageId === null ? undefined : this.#known.get(message.messageId);
    if (known !== undefined) return { sequence: known, duplicate: true };
    this.stored.push(message);
    if (message.messageId !== null) this.#known.set(message.messageId, this.stored.length);
    return { sequence: this.stored.length, duplicate: false };
  }
}

const TOO_LARGE: Step = { answer: 'too-large', turns: 0 };
const ACK: Step = { answer: 'ack', turns: 0 };

function unknownError(): MillraceError {
  return new MillraceError('MILLRACE_PUBLISH_UNKNOWN', 'the connection ended', { outcome: 'unknown' });
}

function timeoutError(): MillraceError {
  return new MillraceError('MILLRACE_PUBLISH_TIMEOUT', 'no answer', { outcome: 'unknown' });
}

/** Reads the message while its bytes are valid, as a broker's wire would. */
function copyOf({ subject, memory, start, payloadStart, end }: OutboundMessage): Stored {
  const block = Buffer.from(memory.slice(start, payloadStart)).toString();
  const lines = block.split('\r\n').slice(1, -2);
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(': ')).toLowerCase(), line.slice(line.indexOf(': ') + 2)]));
  const header = (name: string): string | undefined => headers.get(name.toLowerCase());
  const decoded = decodePayload(memory.slice(payloadStart, end), header);
  const messageId = header('Nats-Msg-Id') ?? null;
  if (decoded.form === 'single') return { subject, messageId, events: [decoded.event], ids: [messageId] };
  if (decoded.form === 'envelope')
    return { subject, messageId, events: decoded.items.map((item) => item.event), ids: decoded.items.map((item) => item.id) };
  return { subject, messageId, events: [...decoded.events], ids: decoded.events.map(() => null) };
}
