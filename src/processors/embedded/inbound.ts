/** The one message object of a reader, a view of the record LMDB last gave; nothing is copied or parsed that is not asked for. */
import type { Headers } from '../../api/event.ts';
import type { InboundMessage } from '../broker.ts';
import type { Claim } from './consumer-state.ts';
import { findHeader, parseHeaderBlock } from './header-block.ts';
import type { RecordView } from './record.ts';

const NO_HEADERS: Headers = Object.freeze(Object.create(null) as Record<string, string>);

export class Inbound implements InboundMessage {
  readonly #view: RecordView;
  #headers: Headers | null = null;
  #claim: Claim = { sequence: 0, deliveries: 0, settled: false };

  constructor(view: RecordView) {
    this.#view = view;
  }

  /** The view has been read for this claim. */
  set(claim: Claim): this {
    this.#claim = claim;
    this.#headers = null;
    return this;
  }

  get subject(): string {
    return this.#view.subject();
  }

  get payload(): Uint8Array {
    return this.#view.payload();
  }

  get sequence(): number {
    return this.#claim.sequence;
  }

  get timeMs(): number {
    return this.#view.timeMs;
  }

  get redeliveries(): number {
    return this.#claim.deliveries - 1;
  }

  get handle(): unknown {
    return this.#claim;
  }

  header(name: string): string | undefined {
    return findHeader(this.headers(), name);
  }

  headers(): Headers {
    const { headersStart, payloadStart } = this.#view;
    if (headersStart === payloadStart) return NO_HEADERS;
    return (this.#headers ??= parseHeaderBlock(this.#view.headerBlock()));
  }
}
