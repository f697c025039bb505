/** What a processor promises; the conformance suite proves each promise that is declared. */

export const processorKinds = ['embedded', 'simple', 'jetstream', 'dedupe', 'streaming', 'kafka'] as const;

/** The name of an implementation of `EventProcessor`. */
export type ProcessorKind = (typeof processorKinds)[number];

/** Absent (false) means: asking for it is `MILLRACE_NOT_SUPPORTED`, whose message names the kinds that can. */
export interface Capabilities {
  /** Acknowledged events survive a restart of the broker (embedded: of the process). */
  readonly persistent: boolean;
  /** Events of one subject (or key) are stored and read in publish order. */
  readonly ordered: boolean;
  /** Subscriptions keep their position under a name. */
  readonly durable: boolean;
  /** History can be read again by sequence or time. */
  readonly replay: boolean;
  /** The broker or the store itself drops a second copy of a message id within the window. */
  readonly dedupe: boolean;
  /** Several readers can share the work of one name. */
  readonly queueGroups: boolean;
  /** A reader's ack is remembered by the broker. */
  readonly acks: boolean;
  /** `nak(delay)` brings the event again. */
  readonly nak: boolean;
  /** `term()` ends redelivery. */
  readonly term: boolean;
  /** `working()` extends the ack wait. */
  readonly working: boolean;
  /** Headers travel with the message as the broker's own. */
  readonly headers: boolean;
  /** Filters may hold the wildcards `*` and `>`. */
  readonly wildcards: boolean;
  /** A message's place in the broker is known: `Receipt.sequence`. */
  readonly sequences: boolean;
}
