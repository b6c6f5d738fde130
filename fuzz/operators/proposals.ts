/** What stands in SA payloads: proposals, transforms and attributes, up to as many as a datagram holds. */
import { EMPTY } from "../../harness/wire/bytes.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import type { Proposal, SaPayload, Transform, TransformAttribute } from "../../harness/wire/types.ts";
import type { Dice } from "../dice.ts";
import { clamp, type Drawn, drawPattern, drawSize, kindOperator, MOST_OCTETS, repeat } from "./build.ts";
import type { IkeOperator } from "./operator.ts";
import { drawPartOf } from "./parts.ts";

/** KEY_LENGTH, the one attribute that RFC 7296 has. */
const KEY_LENGTH = 14;

const transformOf = (payload: SaPayload, part: object): Transform | undefined =>
  payload.proposals.flatMap(({ transforms }) => transforms).find((transform) => transform === part);

const proposalOf = (payload: SaPayload, part: object): Proposal | undefined =>
  payload.proposals.find((proposal) => proposal === part);

/** Draws a transform, and with it what `draw` says. */
const inTransform =
  (draw: (dice: Dice) => Drawn) =>
  (payload: SaPayload, dice: Dice): Drawn | undefined => {
    const found = drawPartOf(payload, dice, "transform");
    return found && { under: found.under, ...draw(dice) };
  };

const inProposal =
  (draw: (dice: Dice) => Drawn) =>
  (payload: SaPayload, dice: Dice): Drawn | undefined => {
    const found = drawPartOf(payload, dice, "proposal");
    return found && { under: found.under, ...draw(dice) };
  };

/** Ways to number proposals wrongly. */
const NUMBERINGS: readonly ((index: number, count: number) => number)[] = [
  () => 0,
  () => 1,
  (index, count) => count - index,
  (index) => index,
  (index) => 255 - index,
  (index) => 2 * index + 1,
  () => 255,
];

const listOperators: readonly IkeOperator[] = [
  kindOperator("SA", {
    name: "sa-empty",
    family: "content",
    effect: "Sends an SA payload without proposals.",
    apply({ payload }) {
      if (payload.proposals.length === 0) return false;
      payload.proposals = [];
      return true;
    },
  }),
  kindOperator("SA", {
    name: "proposal-empty",
    family: "content",
    effect: "Sends a proposal without transforms.",
    draw: inProposal(() => ({})),
    apply({ payload, part }) {
      const proposal = proposalOf(payload, part);
      if (!proposal || proposal.transforms.length === 0) return false;
      proposal.transforms = [];
      return true;
    },
  }),
  kindOperator("SA", {
    name: "proposal-numbers",
    family: "content",
    effect: "Numbers proposals from 0, falling, all alike or with gaps.",
    draw: (_, dice) => ({ value: dice.number(NUMBERINGS.length) }),
    apply({ payload }, { value }) {
      const numbering = NUMBERINGS[value];
      const { proposals } = payload;
      if (!numbering) return false;
      const numbers = proposals.map((_, index) => numbering(index, proposals.length));
      if (proposals.every(({ number }, index) => number === numbers[index])) return false;
      for (const [index, proposal] of proposals.entries()) proposal.number = numbers[index] ?? 0;
      return true;
    },
  }),
  kindOperator("SA", {
    name: "proposal-merge",
    family: "content",
    effect: "Moves all transforms of all proposals into the first.",
    draw: ({ proposals }) => (proposals.length < 2 ? undefined : {}),
    apply({ payload }) {
      const [first] = payload.proposals;
      if (!first || payload.proposals.length < 2) return false;
      first.transforms = payload.proposals.flatMap(({ transforms }) => transforms);
      payload.proposals = [first];
      return true;
    },
  }),
  kindOperator("SA", {
    name: "proposal-explosion",
    family: "content",
    effect: "Offers very many proposals, transforms, attributes: three given octets count them.",
    draw: (_, dice) => ({
      octets: Uint8Array.of(
        dice.pick([1, 2, 16, 127, 254, 255]),
        dice.pick([1, 2, 16, 127, 254, 255]),
        dice.pick([0, 1, 2, 16, 64]),
      ),
    }),
    apply({ payload }, { octets }) {
      const [proposals = 0, transforms = 0, attributes = 0] = octets;
      const [model] = payload.proposals;
      if (!model || proposals === 0) return false;
      payload.proposals = explosion(model, proposals, transforms, attributes);
      return true;
    },
  }),
];

/** As many of them as a datagram holds. */
function explosion(model: Proposal, proposals: number, transforms: number, attributes: number): Proposal[] {
  const keyLengths = Array.from({ length: attributes }, (_, i) => ({ type: KEY_LENGTH, value: 8 * (i + 1) }));
  // All proposals share their transforms: nobody changes a part that is not a copy.
  const all = Array.from({ length: transforms }, (_, i) => ({
    ...{ type: 1 + (i % 5), id: i + 1, attributes: keyLengths },
  }));
  const each = 8 + 4 * attributes;
  let room = MOST_OCTETS - 2_000;
  const made: Proposal[] = [];
  for (let number = 1; number <= proposals && room > 0; number++) {
    const fitting = clamp(transforms, 0, Math.floor(room / each));
    const taken = all.slice(0, fitting);
    made.push({ number, protocolId: model.protocolId, spi: model.spi, transforms: taken });
    room -= 8 + model.spi.length + fitting * each;
  }
  return made;
}

