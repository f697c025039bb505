/** The sample events: page views (214 bytes on average, newline included), orders with nested items, and sensor readings. */
import type { Random } from './random.ts';
import { mix } from './random.ts';

export const shapeNames = ['page-views', 'orders', 'sensors'] as const;
export type Shape = (typeof shapeNames)[number];

/** Makes a line maker, which gives the next event as one line. */
type ShapeMaker = (random: Random) => () => string;

/** Four hex digits of each 16-bit number: two look-ups make an id. */
const HEX: readonly string[] = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));
const THREE_DIGITS: readonly string[] = Array.from({ length: 1_000 }, (_, value) => String(value).padStart(3, '0'));
const TWO_DIGITS: readonly string[] = THREE_DIGITS.slice(0, 100).map((text) => text.slice(1));

const START_MS = Date.UTC(2026, 0, 1);

/** Ids that never repeat within 2^32 events of one seed. */
function idMaker(random: Random): () => string {
  const salt = random.bits();
  const tail = HEX[random.below(65_536)]!;
  let next = 0;
  return () => {
    const bits = mix(next ^ salt);
    next += 1;
    return HEX[bits >>> 16]! + HEX[bits & 0xffff]! + tail;
  };
}

/** ISO times that go on by up to `stepMs` each. A second's text is made once: a Date per event would cost more than the event. */
function timeMaker(random: Random, stepMs: number): () => string {
  let milliseconds = 0;
  let second = -1;
  let prefix = '';
  return () => {
    milliseconds += random.below(stepMs + 1);
    const now = Math.floor(milliseconds / 1_000);
    if (now !== second) {
      second = now;
      prefix = new Date(START_MS + now * 1_000).toISOString().slice(0, 20);
    }
    return `${prefix}${THREE_DIGITS[milliseconds % 1_000]!}Z`;
  };
}

const pick = (random: Random, list: readonly string[]): string => list[random.below(list.length)]!;

const VIEW_TYPES = ['view', 'view', 'view', 'view', 'view', 'click', 'click', 'search', 'cart', 'purchase'];
const SECTIONS = ['books', 'garden', 'kitchen', 'music', 'outdoor', 'office', 'toys', 'travel'];
const REFERRERS = ['https://www.example.com/', 'https://search.example.org/', 'https://news.example.net/today', 'direct'];
const AGENTS = ['Firefox/148.0 (Linux)', 'Chrome/142.0 (Windows)', 'Safari/19.1 (iPhone)', 'Edge/142.0 (Windows)'];
const COUNTRIES = ['DE', 'US', 'FR', 'IN', 'BR', 'JP', 'GB', 'NL', 'PL', 'SE'];

/** All clients there are, each as the flat text of its three fields: one look-up instead of three, and seven strings fewer to join. */
const CLIENTS: readonly string[] = REFERRERS.flatMap((referrer) =>
  AGENTS.flatMap((agent) => COUNTRIES.map((country) => `","referrer":"${referrer}","agent":"${agent}","country":"${country}","ms":`)),
);
const PAGES: readonly string[] = SECTIONS.map((section) => `","page":"/${section}/`);
const TYPES: readonly string[] = VIEW_TYPES.map((type) => `","type":"${type}","time":"`);

const pageViews: ShapeMaker = (random) => {
  const id = idMaker(random);
  const time = timeMaker(random, 3);
  return () => {
    const head = `{"id":"${id()}${pick(random, TYPES)}${time()}","user":"u`;
    const body = `${random.below(1_000_000)}${pick(random, PAGES)}${random.below(100_000)}${pick(random, CLIENTS)}${random.below(2_000)}`;
    return head + body + (random.below(4) === 0 ? ',"new":true}\n' : ',"new":false}\n');
  };
};

const ORDER_TYPES = ['created', 'created', 'paid', 'paid', 'shipped', 'cancelled'];
const CURRENCIES = ['EUR', 'EUR', 'USD', 'GBP', 'SEK'];

const orders: ShapeMaker = (random) => {
  const id = idMaker(random);
  const time = timeMaker(random, 200);
  return () => {
    let items = '';
    let cents = 0;
    for (let left = 1 + random.below(4); left > 0; left -= 1) {
      const quantity = 1 + random.below(5);
      const price = 99 + random.below(20_000);
      cents += quantity * price;
      items += `{"sku":"${pick(random, SECTIONS)}-${random.below(10_000)}","quantity":${quantity},"price":${money(price)}}${left > 1 ? ',' : ''}`;
    }
    const customer = `{"id":"c${random.below(200_000)}","country":"${pick(random, COUNTRIES)}"}`;
    return `{"id":"o-${id()}","type":"${pick(random, ORDER_TYPES)}","time":"${time()}","customer":${customer},"items":[${items}],"total":${money(cents)},"currency":"${pick(random, CURRENCIES)}"}\n`;
  };
};

const SENSOR_TYPES = ['temperature', 'humidity', 'pressure', 'vibration'];
const UNITS: Readonly<Record<string, string>> = { temperature: 'C', humidity: '%', pressure: 'hPa', vibration: 'mm/s' };

const sensors: ShapeMaker = (random) => {
  const id = idMaker(random);
  const time = timeMaker(random, 20);
  return () => {
    const type = pick(random, SENSOR_TYPES);
    const place = `"device":"d${THREE_DIGITS[random.below(1_000)]!}","line":${random.below(12)}`;
    const reading = `"value":${money(random.below(120_000) - 2_000)},"unit":"${UNITS[type]!}","battery":0.${TWO_DIGITS[random.below(100)]!}`;
    return `{"id":"s-${id()}","type":"${type}","time":"${time()}",${place},${reading},"ok":${random.below(50) !== 0}}\n`;
  };
};

/** Hundredths as a JSON number with two decimals. */
function money(hundredths: number): string {
  const whole = Math.abs(hundredths);
  return `${hundredths < 0 ? '-' : ''}${Math.floor(whole / 100)}.${TWO_DIGITS[whole % 100]!}`;
}

export const shapes: Readonly<Record<Shape, ShapeMaker>> = { 'page-views': pageViews, orders, sensors };
