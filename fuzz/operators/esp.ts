/** Lies about ESP packets (RFC 4303): header, ICV, IV, padding and trailer. */
import type { OutgoingEsp } from "../../harness/esp/hooks.ts";
import { isSealRefusal, OutboundSa } from "../../harness/esp/outbound.ts";
import { icvLengthOf, ivOctets } from "../../harness/esp/sa.ts";
import { concat, EMPTY, hex, readU16, u16, u32 } from "../../harness/wire/bytes.ts";
import type { Dice } from "../dice.ts";
import { anyOctets, bend, numberOr, octetsIn, turnBit, whole } from "./bend.ts";
import { MOST_OCTETS, repeat } from "./build.ts";
import type { Demand, Draft, EspOperator } from "./operator.ts";

/** What fails its ICV, belongs to no SA or comes twice is never delivered. */
const byIcv: Demand = { document: "rfc4303", requirement: "ESP-41", never: "delivery" };
const bySpi: Demand = { document: "rfc4303", requirement: "ESP-31", never: "delivery" };
const byNumber: Demand = { document: "rfc4303", requirement: "ESP-36", never: "delivery" };

export interface EspRow extends Pick<EspOperator, "name" | "effect" | "demand" | "apply"> {
  /** Not set: a change without values. */
  draw?(dice: Dice, packet: OutgoingEsp): Draft | undefined;
}

export const ofEsp = ({ draw, ...row }: EspRow): EspOperator => ({
  ...row,
  on: "esp",
  family: "esp",
  draw: (packet, dice) => (draw ? draw(dice, packet) : {}),
});

/** Octets of the ICV; 0 where it is not known, too. */
const icvOf = ({ sa }: OutgoingEsp): number => (sa ? icvLengthOf(sa.parameters.transforms) : 0);

/** Changes the packet that is sent, if it has an ICV. */
function afterSeal(packet: OutgoingEsp, change: (octets: Uint8Array, icvAt: number) => Uint8Array): boolean {
  const length = icvOf(packet);
  if (length === 0) return false;
  bend(packet, (octets) => [change(octets, Math.max(0, octets.length - length))]);
  return true;
}

const icv: EspRow[] = [
  {
    name: "esp-icv-bit",
    effect: "Turns one bit of the ICV.",
    demand: byIcv,
    draw: (dice) => ({ value: dice.number(64) }),
    apply(packet, change) {
      const bit = whole(change, 0, 63);
      if (bit === undefined) return false;
      return afterSeal(packet, (octets, at) =>
        concat(octets.subarray(0, at), turnBit(octets.subarray(at), bit)),
      );
    },
  },
  {
    name: "esp-icv-cut",
    effect: "Leaves out so many of the last octets of the ICV.",
    demand: byIcv,
    draw: (dice) => ({ value: dice.pick([1, 4, 8, 12]) }),
    apply(packet, change) {
      const cut = whole(change, 1, 64);
      if (cut === undefined) return false;
      return afterSeal(packet, (octets, at) => octets.subarray(0, Math.max(at, octets.length - cut)));
    },
  },
  {
    name: "esp-icv-missing",
    effect: "Leaves out the ICV.",
    demand: byIcv,
    apply: (packet) => afterSeal(packet, (octets, at) => octets.subarray(0, at)),
  },
  {
    name: "esp-icv-more",
    effect: "Puts octets behind the ICV.",
    demand: byIcv,
    draw: (dice) => ({ octets: hex(anyOctets(dice, dice.pick([1, 4, 16, 1000]))) }),
    apply(packet, change) {
      const more = octetsIn(change);
      return more.length > 0 && afterSeal(packet, (octets) => concat(octets, more));
    },
  },
  {
    name: "esp-bit",
    effect: "Turns one bit of the packet, header and IV counted in, after the ICV was made.",
    demand: byIcv,
    draw: (dice) => ({ value: dice.number(8 * 80) }),
    apply(packet, change) {
      const bit = whole(change, 0, 2 ** 19);
      return bit !== undefined && afterSeal(packet, (octets) => turnBit(octets, bit));
    },
  },
  {
    name: "esp-key-foreign",
    effect: "Seals under keys that the peer does not have.",
    demand: byIcv,
    apply(packet, _change, { dice }) {
      const { sa } = packet;
      if (!(sa instanceof OutboundSa) || icvOf(packet) === 0) return false;
      const { keys } = sa.parameters;
      const foreign = { encr: dice.octets(keys.encr.length), integ: dice.octets(keys.integ.length) };
      bend(packet, (octets) => {
        const other = new OutboundSa({ ...sa.parameters, keys: foreign, random: sa.random });
        const sealed = other.seal(packet.payload, packet.nextHeader, {
          ...packet.options,
          sequence: sa.counter,
        });
        return [isSealRefusal(sealed) ? octets : sealed];
      });
      return true;
    },
  },
];

