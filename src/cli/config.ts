/** `millrace config`: every option as it would hold for a command run now, and where its value came from; secrets are hidden. */
import type { Command } from 'commander';
import { addCommon, readCommandLine } from './command-options.ts';
import { paint, printLine } from './output.ts';
import { columns } from './text.ts';

const EXAMPLES = `Examples:
  millrace config
  MILLRACE_WORKERS=4 millrace config --to 'nats+jetstream://127.0.0.1:4222/EVENTS?replicas=3'
  millrace config --config millrace.json --json
`;

export function addConfig(program: Command, done: (code: number) => void): void {
  const command = program
    .command('config')
    .summary('resolved configuration with the origin of each value')
    .description('Prints every option, its value and its origin (flag, url, env, file or default). It reaches no broker.')
    .addHelpText('before', EXAMPLES);
  addCommon(command, { address: 'to', call: null }).action(async () => {
    await printConfiguration(command);
    done(0);
  });
}

async function printConfiguration(command: Command): Promise<void> {
  const { resolution, json } = readCommandLine(command, { address: 'to', call: null });
  if (json) {
    await printLine(JSON.stringify(resolution.origins));
    return;
  }
  const rows = Object.entries(resolution.origins).map(([name, { value, origin, from }]) => [
    name,
    value === '' ? '-' : value,
    from.startsWith(origin) ? from : `${origin}: ${from}`,
  ]);
  const lines = columns([['option', 'value', 'origin'], ...rows]).split('\n');
  await printLine([paint(lines[0]!, 'bold', process.stdout), ...lines.slice(1)].join('\n'));
}
