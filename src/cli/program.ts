/** All commands in one program: whatever happens, it ends with an exit code and one clear line, never with a stray exception. */
import { Command } from 'commander';
import { addConfig } from './config.ts';
import { addConsume } from './consume.ts';
import { addDeadLetters } from './dlq.ts';
import { addDemo } from './demo.ts';
import { addDocs } from './docs.ts';
import { addEmbedded } from './embedded.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { addGenerate } from './generate.ts';
import { addIngest } from './ingest.ts';
import { addNotYet } from './not-yet.ts';
import { addReplay } from './replay.ts';
import { version } from '../config/version.ts';

const EXAMPLES = `Examples:
  millrace generate --count 1000000 --duplicates 2% > events.ndjson
  millrace ingest events.ndjson --id /id
  millrace ingest events.ndjson --to nats+jetstream://127.0.0.1:4222/EVENTS --subject 'events.{type}'
  millrace consume --from embedded:.millrace --count 10
`;

/** Runs one command line, given without node and script, and gives its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = exitCodes.ok;
  const program = makeProgram((ended) => (code = ended));
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitCodes.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return reportFailure(error, args.includes('--verbose'));
  }
}

function makeProgram(done: (code: number) => void): Command {
  const program = new Command('millrace')
    .description('Heavy event ingest into embedded store, NATS, JetStream and Kafka.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText('before', EXAMPLES)
    .addHelpText(
      'after',
      '\nmillrace COMMAND --help shows examples and options of a command. Exit codes: 0 all settled, 1 usage, 2 some events rejected or failed,\n3 broker unreachable, 4 source unreadable, 5 stopped before all was settled, 130 and 143 drained after a signal.',
    )
    .helpCommand('help [command]', 'help of a command')
    .exitOverride()
    // Errors are printed by reportFailure, in one form with all others.
    .configureOutput({ outputError: () => {} });
  for (const add of [addIngest, addConsume, addReplay, addDeadLetters, addEmbedded, addGenerate, addConfig, addDemo, addDocs])
    add(program, done);
  addNotYet(program);
  return program;
}
