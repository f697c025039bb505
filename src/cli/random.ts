/** A small seeded random source (xoshiro128**): the same numbers on every machine, and fast enough to be called ten times an event. */

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    // SplitMix32 spreads near seeds apart; all-zero state, which would stay zero, cannot come out of it.
    let state = Math.floor(seed / 2 ** 32) * 0x9e37_79b9 + (seed >>> 0);
    const next = (): number => {
      state = (state + 0x9e37_79b9) | 0;
      return mix(state);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    const fives = Math.imul(this.#b, 5);
    const result = Math.imul((fives << 7) | (fives >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A whole number from 0 to `limit` - 1. The bias of the multiplication is below 1 in 2^32 / limit: sample data. */
  below(limit: number): number {
    return Math.floor((this.bits() / 2 ** 32) * limit);
  }
}

/** A one-to-one shuffle of the 32-bit numbers (MurmurHash3's last step): counters become ids that look random and stay unique. */
export function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
