/** Pages of docs/ that are made from the code's own tables, so that they cannot drift: `npm run docs` writes them, a test compares. */
import { errorTable } from '../../src/api/error-codes.ts';
import { configurationPage } from '../../src/config/option-docs.ts';
import { processorsPage } from './capability-table.ts';

const processors = await processorsPage();

/** File under docs/ to its full text. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ['errors.md', errorsPage()],
    ['configuration.md', configurationPage()],
    ['processors.md', processors],
  ]);
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, { text, retryable, advice }]) => `| \`${code}\` | ${cell(text)} | ${retryable ? 'yes' : 'no'} | ${cell(advice)} |`,
  );
  return [
    '# Errors',
    '',
    '<!-- Made by `npm run docs` from src/api/error-codes.ts. -->',
    '',
    'Everything that fails throws, rejects with or emits a `MillraceError`. Its `code` is stable; its `message` is for people and may change.',
    '`retryable` says whether the same call can succeed later without any change. `outcome` says what became of the event: `failed` = certainly',
    'not stored, `unknown` = it may have been stored, so publish it again with the same id. `cause` holds the original error, `context` where it',
    'happened: processor, subject, stream, batch, file, line, byte offset.',
    '',
    '| code | what happened | retryable | what to do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
