/**
 * NATS Streaming behind the broker interface, for what still runs on it: acked means that the server has stored the message. The product is
 * at its end of life; its protocol knows neither headers, negative acks nor ack extension, and the capabilities say so.
 */
import type { Capabilities } from '../../api/capabilities.ts';
import { MillraceError } from '../../api/errors.ts';
import { filterFault } from '../../api/subject-filter.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type {
  Broker,
  BrokerHealth,
  BrokerLimits,
  BrokerReader,
  ConsumeRequest,
  MessageReceiver,
  OutboundMessage,
  PublishListener,
} from '../broker.ts';
import { notSupported } from '../not-supported.ts';
import { publisherId, readerId } from './client-id.ts';
import { lastSequenceOf } from './last-sequence.ts';
import { StanLink } from './link.ts';
import { channelFault } from './publish-errors.ts';
import { ENVELOPE_BYTES, Publisher } from './publisher.ts';
import { StanReader } from './reader.ts';
import type { StanSession } from './session.ts';
import type { StanLibrary } from './stan-library.ts';
import { loadStanLibrary } from './stan-library.ts';
import { WRAPPER_BYTES_MAX } from './wrapper.ts';

export const streamingCapabilities: Capabilities = {
  persistent: true,
  ordered: true,
  durable: true,
  replay: true,
  dedupe: false,
  queueGroups: true,
  acks: true,
  nak: false,
  term: false,
  working: false,
  headers: false,
  wildcards: false,
  sequences: false,
};

const RTT_MS_MAX = 2_000;
/** Room left for the channel's name in the limit that batches are cut by; longer names are checked one by one. */
const CHANNEL_BYTES = 255;

export function createStreamingBroker(options: ResolvedOptions): Broker {
  return new StreamingBroker(options);
}

interface Opened {
  readonly library: StanLibrary;
  readonly link: StanLink;
  readonly publisher: Publisher;
  readonly listener: PublishListener;
}

class StreamingBroker implements Broker {
  readonly kind = 'streaming';
  readonly capabilities: Capabilities = streamingCapabilities;
  readonly path = 'stan';
  readonly stream: string;
  /** At least once: the server has no memory for ids, so a resend may be a second copy. */
  readonly resends = true;
  readonly #options: ResolvedOptions;
  readonly #clientId: string;
  readonly #readers = new Set<StanReader>();
  #opened: Opened | null = null;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.stream = options.stream;
    this.#clientId = publisherId(options.clientId, options.name);
  }

  async open(listener: PublishListener, signal?: AbortSignal): Promise<void> {
    const library = await loadStanLibrary();
    let publisher: Publisher | null = null;
    const link = new StanLink({
      library,
      options: this.#options,
      clientId: this.#clientId,
      listener: {
        up: () => {
          listener.state('open');
          publisher?.up();
        },
        down: (session) => {
          publisher?.down(session);
          if (this.#opened !== null) listener.state('reconnecting');
        },
        closed: (reason) => listener.state('closed', reason),
        forbidden: (text) => publisher?.forbidden(text),
        warning: (text) => listener.warning(text),
      },
    });
    publisher = new Publisher(link, this.#options, listener);
    await link.open(signal);
    this.#opened = { library, link, publisher, listener };
    listener.state('open');
  }

  limits(): BrokerLimits {
    const payloadBytesMax = this.#need().link.session?.payloadBytesMax ?? 0;
    if (payloadBytesMax > 0) this.#bytesMax = payloadBytesMax - ENVELOPE_BYTES - CHANNEL_BYTES - WRAPPER_BYTES_MAX;
    return { messageBytesMax: this.#bytesMax };
  }

  #bytesMax = 1_048_576 - ENVELOPE_BYTES - CHANNEL_BYTES - WRAPPER_BYTES_MAX;

  /** Channels are made by their first message. */
  async prepare(_subjects: readonly string[]): Promise<void> {
    this.#need();
  }

  tryPublish(message: OutboundMessage, token: number): boolean {
    return this.#opened !== null && this.#opened.publisher.tryPublish(message, token);
  }

  async consume(request: ConsumeRequest, receiver: MessageReceiver): Promise<BrokerReader> {
    const { library, listener } = this.#need();
    checkRequest(request);
    const clientId = readerId(this.#clientId, request, this.#options.name);
    const link = { library, options: this.#options, clientId };
    const reader = new StanReader({ link, request, receiver, warn: (text) => listener.warning(text) });
    await reader.open();
    this.#readers.add(reader);
    reader.onClose(() => this.#readers.delete(reader));
    return reader;
  }

  async lastSequence(filter: string): Promise<number> {
    checkChannel(filter);
    return lastSequenceOf(this.#live(), filter);
  }

  async health(): Promise<BrokerHealth> {
    const session = this.#opened?.link.session ?? null;
    if (session === null || !session.live) {
      const reason = this.#opened === null ? 'not open' : `no session with ${this.#options.servers.join(', ')}`;
      return { rttMs: null, server: null, reasons: [reason] };
    }
    const startMs = performance.now();
    const answered = await session.flush(RTT_MS_MAX);
    const server = `nats-streaming-server (nats-server ${session.serverVersion}) at ${session.server}`;
    if (!answered) return { rttMs: null, server, reasons: [`no answer to a ping within ${RTT_MS_MAX} ms`] };
    return { rttMs: performance.now() - startMs, server, reasons: [] };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    if (opened === null) return;
    await opened.link.close();
    opened.listener.state('closed');
  }

  #live(): StanSession {
    const { session } = this.#need().link;
    if (session === null || !session.live)
      throw new MillraceError('MILLRACE_CONNECT', 'there is no session just now', { context: { processor: 'streaming' } });
    return session;
  }

  #need(): Opened {
    if (this.#opened === null)
      throw new MillraceError('MILLRACE_CLOSED', 'the broker is not open', { context: { processor: 'streaming' } });
    return this.#opened;
  }
}

function checkRequest({ filter, durable, queue }: ConsumeRequest): void {
  checkChannel(filter);
  for (const [option, name] of [
    ['durable', durable],
    ['queue', queue],
  ] as const) {
    if (name.includes(':'))
      throw new MillraceError('MILLRACE_USAGE', `option ${option}: NATS Streaming takes no ':' in '${name}'`, { context: { option } });
  }
}

function checkChannel(filter: string): void {
  const fault = filterFault(filter);
  if (fault !== null)
    throw new MillraceError('MILLRACE_SUBJECT_INVALID', `'${filter}' is not a channel: ${fault}`, { context: { subject: filter } });
  const unnamable = channelFault(filter);
  if (unnamable !== null) throw unnamable;
  if (/[*>]/.test(filter)) throw notSupported('streaming', `read '${filter}': its channels have no wildcards, name one`, 'wildcards');
}
