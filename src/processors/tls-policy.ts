/** When a connection must be encrypted, and with what: credentials never leave the machine in plain text unless `tls=off` says so. */
import { readFileSync } from 'node:fs';
import { MillraceError, messageOf } from '../api/errors.ts';
import type { ConnectionOptions } from '../config/resolved.ts';

export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized?: boolean;
}

/** Undefined: plain text, unless the server refuses that. What the user should know goes to `warnings`. */
export function tlsPolicy(options: ConnectionOptions, servers: readonly string[], warnings: string[]): TlsFiles | undefined {
  const { tls, ca, cert, key, insecure, user, token, nkey, creds } = options;
  const remote = !servers.every(isLoopback);
  const credentials = user !== '' || token !== '' || nkey !== '' || creds !== '';
  if (tls === 'off') {
    if (remote && credentials) warnings.push('credentials are sent in plain text (tls=off)');
    return undefined;
  }
  if (insecure) warnings.push('insecure: any certificate of the server is accepted');
  const files = { ...read('ca', ca), ...read('cert', cert), ...read('key', key) };
  if (tls === 'auto' && Object.keys(files).length === 0 && !insecure && !(remote && credentials)) {
    if (remote) warnings.push('plain text is used if the server does not ask for TLS; tls=require forbids it');
    return undefined;
  }
  return { ...files, ...(insecure ? { rejectUnauthorized: false } : {}) };
}

function read(option: 'ca' | 'cert' | 'key', path: string): TlsFiles {
  if (path === '') return {};
  try {
    return { [option]: readFileSync(path) };
  } catch (error) {
    throw new MillraceError('MILLRACE_TLS', `${path} cannot be read: ${messageOf(error)}`, { context: { file: path, option } });
  }
}

/** `host:port`, `[::1]:port`, or a bare host. */
function isLoopback(server: string): boolean {
  const host = server
    .replace(/^[a-z+]+:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
