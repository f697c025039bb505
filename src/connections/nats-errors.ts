/** Turns what the NATS client throws while connecting into one of our codes, with every secret cut out of the text. */
import { MillraceError, messageOf } from '../api/errors.ts';
import type { ErrorCode } from '../api/error-codes.ts';
import type { ConnectionOptions } from '../config/resolved.ts';

type Secrets = Pick<ConnectionOptions, 'password' | 'token' | 'nkey'>;

const authCodes: ReadonlySet<string> = new Set([
  'AUTHORIZATION_VIOLATION',
  'AUTHENTICATION_EXPIRED',
  'AUTHENTICATION_TIMEOUT',
  'ACCOUNT_EXPIRED',
  'BAD_CREDS',
  'BAD_AUTHENTICATION',
]);

/** Is this the broker's word (or the client's, about the credentials) rather than the network's? */
export const isAuthCode = (code: string): boolean => authCodes.has(code);

/** The text without any of the secrets, also where they were percent-encoded in a URL. */
export function redact(text: string, secrets: Secrets): string {
  let redacted = text;
  for (const secret of [secrets.password, secrets.token, secrets.nkey]) {
    if (secret === '') continue;
    redacted = redacted.replaceAll(secret, '***').replaceAll(encodeURIComponent(secret), '***');
  }
  return redacted;
}

/** An error of the first connect. `servers` is named in each message: it is what the user can check. */
export function connectError(thrown: unknown, options: Secrets & { readonly servers: readonly string[] }): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const code = codeOf(thrown);
  const where = options.servers.join(', ');
  const said = redact(messageOf(thrown), options);
  const millraceCode = classify(code, said);
  const message: Record<string, string> = {
    MILLRACE_AUTH: `${where} refused the credentials: ${said}`,
    MILLRACE_TLS: `no secure connection to ${where}: ${tlsReason(code, said)}`,
    MILLRACE_CONNECT: `cannot reach a NATS server at ${where}: ${plainReason(code, said)}`,
  };
  // The cause may hold the options with their secrets: it stays out.
  return new MillraceError(millraceCode, message[millraceCode]!, { context: { servers: options.servers, reason: code } });
}

function classify(code: string, said: string): ErrorCode {
  if (isAuthCode(code)) return 'MILLRACE_AUTH';
  const tls =
    code === 'TLS' || code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code.startsWith('CERT_') || certificateCodes.has(code);
  return tls || (code === 'SERVER_OPTION_NA' && said.includes('tls')) || certificateText.test(said) ? 'MILLRACE_TLS' : 'MILLRACE_CONNECT';
}

const certificateCodes: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'HOSTNAME_MISMATCH',
  'EPROTO',
]);
const certificateText = /certificate|\bssl\b|\btls\b/i;

const tlsReason = (code: string, said: string): string => (code === 'SERVER_OPTION_NA' ? 'the server does not offer TLS' : said);

function plainReason(code: string, said: string): string {
  if (code === 'CONNECTION_REFUSED') return 'connection refused';
  if (code === 'TIMEOUT' || code === 'CONNECTION_TIMEOUT') return 'no answer in time';
  return said === '' ? code : said;
}

/** The library's errors nest what Node reported; the innermost code says most. */
export function codeOf(thrown: unknown): string {
  const { code, chainedError } = (thrown ?? {}) as { code?: unknown; chainedError?: unknown };
  const own = typeof code === 'string' ? code : '';
  if (chainedError === undefined || own === 'CONNECTION_REFUSED' || isAuthCode(own)) return own;
  return codeOf(chainedError) || own;
}
