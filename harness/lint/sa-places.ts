/** Where proposals, transforms and selectors stand within their payload, by the octets they take. */
import { SELECTOR_HEADER } from "../wire/ts.ts";
import type { Proposal, SaPayload, TrafficSelector, Transform, TsPayload } from "../wire/types.ts";
import type { Part } from "./rule.ts";

/** Octets of a payload's generic header; of a proposal and a transform without SPI and attributes. */
const PAYLOAD_HEADER = 4;
const HEADER = 8;

export interface TransformPlace {
  transform: Transform;
  /** Octets from the payload's generic header. */
  by: number;
  /** As in `proposal 1 > transform 2`. */
  field: string;
}

export interface ProposalPlace {
  proposal: Proposal;
  by: number;
  /** As in `proposal 1`, counted by place and not by its number. */
  field: string;
  transforms: TransformPlace[];
}

const lengthOf = (transform: Transform): number =>
  transform.attributes.reduce(
    (sum, { value }) => sum + 4 + (typeof value === "number" ? 0 : value.length),
    HEADER + (transform.trailing?.length ?? 0),
  );

/** The proposals of an SA payload; many rules look at them. */
export function proposalPlaces(part: Part<SaPayload>): readonly ProposalPlace[] {
  part.proposals ??= placesOf(part.payload);
  return part.proposals;
}

function placesOf(payload: SaPayload): ProposalPlace[] {
  let by = PAYLOAD_HEADER;
  return payload.proposals.map((proposal, index) => {
    const place: ProposalPlace = { proposal, by, field: `proposal ${index + 1}`, transforms: [] };
    by += HEADER + proposal.spi.length;
    proposal.transforms.forEach((transform, at) => {
      place.transforms.push({ transform, by, field: `${place.field} > transform ${at + 1}` });
      by += lengthOf(transform);
    });
    by += proposal.trailing?.length ?? 0;
    return place;
  });
}

/** Offsets within a proposal. */
export const PROPOSAL_FIELD = {
  reserved: 1,
  number: 4,
  protocolId: 5,
  spiSize: 6,
  count: 7,
  spi: 8,
} as const;
/** Offsets within a transform. */
export const TRANSFORM_FIELD = { reserved1: 1, type: 4, reserved2: 5, id: 6, attributes: 8 } as const;

export interface SelectorPlace {
  selector: TrafficSelector;
  /** Octets from the payload's generic header. */
  by: number;
  /** As in `selector 1`. */
  field: string;
}

/** The selectors of a TS payload. */
export function selectorPlaces({ payload }: Part<TsPayload>): SelectorPlace[] {
  let by = 2 * PAYLOAD_HEADER;
  return payload.selectors.map((selector, index) => {
    const place: SelectorPlace = { selector, by, field: `selector ${index + 1}` };
    by +=
      selector.body === undefined
        ? SELECTOR_HEADER + 4 + 2 * selector.startAddress.length
        : SELECTOR_HEADER + selector.body.length;
    return place;
  });
}

/** Offsets within a selector that is an address range. */
export const SELECTOR_FIELD = { protocol: 1, startPort: 4, endPort: 6, startAddress: 8 } as const;
