/** What stands in Traffic Selector, Delete and Configuration payloads. */
import { EMPTY, equal } from "../../harness/wire/bytes.ts";
import { cfgAttributes } from "../../harness/wire/registry/cfg-attributes.ts";
import { TS_TYPE } from "../../harness/wire/registry/ts-types.ts";
import type { TrafficSelector, TsPayload } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { clamp, type Drawn, drawPattern, drawSize, kindOperator, MOST_OCTETS, repeat } from "./build.ts";
import { numbersIn } from "./numbers.ts";
import type { IkeOperator } from "./operator.ts";

const selectorOf = ({ selectors }: TsPayload, part: object): TrafficSelector | undefined =>
  selectors.find((selector) => selector === part);

/** Draws a selector, and with it what `draw` says. */
const inSelector =
  (draw: (dice: Dice) => Drawn = () => ({})) =>
  ({ selectors }: TsPayload, dice: Dice): Drawn | undefined =>
    selectors.length === 0 ? undefined : { under: `/${1 + dice.number(selectors.length)}`, ...draw(dice) };

/** Protocol, first and last port as they do not belong together. */
const PORTS: readonly (readonly [protocol: number, first: number, last: number])[] = [
  [0, 1, 1],
  [0, 0xffff, 0],
  [1, 0x0800, 0x0800],
  [1, 0xffff, 0],
  [58, 0x8000, 0x80ff],
  [6, 0xffff, 0],
  [6, 80, 79],
  [17, 0, 0],
  [135, 0, 0],
  [255, 0xffff, 0xffff],
  [50, 0, 0xffff],
  [41, 1, 2],
];

const selectorOperators: readonly IkeOperator[] = [
  kindOperator("TS", {
    name: "selector-reversed",
    family: "content",
    effect: "Sends a selector whose range ends before it begins.",
    draw: inSelector(),
    apply({ payload, part }) {
      const selector = selectorOf(payload, part);
      if (!selector || equal(selector.startAddress, selector.endAddress)) return false;
      const { startAddress, endAddress } = selector;
      Object.assign(selector, { startAddress: endAddress, endAddress: startAddress });
      return true;
    },
  }),
  kindOperator("TS", {
    name: "selector-ports",
    family: "content",
    effect: "Sends a selector with ports reversed, opaque or beside a protocol that has none.",
    draw: inSelector((dice) => ({ value: dice.number(PORTS.length) })),
    apply({ payload, part }, { value }) {
      const selector = selectorOf(payload, part);
      const [ipProtocol = 0, startPort = 0, endPort = 0] = PORTS[value] ?? [];
      if (!selector || !PORTS[value]) return false;
      Object.assign(selector, { ipProtocol, startPort, endPort });
      return true;
    },
  }),
  kindOperator("TS", {
    name: "selector-range",
    family: "content",
    effect: "Sends a selector of the same addresses at both ends, made of a pattern.",
    draw: inSelector((dice) => ({ octets: drawPattern(dice) })),
    apply({ payload, part }, { octets }) {
      const selector = selectorOf(payload, part);
      if (!selector || selector.startAddress.length === 0) return false;
      const address = repeat(octets, selector.startAddress.length);
      if (equal(address, selector.startAddress) && equal(address, selector.endAddress)) return false;
      Object.assign(selector, { startAddress: address, endAddress: address });
      return true;
    },
  }),
  kindOperator("TS", {
    name: "selector-family",
    family: "content",
    effect: "Sends a selector of the other address family, with the right size.",
    draw: inSelector(),
    apply({ payload, part }) {
      const selector = selectorOf(payload, part);
      if (!selector || selector.body) return false;
      const toV6 = selector.tsType !== TS_TYPE.TS_IPV6_ADDR_RANGE;
      const size = toV6 ? 16 : 4;
      selector.tsType = toV6 ? TS_TYPE.TS_IPV6_ADDR_RANGE : TS_TYPE.TS_IPV4_ADDR_RANGE;
      selector.startAddress = new Uint8Array(size);
      selector.endAddress = new Uint8Array(size).fill(0xff);
      return true;
    },
  }),
  kindOperator("TS", {
    name: "selector-flood",
    family: "content",
    effect: "Sends hundreds or thousands of different selectors.",
    draw: (_, dice) => ({ value: dice.pick([2, 15, 16, 17, 64, 127, 128, 254, 255, 256, 257, 3000]) }),
    apply({ payload }, { value }) {
      const count = clamp(value, 0, Math.floor((MOST_OCTETS - 2_000) / 16));
      if (count === 0) return false;
      payload.selectors = Array.from({ length: count }, (_, index) => oneHost(index));
      return true;
    },
  }),
  kindOperator("TS", {
    name: "selector-none",
    family: "content",
    effect: "Sends a TS payload without selectors.",
    apply({ payload }) {
      if (payload.selectors.length === 0) return false;
      payload.selectors = [];
      return true;
    },
  }),
];

