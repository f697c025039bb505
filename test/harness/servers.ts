/** `npm run servers`: gets every server the tests use and says where each came from. */
import { resolveServer } from './resolve-server.ts';
import { serverTable } from './server-table.ts';

let absent = 0;
const url = process.env['MILLRACE_TEST_NATS_URL'] ?? '';
if (url !== '')
  process.stdout.write(
    `nats-server            running at the address in MILLRACE_TEST_NATS_URL (suites that stop and start a server still use a binary)\n`,
  );
for (const { name, pinned } of serverTable) {
  const started = Date.now();
  const found = resolveServer(name, { install: true });
  const seconds = ((Date.now() - started) / 1_000).toFixed(1);
  if (found.path === null) absent++;
  const said =
    found.path === null
      ? `absent: ${found.reason}`
      : `from ${found.from}: ${found.path}${found.from === 'registry' ? ` (${pinned}, ${seconds} s)` : ''}`;
  process.stdout.write(`${name.padEnd(22)} ${said}\n`);
}
if (absent > 0 && process.env['CI'] === 'true') process.exitCode = 1;
