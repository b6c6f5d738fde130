/** Configuration payloads: RFC 7296 sections 2.19, 2.20, 3.15. */
import { concat, EMPTY, equal, u16 } from "../../wire/bytes.ts";
import { CFG_ATTRIBUTE } from "../../wire/registry/cfg-attributes.ts";
import { CFG } from "../../wire/registry/cfg-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { TS_TYPE } from "../../wire/registry/ts-types.ts";
import type {
  ConfigAttribute,
  CpPayload,
  NotifyPayload,
  Payload,
  TrafficSelector,
} from "../../wire/types.ts";
import type { Core } from "../core.ts";
import { errorNotify, notify } from "../payloads.ts";
import type { AddressFamily } from "../policy.ts";
import type { IkeSa } from "../sa.ts";
import { isSubset } from "../selectors.ts";

const FAMILIES: Record<AddressFamily, { attribute: number; tsType: number; octets: number }> = {
  ipv4: {
    attribute: CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS,
    tsType: TS_TYPE.TS_IPV4_ADDR_RANGE,
    octets: 4,
  },
  ipv6: {
    attribute: CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS,
    tsType: TS_TYPE.TS_IPV6_ADDR_RANGE,
    octets: 16,
  },
};
const NAMES: readonly AddressFamily[] = ["ipv4", "ipv6"];

const SUPPORTED: readonly number[] = [
  CFG_ATTRIBUTE.INTERNAL_IP4_ADDRESS,
  CFG_ATTRIBUTE.APPLICATION_VERSION,
  CFG_ATTRIBUTE.INTERNAL_IP6_ADDRESS,
  CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES,
];

export const cpPayload = (cfgType: number, attributes: ConfigAttribute[]): CpPayload => ({
  kind: "CP",
  type: PAYLOAD.CP,
  cfgType,
  attributes,
});

const cpOf = (payloads: Payload[], cfgType: number): CpPayload | undefined =>
  payloads.find((p): p is CpPayload => p.kind === "CP" && p.cfgType === cfgType);

/** A selector for all traffic of one address. */
const hostSelector = (tsType: number, address: Uint8Array): TrafficSelector => ({
  ...{ tsType, ipProtocol: 0, startPort: 0, endPort: 65535 },
  startAddress: address,
  endAddress: address,
});

/** The addresses in attributes of one family; INTERNAL_IP6_ADDRESS has a prefix length behind the address. */
function addressesIn(attributes: ConfigAttribute[], family: AddressFamily): TrafficSelector[] {
  const { attribute, tsType, octets } = FAMILIES[family];
  const size = family === "ipv6" ? octets + 1 : octets;
  return attributes
    .filter((a) => a.type === attribute && a.data.length === size)
    .map((a) => hostSelector(tsType, a.data.slice(0, octets)));
}

/** The CP(CFG_REQUEST) of an initiator that wants inner addresses; nothing if it wants none. It stands before SA. */
export function requestConfiguration(core: Core): Payload[] {
  const wanted = core.policy.requestAddresses;
  if (wanted.length === 0) return [];
  return [
    cpPayload(
      CFG.REQUEST,
      wanted.map((family) => ({ type: FAMILIES[family].attribute, data: EMPTY })),
    ),
  ];
}

/** What a responder makes of the CP payload in a request, or of its lack. */
export interface ConfigurationAnswer {
  /** The CFG_REPLY, which stands before SA; nothing without a request. */
  payloads: Payload[];
  /** What was leased to the initiator: its TSi is narrowed to that. */
  assigned?: TrafficSelector[];
  /** Set if there can be no Child SA; the IKE SA stays (section 3.15.4). */
  error?: NotifyPayload;
}

/** Answers the CP payload of the request for the first Child SA. The lease is kept in the SA. */
export function answerConfiguration(core: Core, sa: IkeSa, request: Payload[]): ConfigurationAnswer {
  const asked = cpOf(request, CFG.REQUEST)?.attributes ?? [];
  const wantsAddress = NAMES.some((family) => asks(asked, family));
  const leases = core.policy.addressPools.length > 0;
  if (leases && !wantsAddress) return { payloads: [], error: notify(NOTIFY.FAILED_CP_REQUIRED) };
  const attributes = reply(core, sa, asked);
  if (leases && !sa.leased) return { payloads: [], error: notify(NOTIFY.INTERNAL_ADDRESS_FAILURE) };
  if (attributes.length === 0) return { payloads: [] };
  return { payloads: [cpPayload(CFG.REPLY, attributes)], ...(sa.leased && { assigned: sa.leased }) };
}

