/** What the suite must be told about a kind: how its broker is started, how it is addressed, and the few figures that differ. */
import type { ConnectOptions, EventProcessor, ProcessorKind } from '../../src/index.ts';
import type { ServerName } from '../harness/server-table.ts';

/** A running broker. */
export interface Place {
  /** URL of a stream, topic, store or space of subjects of this name, which nobody else uses. */
  url(name: string): string;
  /** Ends the broker, unasked, and starts it again on what it has stored. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface Setup {
  readonly kind: ProcessorKind;
  /** Null: there is nothing to start. */
  readonly server: ServerName | null;
  start(): Promise<Place>;
  /** An event of so many bytes is refused. */
  readonly eventBytesOver: number;
  /** Subjects one processor is tried with. */
  readonly subjects: number;
  /** Tried with them apart, where so many would hinder the broker of the other promises. */
  readonly startForSubjects?: () => Promise<Place>;
  /** Into how many parts a place must be cut so that a group can share it at all. */
  readonly partitions?: number;
  /** In place of `connect`: a broker with a planted fault. */
  readonly open?: (url: string, options: ConnectOptions) => Promise<EventProcessor>;
}
