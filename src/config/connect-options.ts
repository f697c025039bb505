/** What `connect(target, options)` was given becomes resolved options: this is the one way from the public call into the configuration. */
import { readConfigFile } from './file.ts';
import type { Resolution } from './resolve.ts';
import { resolveOptions } from './resolve.ts';
import type { ConnectOptions } from './table.ts';

/** Throws one MILLRACE_CONFIG with every fault. An empty target means: as environment, file or default say. */
export function resolveConnect(target: string, options: ConnectOptions = {}): Resolution {
  const { config, logger, env = process.env, ...named } = options;
  const path = config ?? env['MILLRACE_CONFIG'] ?? '';
  const file = path === '' ? null : readConfigFile(path);
  const resolution = resolveOptions({ target: target === '' ? undefined : target, options: named, env, file });
  return logger === undefined ? resolution : { ...resolution, options: { ...resolution.options, logger } };
}
