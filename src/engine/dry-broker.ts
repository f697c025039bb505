/** The broker of a dry run: takes everything, acks everything, reaches nobody; so that all but the broker can be tried. */
import { MillraceError } from '../api/errors.ts';
import type { Capabilities, ProcessorKind } from '../api/capabilities.ts';
import type { Broker, BrokerHealth, BrokerLimits, BrokerReader, OutboundMessage, PublishListener } from '../processors/broker.ts';

const MESSAGE_BYTES_MAX = 1_024 * 1_024; // nats-server's default, so that a dry run refuses what a real one would.

export class DryBroker implements Broker {
  readonly kind: ProcessorKind;
  readonly capabilities: Capabilities = {
    persistent: false,
    ordered: true,
    durable: false,
    replay: false,
    dedupe: false,
    queueGroups: false,
    acks: false,
    nak: false,
    term: false,
    working: false,
    headers: true,
    wildcards: true,
    sequences: false,
  };
  readonly path = 'dry-run';
  readonly stream = null;
  readonly resends = true;
  #listener: PublishListener | null = null;
  #tokens: number[] = [];
  #sequence = 0;

  constructor(kind: ProcessorKind) {
    this.kind = kind;
  }

  async open(listener: PublishListener): Promise<void> {
    this.#listener = listener;
    listener.state('open');
  }

  limits(): BrokerLimits {
    return { messageBytesMax: MESSAGE_BYTES_MAX };
  }

  async prepare(): Promise<void> {
    // There is no stream to make.
  }

  tryPublish(_message: OutboundMessage, token: number): boolean {
    if (this.#tokens.length === 0) setImmediate(() => this.#ackAll());
    this.#tokens.push(token);
    return true;
  }

  async consume(): Promise<BrokerReader> {
    throw new MillraceError('MILLRACE_NOT_SUPPORTED', 'a dry run has nothing to read');
  }

  async lastSequence(): Promise<number> {
    return 0;
  }

  async health(): Promise<BrokerHealth> {
    return { rttMs: 0, server: 'dry run', reasons: [] };
  }

  async close(): Promise<void> {
    this.#ackAll();
  }

  #ackAll(): void {
    for (const token of this.#tokens.splice(0)) {
      this.#sequence += 1;
      this.#listener?.acked(token, this.#sequence, false);
    }
  }
}
