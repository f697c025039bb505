/** A certificate authority made for a test, and one certificate of it for 127.0.0.1. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Paths of PEM files in `folder`. */
export function certificates(folder: string, name: string): Certificates {
  const openssl = (command: string): void => void execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'ignore' });
  const fresh = 'req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  openssl(`${fresh} -x509 -keyout ${name}-ca.key -out ${name}-ca.pem -days 2 -subj /CN=test`);
  openssl(`${fresh} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
  writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=IP:127.0.0.1\n');
  const ca = `-CA ${name}-ca.pem -CAkey ${name}-ca.key -CAcreateserial`;
  openssl(`x509 -req -in ${name}.csr ${ca} -out ${name}.pem -days 2 -extfile ${name}.ext`);
  return { ca: join(folder, `${name}-ca.pem`), cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}
