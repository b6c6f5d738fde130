/** What a member takes out of a KD payload for the SAs of a plan: RFC 9838 section 4.5. */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { DirectionKeys } from "../crypto/keys.ts";
import { equal, hex } from "../wire/bytes.ts";
import type { GroupKeyBag, KdPayload, WrappedKey } from "../wire/group-types.ts";
import { MEMBER_KEY_BAG_ATTRIBUTE } from "../wire/registry/group-attributes.ts";
import type { TransformAttribute } from "../wire/types.ts";
import { groupBags, saKeys, wrappedKeys } from "./group-payloads.ts";
import { type KeyPath, KeyRing } from "./key-path.ts";
import { type RekeyKeys, splitDataKeymat, splitRekeyKeymat, type Wrapping } from "./keys.ts";
import type { Fault, Plan, PlannedData, PlannedRekey, PlannedSa, Way } from "./member-policy.ts";

export interface KeyedData {
  planned: PlannedData;
  KEYMAT: Uint8Array;
  keys: DirectionKeys;
}

/** What a message brings, besides policy. */
export interface Keys {
  rekey?: { planned: PlannedRekey; keys: RekeyKeys };
  data: KeyedData[];
  /** The Working Key Path from now on. */
  path: KeyPath;
  /** The controller's signing key, where it told one. */
  authKey?: KeyObject;
  senderIds: number[];
  /** Why there is no way to the key of the Rekey SA: the member is excluded. */
  excluded?: string;
  findings: string[];
}

/** Opens the key bags for the SAs of the plan; those without key are left out, and a finding says why. */
export function keysOf(
  kd: KdPayload,
  plan: Plan,
  { wrapping, path, way }: { wrapping: Wrapping; path: KeyPath; way: Way },
): Keys | Fault {
  const own = kd.bags.filter((bag) => bag.kind === "member").flatMap(({ attributes }) => attributes);
  const senderIds = own.filter(({ type }) => type === MEMBER_KEY_BAG_ATTRIBUTE.GM_SENDER_ID);
  const authKeys = own.filter(({ type }) => type === MEMBER_KEY_BAG_ATTRIBUTE.AUTH_KEY);
  if (senderIds.length > 0 && way !== "registration") return malformed("GM_SENDER_ID in a rekey");
  const authKey = authKeys[0] && publicKey(authKeys[0], plan);
  if (authKeys[0] && !authKey) return malformed("an AUTH_KEY that does not fit");
  const ids = senderIds.map(senderId);
  if (ids.some((id) => id === undefined)) return malformed("a Sender-ID of more than 32 bits");
  const wraps = own.filter(({ type }) => type === MEMBER_KEY_BAG_ATTRIBUTE.WRAP_KEY);
  const findings = wraps.length > 0 && way === "inband" ? ["WRAP_KEY in a GSA_INBAND_REKEY"] : [];
  const ring = new KeyRing({
    ...{ path, GSK_w: wrapping.GSK_w, keyOctets: wrapping.kwa.keyLength, unwrap: wrapping.kwa.unwrap },
    wrapKeys: way === "inband" ? [] : wrappedKeys(wraps.map(({ value }) => value)),
  });
  findings.push(...ring.findings);
  const result: Keys = { path, senderIds: ids.flatMap((id) => id ?? []), data: [], findings };
  if (authKey) result.authKey = authKey;
  for (const planned of plan.data) openData(result, ring, planned, kd);
  if (plan.rekey) openRekey(result, ring, plan.rekey, kd);
  findings.push(...strangers(kd, plan));
  return result;
}

const malformed = (reason: string): Fault => ({ fault: "malformed", reason });

/** SubjectPublicKeyInfo in DER; undefined if it is none, or of another kind than the policy's algorithm takes. */
function publicKey({ value }: TransformAttribute, { rekey }: Plan): KeyObject | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    const key = createPublicKey({ key: Buffer.from(value), format: "der", type: "spki" });
    const auth = rekey?.auth;
    return auth === undefined || auth === "implicit" || auth.scheme.fits(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 9838 says no width: one to four octets, or more with zeros in front. */
function senderId({ value }: TransformAttribute): number | undefined {
  if (!(value instanceof Uint8Array) || value.subarray(0, -4).some((octet) => octet !== 0)) return undefined;
  return value.subarray(-4).reduce((id, octet) => id * 256 + octet, 0);
}

const isOf = (bag: GroupKeyBag, { protocolId, spi }: PlannedSa): boolean =>
  bag.protocolId === protocolId && equal(bag.spi, spi);

const name = ({ protocolId, spi }: { protocolId: number; spi: Uint8Array }): string =>
  `protocol ${protocolId} SPI ${hex(spi)}`;

/** The SA_KEYs of an SA; undefined without a bag. */
function saKeysFor(kd: KdPayload, planned: PlannedSa): WrappedKey[] | undefined {
  const bags = groupBags([kd]).filter((bag) => isOf(bag, planned));
  return bags.length === 0 ? undefined : bags.flatMap(saKeys);
}

/** Bags for SAs that no policy speaks of. */
function strangers(kd: KdPayload, { data, rekey }: Plan): string[] {
  const planned: PlannedSa[] = rekey ? [...data, rekey] : data;
  return kd.bags.flatMap((bag) =>
    bag.kind === "group" && !planned.some((sa) => isOf(bag, sa)) ? [`a key bag for ${name(bag)}`] : [],
  );
}

function openData(result: Keys, ring: KeyRing, planned: PlannedData, kd: KdPayload): void {
  const { findings } = result;
  const wrapped = saKeysFor(kd, planned);
  const usable = wrapped?.length === 1 && wrapped[0]?.kwkId === 0;
  const opened = usable
    ? ring.open(wrapped)
    : { failure: wrapped ? "not one SA_KEY with KWK ID 0" : "no key bag" };
  if ("failure" in opened) return void findings.push(`${name(planned)}: ${opened.failure}`);
  const keys = splitDataKeymat(opened.KEYMAT, planned.suite);
  if (keys) result.data.push({ planned, KEYMAT: opened.KEYMAT, keys });
  else findings.push(`${name(planned)}: KEYMAT of ${opened.KEYMAT.length} octets`);
}

function openRekey(result: Keys, ring: KeyRing, planned: PlannedRekey, kd: KdPayload): void {
  const wrapped = saKeysFor(kd, planned);
  const opened = wrapped ? ring.open(wrapped) : { failure: "no key bag" };
  const keys = "failure" in opened ? undefined : splitRekeyKeymat(opened.KEYMAT, planned.suite, planned.kwa);
  if ("failure" in opened) result.excluded = opened.failure;
  else if (!keys) result.excluded = `KEYMAT of ${opened.KEYMAT.length} octets`;
  else {
    result.rekey = { planned, keys };
    result.path = opened.path;
  }
}