const header: EspRow[] = [
  {
    name: "esp-spi",
    effect: "Sends under this SPI, which is not the SA's.",
    demand: bySpi,
    draw: (dice) => ({
      value: numberOr(dice, [0, 1, 255, 256, 0x7fffffff, 0x80000000, 0xffffffff], 2 ** 32),
    }),
    apply(packet, change) {
      const spi = whole(change, 0, 0xffffffff);
      if (spi === undefined || !packet.sa || spi === packet.sa.spi) return false;
      packet.options.spi = spi;
      return true;
    },
  },
  {
    name: "esp-spi-bit",
    effect: "Turns one bit of the SPI before the packet is sealed.",
    demand: bySpi,
    draw: (dice) => ({ value: dice.number(32) }),
    apply(packet, change) {
      const bit = whole(change, 0, 31);
      if (bit === undefined || !packet.sa) return false;
      packet.options.spi = (packet.sa.spi ^ (1 << bit)) >>> 0;
      return true;
    },
  },
  {
    name: "esp-spi-own",
    effect: "Sends under the SPI of the other direction.",
    demand: bySpi,
    apply(packet) {
      const spi = Number.parseInt(packet.spiIn, 16);
      if (!Number.isInteger(spi) || !packet.sa || spi === packet.sa.spi) return false;
      packet.options.spi = spi >>> 0;
      return true;
    },
  },
  {
    name: "esp-sequence",
    effect: "Sends under this sequence number.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40], 1000) }),
    apply(packet, change) {
      const sequence = whole(change, 0, 2 ** 48);
      if (sequence === undefined || packet.sa?.counter === BigInt(sequence) - 1n) return false;
      packet.options.sequence = BigInt(sequence);
      return true;
    },
  },
  {
    name: "esp-sequence-shift",
    effect: "Sends under a sequence number so far from the right one.",
    draw: (dice) => ({ value: dice.pick([-1000, -65, -64, -1, 1, 63, 64, 65, 1000, 2 ** 31]) }),
    apply(packet, change) {
      const by = whole(change, -(2 ** 32), 2 ** 32);
      const sequence = packet.sa && by ? packet.sa.counter + 1n + BigInt(by) : undefined;
      if (sequence === undefined || sequence < 0n) return false;
      packet.options.sequence = sequence;
      return true;
    },
  },
  {
    name: "esp-sequence-used",
    effect: "Sends the echo request under a number that an echo reply in front of it had.",
    demand: byNumber,
    draw: (_dice, packet) => (unanswered(packet) ? {} : undefined),
    apply(packet) {
      const { sa } = packet;
      const other = unanswered(packet);
      if (!sa || !other || icvOf(packet) === 0) return false;
      bend(packet, (octets) => {
        const first = sa.seal(other, packet.nextHeader, { sequence: packet.options.sequence ?? sa.counter });
        return isSealRefusal(first) ? [] : [first, octets];
      });
      return true;
    },
  },
  {
    name: "esp-repeat",
    effect: "Sends the packet so many times.",
    draw: (dice) => ({ value: dice.pick([2, 3, 50]) }),
    apply(packet, change) {
      const times = whole(change, 2, 100);
      if (times === undefined) return false;
      bend(packet, (octets) => Array.from({ length: times }, () => octets));
      return true;
    },
  },
];

/** The payload of an IPv4 echo request as an echo reply, which nobody answers; undefined for any other. */
function unanswered({ payload, nextHeader }: OutgoingEsp): Uint8Array | undefined {
  const at = nextHeader === 4 ? 4 * ((payload[0] ?? 0) & 15) : nextHeader === 1 ? 0 : undefined;
  if (at === undefined || payload[at] !== 8 || payload.length < at + 8) return undefined;
  const reply = Uint8Array.from(payload);
  reply[at] = 0;
  const sum = readU16(payload, at + 2) + 0x0800;
  reply.set(u16((sum & 0xffff) + (sum >> 16)), at + 2);
  return reply;
}

/** Changes the plaintext behind earlier changes of it; its length stays. */
function inPlaintext(packet: OutgoingEsp, change: (plaintext: Uint8Array) => void): boolean {
  const before = packet.options.mutatePlaintext;
  packet.options.mutatePlaintext = (plaintext) => {
    const changed = Uint8Array.from(before?.(plaintext) ?? plaintext);
    change(changed);
    return changed;
  };
  return true;
}

