/** What a member makes of the policy in a GSA payload: RFC 9838 section 4.4. */

import type { KeyWrap } from "../crypto/key-wrap.ts";
import { type SignatureScheme, schemeOfIdentifier } from "../crypto/signatures.ts";
import type { SuiteTransforms } from "../crypto/types.ts";
import { sameTransform } from "../ike/proposals.ts";
import { equal } from "../wire/bytes.ts";
import type { GroupWidePolicy, GsaPayload, GsaPolicy } from "../wire/group-types.ts";
import { GSA_ATTRIBUTE, GW_POLICY_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import { GCAUTH } from "../wire/registry/group-transforms.ts";
import { PROTOCOL } from "../wire/registry/protocol-ids.ts";
import { SN } from "../wire/registry/sn.ts";
import { TRANSFORM_ATTRIBUTE } from "../wire/registry/transform-attributes.ts";
import { TRANSFORM } from "../wire/registry/transform-types.ts";
import { TS_TYPE } from "../wire/registry/ts-types.ts";
import type { Proposal, TrafficSelector, Transform, TransformAttribute } from "../wire/types.ts";
import { kwaOf, suiteOf } from "./keys.ts";

/** On what a policy came: at registration, by GSA_REKEY, or by GSA_INBAND_REKEY. */
export type Way = "registration" | "multicast" | "inband";

/** An SA of the group before its keys are known. Times in seconds. */
export interface PlannedSa {
  protocolId: number;
  spi: Uint8Array;
  source: TrafficSelector;
  destination: TrafficSelector;
  suite: SuiteTransforms;
  /** Not set: no end is known. */
  lifetime?: number;
  /** SPIs of its successors (GSA_NEXT_SPI). */
  nextSpis: Uint8Array[];
}

export interface PlannedData extends PlannedSa {
  /** Transform id of the sequence numbers. */
  sn: number;
}

export interface PlannedRekey extends PlannedSa {
  kwa: KeyWrap;
  initialMessageId?: number;
  /** Only at registration. */
  auth?: PlannedAuth;
}

/** How GSA_REKEY is proven; the identifier is that of the policy, in DER. */
export type PlannedAuth = "implicit" | { scheme: SignatureScheme; algorithmIdentifier: Uint8Array };

export interface Plan {
  rekey?: PlannedRekey;
  data: PlannedData[];
  ATD: number;
  DTD: number;
  senderIdBits?: number;
  /** What was wrong, but not enough to refuse everything. */
  findings: string[];
}

/** `malformed`: nobody can make anything of it. `unacceptable`: forbidden, or not what this member wants. */
export interface Fault {
  fault: "malformed" | "unacceptable";
  reason: string;
}

export const isFault = (result: object): result is Fault => "fault" in result;

const malformed = (reason: string): Fault => ({ fault: "malformed", reason });
const unacceptable = (reason: string): Fault => ({ fault: "unacceptable", reason });

/** Algorithms of an SA that a member takes: proposals with several transforms of a type, as in SAg. */
export type Acceptable = readonly Proposal[];

/** What a member that lies does not mind. */
export interface Lenience {
  /** GCAUTH in a rekey. */
  takesGcauth?: boolean;
  /** Algorithms that it did not offer, and 64-bit numbers. */
  takesAny?: boolean;
}

/** Judges a whole GSA payload whose parts have the right form. */
export function planOf(
  gsa: GsaPayload,
  way: Way,
  acceptable: Acceptable,
  lenience: Lenience = {},
): Plan | Fault {
  const groupWide = gsa.policies.filter((policy) => policy.kind === "group-wide");
  const sas = gsa.policies.filter((policy) => policy.kind === "SA");
  const rekeys = sas.filter(({ protocolId }) => protocolId === PROTOCOL.GIKE_UPDATE);
  if (groupWide.length > 1) return malformed("several group-wide policies");
  if (rekeys.length > 1) return malformed("several Rekey SAs");
  if (sas.length === 0) return malformed("neither a Rekey SA nor a Data-Security SA");
  const plan: Plan = { data: [], findings: [], ...groupWideOf(groupWide[0]) };
  const fault = sas
    .map((policy) =>
      policy === rekeys[0] ? addRekey(plan, policy, way, lenience) : addData(plan, policy, lenience),
    )
    .find((found) => found !== undefined);
  return fault ?? doubled(plan) ?? (lenience.takesAny ? undefined : unwanted(sas, acceptable)) ?? plan;
}

function groupWideOf(policy: GroupWidePolicy | undefined): Pick<Plan, "ATD" | "DTD" | "senderIdBits"> {
  const value = (type: number) => {
    const found = policy?.attributes.find((attribute) => attribute.type === type)?.value;
    return typeof found === "number" ? found : undefined;
  };
  const bits = value(GW_POLICY_ATTRIBUTE.GWP_SENDER_ID_BITS);
  return {
    ATD: value(GW_POLICY_ATTRIBUTE.GWP_ATD) ?? 0,
    DTD: value(GW_POLICY_ATTRIBUTE.GWP_DTD) ?? 0,
    ...(bits !== undefined && { senderIdBits: bits }),
  };
}

/** Values of the octet strings among the attributes with this type. */
const strings = (attributes: TransformAttribute[], type: number): Uint8Array[] =>
  attributes.flatMap((attribute) =>
    attribute.type === type && attribute.value instanceof Uint8Array ? [attribute.value] : [],
  );

/** A 32-bit number in a TLV attribute. */
function number32(attributes: TransformAttribute[], type: number): number | undefined {
  const [value] = strings(attributes, type);
  if (value?.length !== 4) return undefined;
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0);
}

