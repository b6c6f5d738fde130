/** Weak parameters: an offer of nothing but what is broken, and values given back to the peer. */
import type { OutgoingMessage } from "../../harness/ike/hooks.ts";
import { equal } from "../../harness/wire/bytes.ts";
import { encodeChain } from "../../harness/wire/index.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import type { Payload, Proposal, SaPayload, Transform } from "../../harness/wire/types.ts";
import { whole } from "./bend.ts";
import type { IkeOperator } from "./operator.ts";
import { replace } from "./place.ts";

/** Transforms that take the place of all of their type; null: those of the type are left out. */
type Weakness = Partial<Record<"ENCR" | "PRF" | "INTEG" | "KE", number | null>>;

const weaknesses: Readonly<Record<string, Weakness>> = {
  ENCR_NULL: { ENCR: 11 },
  "ENCR_NULL without integrity": { ENCR: 11, INTEG: null },
  "ENCR_NULL with integrity NONE": { ENCR: 11, INTEG: 0 },
  "no encryption": { ENCR: null },
  DES: { ENCR: 2 },
  DES_IV64: { ENCR: 1 },
  RC5: { ENCR: 4 },
  "no integrity": { INTEG: null },
  "integrity NONE": { INTEG: 0 },
  HMAC_MD5: { INTEG: 1 },
  DES_MAC: { INTEG: 3 },
  PRF_HMAC_MD5: { PRF: 1 },
  "no PRF": { PRF: null },
  "MODP-768": { KE: 1 },
  "MODP-1024": { KE: 2 },
  "MODP-1024 with 160-bit subgroup": { KE: 22 },
  "no key exchange": { KE: null },
  "key exchange NONE": { KE: 0 },
};

/** ENCR_NULL. */
const NULL = 11;
const TYPES = ["ENCR", "PRF", "INTEG", "KE"] as const;

function weakened(proposal: Proposal, weakness: Weakness): Proposal {
  let transforms = proposal.transforms;
  for (const name of TYPES) {
    const id = weakness[name];
    if (id === undefined) continue;
    const type = TRANSFORM[name];
    const others = transforms.filter((transform) => transform.type !== type);
    const weak: Transform[] = id === null ? [] : [{ type, id, attributes: [] }];
    transforms = [...others, ...weak];
  }
  return { ...proposal, transforms };
}

const offer = ({ payloads }: OutgoingMessage): SaPayload | undefined =>
  payloads.find((payload): payload is SaPayload => payload.kind === "SA" && payload.proposals.length > 0);

/** The message with its first proposal weakened, and no other; false if it does not fit, or was as weak before. */
function weaken(
  message: OutgoingMessage,
  SA: SaPayload | undefined,
  weakness: Weakness | undefined,
): boolean {
  const [first] = SA?.proposals ?? [];
  if (!SA || !first || !weakness) return false;
  const weaker: SaPayload = { ...SA, proposals: [weakened(first, weakness)] };
  if (equal(encodeChain([SA]), encodeChain([weaker]))) return false;
  return replace(message, SA, weaker);
}

const weak: IkeOperator = {
  name: "offer-weak",
  on: "ike",
  family: "crypto",
  effect: "Offers, or chooses, nothing but no or weak encryption, integrity or key exchange.",
  draw: (message, dice) => (offer(message) ? { at: dice.pick(Object.keys(weaknesses)) } : undefined),
  apply: (message, { at = "" }) =>
    weaken(message, offer(message), Object.hasOwn(weaknesses, at) ? weaknesses[at] : undefined),
};

const ESP = 3;
const espOffer = (message: OutgoingMessage): SaPayload | undefined => {
  const SA = offer(message);
  return SA?.proposals.every(({ protocolId }) => protocolId === ESP) ? SA : undefined;
};

const unprotected: IkeOperator = {
  name: "offer-unprotected",
  on: "ike",
  family: "crypto",
  effect: "Offers, or chooses, for ESP neither encryption nor integrity.",
  demand: { document: "rfc4303", requirement: "ESP-01", never: "child" },
  draw: (message, dice) => (espOffer(message) ? { value: dice.number(2) } : undefined),
  apply(message, change) {
    const kind = whole(change, 0, 1);
    if (kind === undefined) return false;
    return weaken(message, espOffer(message), { ENCR: NULL, INTEG: kind === 0 ? null : 0 });
  },
};

/** An operator that gives a value of the request back in our response. */
const reflected = (name: string, effect: string, kind: "KE" | "Nonce"): IkeOperator => ({
  name,
  effect,
  on: "ike",
  family: "crypto",
  draw: (message) => (valueIn(message.payloads, kind) && message.isResponse ? {} : undefined),
  apply(message) {
    const own = valueIn(message.payloads, kind);
    const theirs = valueIn(message.request?.payloads ?? [], kind);
    if (!own || !theirs) return false;
    return replace(message, own, { ...own, data: Uint8Array.from(theirs.data) });
  },
});

type Valued = Extract<Payload, { kind: "KE" | "Nonce" }>;

const valueIn = (payloads: readonly Payload[], kind: Valued["kind"]): Valued | undefined =>
  payloads.find((payload): payload is Valued => payload.kind === kind);

export const weakOperators: readonly IkeOperator[] = [
  weak,
  unprotected,
  reflected("ke-reflect", "Gives the peer's own public value back.", "KE"),
  reflected("nonce-reflect", "Gives the peer's own nonce back.", "Nonce"),
];
