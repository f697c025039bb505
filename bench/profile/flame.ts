/** A flame graph of one thread as SVG: callers below, callees above, width is time. Stands alone, without a script. */
import type { Frame, Profile } from './cpu-profile.ts';

const WIDTH = 1_200;
const ROW = 17;
const HEAD = 34;
const SHARE_MIN = 0.002;
const DEPTH_MAX = 40;
const CHARACTER = 6.4;

const COLORS: readonly (readonly [RegExp, string])[] = [
  [/^WebAssembly$/, '#7bc47f'],
  [/^(?:nats|piscina|lmdb|msgpackr)$/, '#e8b04b'],
  [/^(?:node:|$)/, '#b9c2cc'],
];
const OURS = '#6ea8fe';

export function flameSvg(profile: Profile, title: string): string {
  const rows: string[] = [];
  const depth = Math.min(DEPTH_MAX, depthOf(profile.root, profile.busyMs));
  const height = HEAD + depth * ROW + 6;
  draw(profile.root.children, { rows, x: 0, depth: 1, scale: WIDTH / profile.busyMs, base: height });
  const legend = `${title}: ${Math.round(profile.busyMs)} ms busy, ${Math.round(profile.idleMs)} ms idle (not drawn). Blue: Millrace, green: WebAssembly, yellow: libraries, grey: Node and system calls.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11"><rect width="${WIDTH}" height="${height}" fill="white"/><text x="4" y="18" font-size="13">${escape(legend)}</text>${rows.join('')}</svg>\n`;
}

interface Place {
  readonly rows: string[];
  readonly x: number;
  readonly depth: number;
  readonly scale: number;
  readonly base: number;
}

function draw(frames: readonly Frame[], place: Place): void {
  let { x } = place;
  for (const frame of frames) {
    const width = frame.totalMs * place.scale;
    if (width >= WIDTH * SHARE_MIN && place.depth < DEPTH_MAX) {
      place.rows.push(box(frame, { x, y: place.base - place.depth * ROW, width }));
      draw(frame.children, { ...place, x, depth: place.depth + 1 });
    }
    x += width;
  }
}

function box({ name, place, totalMs }: Frame, { x, y, width }: { readonly x: number; readonly y: number; readonly width: number }): string {
  const label = place === '' ? name : `${name} ${place}`;
  const room = Math.floor((width - 6) / CHARACTER);
  const text =
    room < 3
      ? ''
      : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escape(label.length > room ? `${label.slice(0, room - 1)}…` : label)}</text>`;
  return `<g><title>${escape(label)}: ${totalMs.toFixed(1)} ms</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colorOf(place)}"/>${text}</g>`;
}

const colorOf = (place: string): string => COLORS.find(([pattern]) => pattern.test(place))?.[1] ?? OURS;

function depthOf(frame: Frame, busyMs: number): number {
  const below = frame.children.filter(({ totalMs }) => totalMs >= busyMs * SHARE_MIN);
  return 1 + Math.max(0, ...below.map((child) => depthOf(child, busyMs)));
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