/** Successors of one SA that are remembered. */
const MOST_PROMISES = 16;

function common(policy: GsaPolicy, suite: SuiteTransforms): PlannedSa {
  const { protocolId, spi, source, destination, attributes } = policy;
  const lifetime = number32(attributes, GSA_ATTRIBUTE.GSA_KEY_LIFETIME);
  const nextSpis = strings(attributes, GSA_ATTRIBUTE.GSA_NEXT_SPI).slice(0, MOST_PROMISES);
  return {
    protocolId,
    spi,
    source,
    destination,
    suite,
    nextSpis,
    ...(lifetime !== undefined && { lifetime }),
  };
}

const ofType = (policy: GsaPolicy, type: number): Transform[] =>
  policy.transforms.filter((transform) => transform.type === type);

/** Exactly one of each mandatory type, at most one of the others, and an INTEG only where the cipher needs it. */
function wrongTransforms({ transforms }: GsaPolicy, mandatory: number[]): string | undefined {
  const types = transforms.map(({ type }) => type);
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) return `two transforms of type ${twice}`;
  const missing = mandatory.find((type) => !types.includes(type));
  return missing === undefined ? undefined : `no transform of type ${missing}`;
}

function addData(plan: Plan, policy: GsaPolicy, { takesAny = false }: Lenience): Fault | undefined {
  const isEsp = policy.protocolId === PROTOCOL.ESP;
  const mandatory = isEsp ? [TRANSFORM.ENCR, TRANSFORM.SN] : [TRANSFORM.INTEG, TRANSFORM.SN];
  const wrong = wrongTransforms(policy, mandatory);
  if (wrong) return unacceptable(wrong);
  if (!isEsp) return unacceptable(`protocol ${policy.protocolId}`);
  const suite = suiteOf(policy.transforms);
  if (!suite) return unacceptable("algorithms that are unknown or do not fit each other");
  const sn = ofType(policy, TRANSFORM.SN)[0]?.id ?? SN.SEQUENTIAL_32;
  if (sn === SN.PARTIAL_64 && !takesAny) return unacceptable("64-bit sequence numbers");
  // Without numbers that rise nothing makes the IV unique (RFC 8750).
  if (suite.encr.implicitIv && sn !== SN.SEQUENTIAL_32) return unacceptable("an implicit IV");
  plan.data.push({ ...common(policy, suite), sn });
  return undefined;
}

