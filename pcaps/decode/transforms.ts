/** Keys as read from files, fitted with the transforms that use them. */
import { encrTransform } from "../../harness/crypto/encr.ts";
import { integTransform } from "../../harness/crypto/integ.ts";
import type { Encr, Integ, SuiteTransforms } from "../../harness/crypto/types.ts";
import type { Protection } from "../../harness/ike/sk.ts";
import { EMPTY } from "../../harness/wire/bytes.ts";
import { ANY_INTEG, type EspSaKeys, type IkeSaKeys } from "../keys.ts";

/** One generation of the keys of an IKE SA, ready for use. */
export interface IkeKeySet {
  keys: IkeSaKeys;
  fromInitiator: Protection;
  fromResponder: Protection;
  /** False where there is no key for the ICV: it is skipped by its length. */
  checked: boolean;
}

/** Keys of one ESP SA, ready for use. */
export interface EspKeySet {
  keys: EspSaKeys;
  transforms: SuiteTransforms;
  /** False where there is no key for the ICV. */
  checked: boolean;
}

/** Why keys cannot be used, in a sentence without them. */
export interface Unusable {
  reason: string;
}

const isUnusable = (value: object): value is Unusable => "reason" in value;

/** An integrity transform that is known by the length of its ICV alone; `id` is ANY_INTEG and its octets. */
const unknownInteg = (id: number): Integ => ({
  id,
  name: "ANY",
  keyLength: 0,
  icvLength: id - ANY_INTEG,
  compute: () => EMPTY,
});

const NO_INTEG = 0;

function integOf(id = NO_INTEG): Integ | Unusable | undefined {
  if (id === NO_INTEG) return undefined;
  if (id > ANY_INTEG && id <= ANY_INTEG + 64) return unknownInteg(id);
  return integTransform(id) ?? { reason: `integrity transform ${id} is not known here` };
}

function suiteOf(encrId: number, keyBits?: number, integId?: number): SuiteTransforms | Unusable {
  const encr = encrTransform(encrId, keyBits);
  if (!encr) {
    const bits = keyBits === undefined ? "without key length" : `with ${keyBits} bits`;
    return { reason: `encryption transform ${encrId} ${bits} is not known here` };
  }
  const integ = encr.aead ? undefined : integOf(integId);
  return integ && isUnusable(integ) ? integ : { encr, integ };
}

const misfit = (name: string, key: Uint8Array, octets: number, of: Encr | Integ): Unusable | undefined =>
  key.length === octets
    ? undefined
    : { reason: `${name} has ${key.length} octets, ${of.name} takes ${octets}` };

/** Whether there are keys for the ICV; they may be left out, both or none. */
const hasKeys = (integ: Integ | undefined, ...keys: Uint8Array[]): boolean =>
  integ !== undefined && integ.keyLength > 0 && keys.some((key) => key.length > 0);

/** Fits the keys of an IKE SA with their transforms. */
export function ikeKeySet(keys: IkeSaKeys): IkeKeySet | Unusable {
  const suite = suiteOf(keys.encrId, keys.keyBits, keys.integId);
  if (isUnusable(suite)) return suite;
  const { encr, integ } = suite;
  if (encr.implicitIv) return { reason: `${encr.name} is for ESP alone` };
  const { SK_ei, SK_er, SK_ai, SK_ar } = keys;
  const keyed = hasKeys(integ, SK_ai, SK_ar);
  const wrong =
    misfit("SK_ei", SK_ei, encr.keyLength, encr) ??
    misfit("SK_er", SK_er, encr.keyLength, encr) ??
    (keyed && integ ? misfit("SK_ai", SK_ai, integ.keyLength, integ) : undefined) ??
    (keyed && integ ? misfit("SK_ar", SK_ar, integ.keyLength, integ) : undefined);
  if (wrong) return wrong;
  return {
    keys,
    fromInitiator: { encr, integ, SK_e: SK_ei, SK_a: SK_ai, sealed: 0 },
    fromResponder: { encr, integ, SK_e: SK_er, SK_a: SK_ar, sealed: 0 },
    checked: encr.aead || keyed,
  };
}

/** Fits the keys of an ESP SA with their transforms. */
export function espKeySet(keys: EspSaKeys): EspKeySet | Unusable {
  const transforms = suiteOf(keys.encrId, keys.keyBits, keys.integId);
  if (isUnusable(transforms)) return transforms;
  const { encr, integ } = transforms;
  const keyed = hasKeys(integ, keys.integKey);
  const wrong =
    misfit("the encryption key", keys.encrKey, encr.keyLength, encr) ??
    (keyed && integ ? misfit("the integrity key", keys.integKey, integ.keyLength, integ) : undefined);
  return wrong ?? { keys, transforms, checked: encr.aead || keyed };
}

export { isUnusable };
