/** What a configuration is resolved from. */
import type { Environment } from './environment.ts';
import type { ConfigFile } from './file.ts';
import type { CallName } from './table.ts';

export interface ResolveRequest {
  /** URL or kind name; undefined = from environment, file or default. */
  readonly target?: string | undefined;
  /** By any name of an option; with `call`, also the call's. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** How messages name these options. Default `option`. */
  readonly source?: 'flag' | 'option';
  readonly env?: Environment;
  readonly file?: ConfigFile | null;
  /** `from`: the target is read from; messages and variables say so. Default `to`. */
  readonly address?: 'to' | 'from';
  /** Resolve the options of this call too. */
  readonly call?: CallName;
}