function addRekey(plan: Plan, policy: GsaPolicy, way: Way, lenience: Lenience): Fault | undefined {
  const auth = authOf(policy);
  const { takesGcauth = way === "registration" } = lenience;
  if (!takesGcauth && auth !== "none") return malformed("GCAUTH in a rekey");
  const wrong = wrongTransforms(policy, [TRANSFORM.ENCR, TRANSFORM.KWA]);
  if (wrong) return unacceptable(wrong);
  const suite = suiteOf(policy.transforms);
  const kwa = kwaOf(policy.transforms);
  if (!suite || !kwa || suite.encr.implicitIv) return unacceptable("algorithms of the Rekey SA");
  if (way === "registration" && (auth === "none" || auth === "unknown"))
    return unacceptable("how GSA_REKEY is authenticated");
  if (!isOneUdpGroup(policy.destination)) return unacceptable("the destination of the Rekey SA");
  const first = number32(policy.attributes, GSA_ATTRIBUTE.GSA_INITIAL_MESSAGE_ID);
  plan.rekey = {
    ...common(policy, suite),
    kwa,
    ...(first !== undefined && { initialMessageId: first }),
    ...(auth !== "none" && auth !== "unknown" && { auth }),
  };
  return undefined;
}

/** How GSA_REKEY is proven (section 4.4.2.1.1). */
function authOf(policy: GsaPolicy): PlannedAuth | "none" | "unknown" {
  const [gcauth] = ofType(policy, TRANSFORM.GCAUTH);
  if (!gcauth) return "none";
  const named = strings(gcauth.attributes, TRANSFORM_ATTRIBUTE.SIGNATURE_ALGORITHM_IDENTIFIER);
  if (gcauth.id === GCAUTH.IMPLICIT) return named.length === 0 ? "implicit" : "unknown";
  const [algorithmIdentifier] = named;
  if (gcauth.id !== GCAUTH.DIGITAL_SIGNATURE || !algorithmIdentifier || named.length > 1) return "unknown";
  const scheme = schemeOfIdentifier(algorithmIdentifier);
  return scheme ? { scheme, algorithmIdentifier } : "unknown";
}

const UDP = 17;

function isOneUdpGroup(ts: TrafficSelector): boolean {
  const first = ts.startAddress[0] ?? 0;
  const multicast = ts.tsType === TS_TYPE.TS_IPV6_ADDR_RANGE ? first === 0xff : first >> 4 === 0xe;
  const one = equal(ts.startAddress, ts.endAddress) && ts.startPort === ts.endPort;
  return multicast && one && ts.ipProtocol === UDP;
}

/** Two SAs with one SPI, as nobody could tell them apart. ESP and AH for one selector need AH, which is refused. */
function doubled({ data }: Plan): Fault | undefined {
  const twice = data.some(({ spi }, index) => data.findIndex((other) => equal(other.spi, spi)) !== index);
  return twice ? malformed("two SAs with one SPI") : undefined;
}

/** A proposal that says nothing of GCAUTH takes any. How a signature is made is not for this to judge. */
function allows({ transforms }: Proposal, wanted: Transform): boolean {
  if (wanted.type === TRANSFORM.INTEG && wanted.id === 0) return true;
  if (wanted.type !== TRANSFORM.GCAUTH) return transforms.some((offered) => sameTransform(offered, wanted));
  const offered = transforms.filter(({ type }) => type === TRANSFORM.GCAUTH);
  return offered.length === 0 || offered.some(({ id }) => id === wanted.id);
}

/** True if one proposal for this protocol has every transform. */
const isWanted = (policy: GsaPolicy, acceptable: Acceptable): boolean =>
  acceptable.some(
    (proposal) =>
      proposal.protocolId === policy.protocolId &&
      policy.transforms.every((transform) => allows(proposal, transform)),
  );

function unwanted(policies: GsaPolicy[], acceptable: Acceptable): Fault | undefined {
  const found = policies.find((policy) => !isWanted(policy, acceptable));
  return found && unacceptable(`algorithms of protocol ${found.protocolId} that we did not offer`);
}