/** An address of its own for every index, of 203.0.113.0/24 with a port. */
function oneHost(index: number): TrafficSelector {
  const address = Uint8Array.of(203, 0, 113, index & 0xff);
  const port = index >>> 8;
  return {
    ...{ tsType: TS_TYPE.TS_IPV4_ADDR_RANGE, ipProtocol: 17, startPort: port, endPort: port },
    ...{ startAddress: address, endAddress: address },
  };
}

const deleteOperators: readonly IkeOperator[] = [
  kindOperator("Delete", {
    name: "delete-flood",
    family: "content",
    effect: "Deletes thousands of SPIs at once, made of a pattern and their number.",
    draw: (_, dice) => ({
      value: dice.pick([1, 2, 16, 255, 256, 257, 1000, 14_000]),
      octets: drawPattern(dice),
    }),
    apply({ payload }, { value, octets }) {
      const size = payload.spiSize === 0 ? 4 : payload.spiSize;
      const count = clamp(value, 0, Math.floor((MOST_OCTETS - 2_000) / Math.max(1, size)));
      if (count === 0) return false;
      payload.spiSize = size;
      payload.spis = Array.from({ length: count }, (_, index) => numbered(repeat(octets, size), index));
      return true;
    },
  }),
  kindOperator("Delete", {
    name: "delete-again",
    family: "content",
    effect: "Names every SPI of a Delete payload several times.",
    draw: ({ spis }, dice) => (spis.length === 0 ? undefined : { value: dice.pick([2, 3, 16, 256, 5000]) }),
    apply({ payload }, { value }) {
      const most = Math.floor((MOST_OCTETS - 2_000) / Math.max(1, payload.spis.length * payload.spiSize));
      const times = clamp(value, 1, Math.max(1, most));
      if (payload.spis.length === 0 || times < 2) return false;
      payload.spis = Array.from({ length: times }, () => payload.spis).flat();
      return true;
    },
  }),
];

function numbered(spi: Uint8Array, index: number): Uint8Array {
  if (spi.length > 1) spi.set([index >>> 8, index], spi.length - 2);
  return spi;
}

const attributeTypes = [...numbersIn(cfgAttributes).assigned, ...numbersIn(cfgAttributes).unassigned];

const configOperators: readonly IkeOperator[] = [
  kindOperator("CP", {
    name: "config-attribute",
    family: "content",
    effect: "Adds a configuration attribute of any type and size.",
    draw: (_, dice) => ({
      value: dice.pick(attributeTypes),
      octets: repeat(drawPattern(dice), clamp(drawSize(dice), 0, 600)),
    }),
    apply({ payload }, { value, octets }) {
      payload.attributes.push({ type: value & 0x7fff, data: octets });
      return true;
    },
  }),
  kindOperator("CP", {
    name: "config-flood",
    family: "content",
    effect: "Asks for an attribute hundreds or thousands of times: two given octets count them.",
    draw: (_, dice) => ({
      value: dice.pick(attributeTypes),
      octets: dice.pick(
        [
          [0, 16],
          [0, 255],
          [1, 0],
          [4, 0],
          [0x36, 0],
        ].map((pair) => Uint8Array.from(pair)),
      ),
    }),
    apply({ payload }, { value, octets }) {
      const wanted = (octets[0] ?? 0) * 256 + (octets[1] ?? 0);
      const count = clamp(wanted, 0, Math.floor((MOST_OCTETS - 2_000) / 4));
      const one = { type: value & 0x7fff, data: EMPTY };
      payload.attributes = [...payload.attributes, ...Array.from({ length: count }, () => one)];
      return count > 0;
    },
  }),
];

export const selectorsOperators: readonly IkeOperator[] = [
  ...selectorOperators,
  ...deleteOperators,
  ...configOperators,
];
