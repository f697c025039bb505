/** Generated events in another size: cut to their id and type, or filled up with words, so that they stay plausible JSON. */

const WORDS =
  'amber basin cedar delta ember fjord grove haven inlet jetty knoll lagoon meadow north oasis prairie quarry ridge shore tundra'.split(
    ' ',
  );

/** Each line of `chunk` with about `bytes` bytes. */
export function padded(chunk: string, bytes: number): string {
  let out = '';
  for (const line of chunk.split('\n')) {
    if (line === '') continue;
    out += bytes < line.length ? short(line, bytes) : long(line, bytes);
  }
  return out;
}

function short(line: string, bytes: number): string {
  const head = /^\{"id":"[^"]*","type":"[^"]*","time":"[^"]*"/.exec(line)![0];
  return `${head}${head.length + 12 < bytes ? `,"n":"${'x'.repeat(bytes - head.length - 9)}"` : ''}}\n`;
}

function long(line: string, bytes: number): string {
  const texts: string[] = [];
  let at = line.length;
  for (let turn = at; at < bytes - 16; turn += 1) {
    const text = Array.from({ length: 8 }, (_, index) => WORDS[(turn * 7 + index * 3) % WORDS.length]!).join(' ');
    texts.push(text.slice(0, Math.max(1, bytes - at - 12)));
    at += texts.at(-1)!.length + 3;
  }
  return `${line.slice(0, -1)},"notes":${JSON.stringify(texts)}}\n`;
}

/** A field `s` whose value, one of `count`, follows from the line itself. */
export function withSubjects(chunk: string, count: number): string {
  let out = '';
  for (const line of chunk.split('\n')) {
    if (line === '') continue;
    // The id's hex digits are as good as random, and a duplicate keeps its subject.
    out += `${line.slice(0, -1)},"s":"k${Number.parseInt(line.slice(7, 15), 16) % count}"}\n`;
  }
  return out;
}