const trailer: EspRow[] = [
  {
    name: "esp-padding",
    effect: "Pads with at least so many octets.",
    draw: (dice) => ({ value: numberOr(dice, [16, 100, 254, 255], 256) }),
    apply(packet, change) {
      const least = whole(change, 1, 255);
      if (least === undefined) return false;
      packet.options.padding = least;
      return true;
    },
  },
  {
    name: "esp-padding-content",
    effect: "Pads with these octets, again and again, in the place of 1, 2, 3.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, 4)) }),
    apply(packet, change) {
      const fill = octetsIn(change);
      if (fill.length === 0) return false;
      packet.options.padding = 16;
      return inPlaintext(packet, (plaintext) => {
        const end = plaintext.length - 2;
        const from = Math.max(0, end - (plaintext[end] ?? 0));
        plaintext.set(repeat(fill, Math.max(0, end - from)), from);
      });
    },
  },
  {
    name: "esp-pad-length",
    effect: "Writes a Pad Length that is so much more, modulo 256.",
    draw: (dice) => ({ value: numberOr(dice, [1, 2, 128, 254, 255], 255) || 1 }),
    apply(packet, change) {
      const by = whole(change, 1, 255);
      if (by === undefined) return false;
      return inPlaintext(packet, (plaintext) => {
        const at = Math.max(0, plaintext.length - 2);
        plaintext[at] = (plaintext[at] ?? 0) + by;
      });
    },
  },
  {
    name: "esp-next-header",
    effect: "Writes another Next Header.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 4, 6, 17, 41, 43, 44, 50, 51, 58, 59, 60, 255], 256) }),
    apply(packet, change) {
      const next = whole(change, 0, 255);
      if (next === undefined || next === packet.nextHeader) return false;
      packet.nextHeader = next;
      return true;
    },
  },
  {
    name: "esp-tfc",
    effect: "Puts so many zeros behind the inner packet.",
    draw: (dice) => ({ value: dice.pick([1, 100, 1200, 50_000]) }),
    apply(packet, change) {
      const tfc = whole(change, 1, MOST_OCTETS - 1000);
      if (tfc === undefined || packet.payload.length + tfc > MOST_OCTETS - 400) return false;
      packet.options.tfc = tfc;
      return true;
    },
  },
  {
    name: "esp-iv",
    effect: "Takes these octets, again and again, as IV.",
    draw: (dice) => ({ octets: hex(anyOctets(dice, 4)) }),
    apply(packet, change) {
      const octets = octetsIn(change);
      const size = packet.sa ? ivOctets(packet.sa.parameters.transforms) : 0;
      if (octets.length === 0 || size === 0) return false;
      packet.options.iv = repeat(octets, size);
      return true;
    },
  },
];

/** Cuts the ciphertext and makes the ICV anew; undefined for ciphers that make it themselves. */
function shortened({ sa }: OutgoingEsp, octets: Uint8Array, cut: number): Uint8Array | undefined {
  const { transforms, keys, esn } = sa?.parameters ?? {};
  if (!sa || !keys || !transforms?.integ || transforms.encr.aead) return undefined;
  const body = octets.subarray(0, Math.max(8, octets.length - transforms.integ.icvLength - cut));
  const high = esn ? u32(Number(sa.counter >> 32n)) : EMPTY;
  return concat(body, transforms.integ.compute(keys.integ, concat(body, high)));
}

const STRAYS = [
  "",
  "ff",
  "00000000",
  "0000000000000000",
  "000000ff00000001",
  "00000100ffffffff",
  "ffffffffffffffff",
];

const packets: EspRow[] = [
  {
    name: "esp-cut",
    effect: "Sends so many of the first octets of the packet.",
    draw: (dice) => ({ value: numberOr(dice, [0, 1, 4, 7, 8, 9, 16, 24], 100) }),
    apply(packet, change) {
      const octets = whole(change, 0, 0xffff);
      if (octets === undefined) return false;
      bend(packet, (whole) => [whole.subarray(0, Math.min(octets, whole.length - 1))]);
      return true;
    },
  },
  {
    name: "esp-ciphertext-cut",
    effect: "Leaves out so many of the last octets of the ciphertext; the ICV is right.",
    draw: (dice) => ({ value: 1 + dice.number(15) }),
    apply(packet, change) {
      const cut = whole(change, 1, 255);
      const { integ, encr } = packet.sa?.parameters.transforms ?? {};
      if (cut === undefined || !integ || encr?.aead !== false) return false;
      bend(packet, (octets) => [shortened(packet, octets, cut) ?? octets]);
      return true;
    },
  },
  {
    name: "esp-marker",
    effect: "Puts so many octets of zero in front of the packet, as IKE is marked in UDP.",
    draw: (dice) => ({ value: dice.pick([1, 3, 4, 8]) }),
    apply(packet, change) {
      const count = whole(change, 1, 1000);
      if (count === undefined) return false;
      bend(packet, (octets) => [concat(new Uint8Array(count), octets)]);
      return true;
    },
  },
  {
    name: "esp-stray",
    effect: "Sends these octets in front of the packet, as one of their own.",
    draw: (dice) => ({
      octets: dice.chance(0.7) ? dice.pick(STRAYS) : hex(anyOctets(dice, dice.number(64))),
    }),
    apply(packet, change) {
      const stray = octetsIn(change);
      bend(packet, (octets) => [stray, octets]);
      return true;
    },
  },
];

export const espOperators: readonly EspOperator[] = [...icv, ...header, ...trailer, ...packets].map(ofEsp);