const attribute = (value: number | Uint8Array, type = KEY_LENGTH): TransformAttribute => ({ type, value });

/** What an attribute more or another attribute may say. */
function drawAttribute(dice: Dice): Drawn {
  if (dice.chance(0.3)) return { value: KEY_LENGTH, octets: drawOctetsOf(dice) };
  return { value: dice.pick([KEY_LENGTH, 0, 1, 13, 15, 0x3fff, 0x4000, 0x7fff]), octets: drawOctetsOf(dice) };
}

const drawOctetsOf = (dice: Dice): Uint8Array =>
  dice.chance(0.6)
    ? Uint8Array.of(
        ...dice.pick([
          [0, 0],
          [0, 1],
          [0, 127],
          [0, 129],
          [0xff, 0xff],
          [1, 0],
          [2, 0],
          [0x80, 0],
        ]),
      )
    : repeat(drawPattern(dice), dice.pick([0, 1, 3, 4, 8, 255, 1000]));

const transformOperators: readonly IkeOperator[] = [
  kindOperator("SA", {
    name: "transform-unknown-type",
    family: "content",
    effect: "Adds a transform of an unassigned type to a proposal.",
    draw: inProposal((dice) => ({ value: dice.pick([0, 15, 16, 99, 127, 128, 240, 241, 255]) })),
    apply({ payload, part }, { value }) {
      proposalOf(payload, part)?.transforms.push({ type: value & 0xff, id: 1, attributes: [] });
      return proposalOf(payload, part) !== undefined;
    },
  }),
  kindOperator("SA", {
    name: "transform-none",
    family: "content",
    effect: "Adds the transform NONE, or the one of number 0, of a type to a proposal.",
    draw: inProposal((dice) => ({ value: dice.pick(Object.values(TRANSFORM)) })),
    apply({ payload, part }, { value }) {
      proposalOf(payload, part)?.transforms.unshift({ type: value & 0xff, id: 0, attributes: [] });
      return proposalOf(payload, part) !== undefined;
    },
  }),
  kindOperator("SA", {
    name: "attribute-format",
    family: "content",
    effect: "Sends an attribute in the other format: TLV for TV, TV for TLV.",
    draw: inAttribute(),
    apply({ payload, part }) {
      for (const { attributes } of payload.proposals.flatMap(({ transforms }) => transforms)) {
        const found = attributes.find((one) => one === part);
        if (!found) continue;
        const { value } = found;
        found.value = typeof value === "number" ? Uint8Array.of(value >>> 8, value) : value.length;
        return true;
      }
      return false;
    },
  }),
  kindOperator("SA", {
    name: "attribute-add",
    family: "content",
    effect: "Adds an attribute to a transform: a second or an odd Key Length, or an unknown one.",
    draw: inTransform(drawAttribute),
    apply({ payload, part }, { value, octets }) {
      const transform = transformOf(payload, part);
      const content = octets.length === 2 ? (octets[0] ?? 0) * 256 + (octets[1] ?? 0) : octets;
      transform?.attributes.push(attribute(content, value & 0x7fff));
      return transform !== undefined;
    },
  }),
  kindOperator("SA", {
    name: "key-length",
    family: "content",
    effect: "Sets, adds or takes away (-1) the Key Length of a transform.",
    draw: inTransform((dice) => ({
      value: dice.pick([-1, 0, 1, 7, 40, 64, 127, 129, 192, 448, 512, 1024, 0x7fff, 0x8000, 0xffff]),
    })),
    apply({ payload, part }, { value }) {
      const transform = transformOf(payload, part);
      if (!transform) return false;
      const others = transform.attributes.filter(({ type }) => type !== KEY_LENGTH);
      const changed = value < 0 ? others : [...others, attribute(value & 0xffff)];
      const same = value < 0 && others.length === transform.attributes.length;
      transform.attributes = changed;
      return !same;
    },
  }),
  kindOperator("SA", {
    name: "proposal-spi",
    family: "content",
    effect: "Sends another SPI in a proposal, of any size, with the SPI Size that it has.",
    draw: inProposal((dice) => ({
      octets: repeat(drawPattern(dice), clamp(drawSize(dice), 0, 255)),
    })),
    apply({ payload, part }, { octets }) {
      const proposal = proposalOf(payload, part);
      if (!proposal) return false;
      const spi = octets.length === 0 ? EMPTY : octets.subarray(0, 255);
      const same = Buffer.compare(spi, proposal.spi) === 0;
      proposal.spi = spi;
      return !same;
    },
  }),
];

function inAttribute() {
  return (payload: SaPayload, dice: Dice): Drawn | undefined => {
    const found = drawPartOf(payload, dice, "attribute");
    return found && { under: found.under };
  };
}

export const proposalsOperators: readonly IkeOperator[] = [...listOperators, ...transformOperators];
