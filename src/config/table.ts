/** The one table of options: library types, env names, flags, help, defaults and docs all come from these rows, so they cannot drift apart. */
import type { Logger } from './resolved.ts';
import { consumeRows, ingestRows } from './command-rows.ts';
import { connectionRows } from './connection-rows.ts';
import { deliveryRows } from './delivery-rows.ts';
import { pipelineRows } from './pipeline-rows.ts';
import type { OptionInput, OptionRow, Rows } from './rows.ts';
import { streamRows } from './stream-rows.ts';
import { targetRows } from './target-rows.ts';

type ConnectTable = typeof targetRows & typeof connectionRows & typeof streamRows & typeof pipelineRows & typeof deliveryRows;

/** The name of an option of `connect`. */
export type ConnectOptionName = keyof ConnectTable;

/** Options of `connect`; docs/configuration.md says what each means. Times are milliseconds or `'5s'`, sizes bytes or `'64MiB'`. */
export type ConnectOptions = { readonly [Name in ConnectOptionName]?: OptionInput<ConnectTable[Name]> | undefined } & {
  /** The same option as `dedupeWindow`. */
  readonly window?: number | string | undefined;
  /** The same option as `stream`, in Kafka's word. */
  readonly topic?: string | undefined;
  /** The same option as `stream`, in NATS Streaming's word. */
  readonly cluster?: string | undefined;
  /** Path of a JSON file of options; it ranks below the environment. */
  readonly config?: string | undefined;
  /** Takes log records; pino fits. Default: silent. */
  readonly logger?: Logger | undefined;
  /** Everything but the broker: nothing is connected to, and nothing is stored. Default: false. */
  readonly dryRun?: boolean | undefined;
  /** Ends the first connect. */
  readonly signal?: AbortSignal | undefined;
  /** Environment to read `MILLRACE_*` from. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
};

export type CallName = 'ingest' | 'consume';

/** The rows in groups, in the order the docs show them. */
export const connectGroups: readonly { readonly title: string; readonly rows: Rows }[] = [
  { title: 'Target', rows: targetRows },
  { title: 'Connection', rows: connectionRows },
  { title: 'Stream and window', rows: streamRows },
  { title: 'Pipeline', rows: pipelineRows },
  { title: 'Delivery', rows: deliveryRows },
];

export const connectRows: Readonly<Record<ConnectOptionName, OptionRow>> = {
  ...targetRows,
  ...connectionRows,
  ...streamRows,
  ...pipelineRows,
  ...deliveryRows,
};

export const callRows: Readonly<Record<CallName, Rows>> = { ingest: ingestRows, consume: consumeRows };

/** Every name an option goes by → the option's own name. */
export function namesOf(rows: Rows): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, row] of Object.entries(rows)) {
    names.set(name, name);
    for (const alias of row.aliases ?? []) names.set(alias, name);
  }
  return names;
}