/** Selectors for all traffic of the kinds of addresses that an initiator asks for: TSi until it knows them. */
export const anyAddress = (families: AddressFamily[]): TrafficSelector[] =>
  families.map((family) => {
    const { tsType, octets } = FAMILIES[family];
    return {
      ...hostSelector(tsType, new Uint8Array(octets)),
      endAddress: new Uint8Array(octets).fill(255),
    };
  });

/** Takes the responder's answer, if we asked: our side of the Child SA is then what we got. */
export function takeConfiguration(
  core: Core,
  sa: IkeSa,
  response: Payload[],
): { assigned?: TrafficSelector[]; failure?: string } {
  const wanted = core.policy.requestAddresses;
  // What the responder refuses is told by its notify.
  if (wanted.length === 0 || errorNotify(response)) return {};
  const attributes = cpOf(response, CFG.REPLY)?.attributes ?? [];
  const assigned = wanted.flatMap((family) => addressesIn(attributes, family).slice(0, 1));
  if (assigned.length === 0) return { failure: "no inner address was assigned" };
  sa.ownAddresses = assigned;
  return { assigned };
}

/**
 * Answers CP payloads of an INFORMATIONAL request: a CFG_REQUEST, which may be the later try of one that failed, and a
 * CFG_SET, of which nothing is accepted.
 */
export function answerInformationalConfiguration(core: Core, sa: IkeSa, request: Payload[]): Payload[] {
  const asked = cpOf(request, CFG.REQUEST);
  const attributes = asked ? reply(core, sa, asked.attributes) : [];
  return [
    ...(attributes.length > 0 ? [cpPayload(CFG.REPLY, attributes)] : []),
    ...(cpOf(request, CFG.SET) ? [cpPayload(CFG.ACK, [])] : []),
  ];
}

const asks = (attributes: ConfigAttribute[], family: AddressFamily): boolean =>
  attributes.some((a) => a.type === FAMILIES[family].attribute);

/** Attributes for those that were asked for; what we do not know is left out. */
function reply(core: Core, sa: IkeSa, asked: ConfigAttribute[]): ConfigAttribute[] {
  const addresses = NAMES.filter((family) => asks(asked, family)).flatMap((family) =>
    lease(core, sa, asked, family),
  );
  const version = asked.some((a) => a.type === CFG_ATTRIBUTE.APPLICATION_VERSION);
  const supported = asked.some((a) => a.type === CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES);
  return [
    ...addresses,
    // Section 2.20: who does not tell sends an empty one.
    ...(version ? [{ type: CFG_ATTRIBUTE.APPLICATION_VERSION, data: EMPTY }] : []),
    ...(supported ? [{ type: CFG_ATTRIBUTE.SUPPORTED_ATTRIBUTES, data: concat(...SUPPORTED.map(u16)) }] : []),
  ];
}

/** One address of this family for the SA, the one it has if it has one; nothing if there is none. */
function lease(core: Core, sa: IkeSa, asked: ConfigAttribute[], family: AddressFamily): ConfigAttribute[] {
  const { attribute, tsType } = FAMILIES[family];
  const known = sa.leased?.find((ts) => ts.tsType === tsType);
  const address = known?.startAddress ?? freeAddress(core, addressesIn(asked, family), tsType);
  if (!address) return [];
  if (!known) sa.leased = [...(sa.leased ?? []), hostSelector(tsType, address)];
  return [{ type: attribute, data: family === "ipv6" ? concat(address, Uint8Array.of(128)) : address }];
}

/** The suggested address if it is ours to give and free, else the first free one. */
function freeAddress(core: Core, suggested: TrafficSelector[], tsType: number): Uint8Array | undefined {
  const pools = core.policy.addressPools.filter((pool) => pool.tsType === tsType);
  const taken = [...core.sas.values()].flatMap((sa) => sa.leased ?? []);
  const inUse = (address: Uint8Array) => taken.some((t) => equal(t.startAddress, address));
  const wish = suggested.find((s) => isSubset([s], pools) && !inUse(s.startAddress));
  if (wish) return wish.startAddress;
  for (const pool of pools) {
    // The first address of an IPv4 network is not a host's.
    const network = pool.startAddress.length === 4 && !equal(pool.startAddress, pool.endAddress);
    let address = network ? next(pool.startAddress) : pool.startAddress;
    while (inUse(address) && !equal(address, pool.endAddress)) address = next(address);
    if (!inUse(address)) return address;
  }
  return undefined;
}

/** The address after this one. */
function next(address: Uint8Array): Uint8Array {
  const after = Uint8Array.from(address);
  for (let i = after.length - 1; i >= 0; i--) {
    after[i] = ((after[i] ?? 0) + 1) & 255;
    if (after[i] !== 0) break;
  }
  return after;
}
