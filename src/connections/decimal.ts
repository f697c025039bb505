/** Numbers as NATS writes them. */

/** Writes a non-negative integer in decimal and says where the next byte goes. */
export function putDecimal(bytes: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const next = Math.floor(rest / 10);
    bytes[index] = 0x30 + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}
