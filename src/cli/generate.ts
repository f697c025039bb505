/** `millrace generate`: sample events as NDJSON on stdout, as fast as the reader takes them. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { Faults } from '../config/faults.ts';
import { nearestName } from '../config/nearest.ts';
import { parseCount, parseShare } from '../config/units.ts';
import { textOption } from './command-options.ts';
import type { GenerateOptions } from './generator.ts';
import { generateChunks } from './generator.ts';
import { shapeNames } from './generator-shapes.ts';
import { writeOutput } from './output.ts';

const EXAMPLES = `Examples:
  millrace generate --count 1000000 --duplicates 2% > events.ndjson
  millrace generate --count 100 --shape orders --seed 7
  millrace generate --count 1000000 | millrace ingest - --id /id
`;

export function addGenerate(program: Command, done: (code: number) => void): void {
  const command = program
    .command('generate')
    .summary('seeded sample events as NDJSON')
    .description('Prints sample events, the same ones for the same seed.')
    .addHelpText('before', EXAMPLES)
    .addOption(new Option('--count <N>', 'events to print').default('1000'))
    .addOption(new Option('--duplicates <SHARE>', 'share of events that repeat an earlier one, such as 2% or 0.02').default('0%'))
    .addOption(new Option('--seed <N>', 'another seed gives other events').default('1'))
    .addOption(new Option('--shape <SHAPE>', shapeNames.join(', ')).default('page-views'))
    .addOption(new Option('--verbose', 'print causes and stacks of errors'));
  command.action(async () => {
    for (const chunk of generateChunks(generateOptions(command))) {
      // Latin-1 is a copy of the bytes: the events are ASCII.
      if (!(await writeOutput(Buffer.from(chunk, 'latin1')))) break;
    }
    done(0);
  });
}

function generateOptions(command: Command): GenerateOptions {
  const faults = new Faults();
  const read = <T>(name: string, parse: (text: string) => T | null, expected: string): T | null => {
    const text = textOption(command, name) ?? '';
    const value = parse(text);
    if (value === null)
      faults.value(`flag --${name}`, text, { expected, nearest: name === 'shape' ? nearestName(text, shapeNames) : null });
    return value;
  };
  const count = read('count', parseCount, 'a whole number');
  const duplicates = read('duplicates', parseShare, 'a share from 0% to 100%');
  const seed = read('seed', parseCount, 'a whole number');
  const shape = read('shape', (text) => shapeNames.find((name) => name === text) ?? null, `one of ${shapeNames.join(', ')}`);
  faults.throwIfAny();
  return { count: count ?? 0, duplicates: duplicates ?? 0, seed: seed ?? 1, shape: shape ?? 'page-views' };
}
