/**
 * The parts of the NATS Streaming client that are used, and the one place that loads it: it brings a second, old NATS client, so it is
 * loaded only when a `stan:` URL asks for it.
 */
import { MillraceError, messageOf } from '../../api/errors.ts';

/** An error object, or the text the server answered with. */
export type StanFault = Error | string | undefined;

export interface StanMessage {
  getSequence(): number;
  getSubject(): string;
  getRawData(): Buffer;
  getTimestampRaw(): number;
  isRedelivered(): boolean;
  getRedeliveryCount(): number;
  ack(): void;
}

export interface StanSubscription {
  on(event: 'ready' | 'closed' | 'unsubscribed', listener: () => void): this;
  on(event: 'message', listener: (message: StanMessage) => void): this;
  on(event: 'error' | 'timeout', listener: (fault: StanFault) => void): this;
  close(): void;
  unsubscribe(): void;
}

export interface StanSubscriptionOptions {
  setMaxInFlight(messages: number): this;
  setAckWait(ms: number): this;
  setManualAckMode(manual: boolean): this;
  setDurableName(name: string): this;
  setDeliverAllAvailable(): this;
  setStartWithLastReceived(): this;
  setStartAtSequence(sequence: number): this;
  setStartAtTimeDelta(ms: number): this;
}

export interface StanClient {
  on(event: 'connect' | 'close' | 'disconnect', listener: () => void): this;
  on(event: 'error' | 'connection_lost' | 'permission_error', listener: (fault: StanFault) => void): this;
  publish(channel: string, data: Uint8Array, answered: (fault: StanFault) => void): string;
  subscribe(channel: string, options: StanSubscriptionOptions): StanSubscription;
  subscribe(channel: string, queue: string, options: StanSubscriptionOptions): StanSubscription;
  subscriptionOptions(): StanSubscriptionOptions;
  close(): void;
  /** The library's own way out. Closing only the NATS client below leaves a ping timer behind that throws into nowhere. */
  closeWithError(event: 'connection_lost', fault: Error): void;
  /** The NATS client below; absent once closed. */
  readonly nc?: {
    readonly info?: { readonly max_payload?: number; readonly version?: string } | null;
    flush(done: (fault?: unknown) => void): void;
  };
}

export interface StanLibrary {
  connect(cluster: string, clientId: string, options: Readonly<Record<string, unknown>>): StanClient;
}

export async function loadStanLibrary(load: () => Promise<unknown> = () => import('node-nats-streaming')): Promise<StanLibrary> {
  try {
    const loaded = (await load()) as { readonly default?: StanLibrary } & StanLibrary;
    return loaded.default ?? loaded;
  } catch (error) {
    throw new MillraceError(
      'MILLRACE_MISSING_PACKAGE',
      'stan: URLs need the package node-nats-streaming: npm install node-nats-streaming',
      {
        cause: error,
        context: { processor: 'streaming', package: 'node-nats-streaming' },
      },
    );
  }
}

export const faultText = (fault: unknown): string => (fault === undefined ? '' : messageOf(fault));
