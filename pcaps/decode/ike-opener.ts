/** Opens the Encrypted payload of a message that was seen, with whichever generation of keys fits it. */
import { openPayload } from "../../harness/ike/sk.ts";
import { decodeChain } from "../../harness/wire/index.ts";
import { FLAG, type Message, type SkfPayload, type SkPayload } from "../../harness/wire/types.ts";
import type { KeyRing } from "./key-ring.ts";
import type { IkeKeySet } from "./transforms.ts";

export type IkeOpened =
  | { plaintext: Uint8Array; innerType: number; keys: IkeKeySet }
  | { error: "no-keys" | "icv" | "damaged" };

/** The Encrypted payload, which is the last; undefined in a message in clear. */
export function encryptedPayload({ payloads }: Message): SkPayload | SkfPayload | undefined {
  const last = payloads.at(-1);
  return last?.kind === "SK" || last?.kind === "SKF" ? last : undefined;
}

/**
 * Opens the payload, which was decoded from `octets`. The I flag tells whose keys; of the generations, the newest
 * whose ICV fits, for IKE_INTERMEDIATE (RFC 9370) changes keys under the same SPIs. Keys without SPIs are tried when no
 * others fit.
 */
export function openIke(
  ring: KeyRing,
  octets: Uint8Array,
  { header }: Message,
  payload: SkPayload | SkfPayload,
): IkeOpened {
  const fromInitiator = (header.flags & FLAG.initiator) !== 0;
  const open = (keys: IkeKeySet) => openWith(keys, fromInitiator, octets, payload);
  const generations = ring.ikeOf(header.spiI, header.spiR);
  let error: Closed["error"] = "no-keys";
  for (let index = generations.length - 1; index >= 0; index--) {
    const opened = open(generations[index]!);
    if (!("error" in opened)) return opened;
    if (error !== "damaged") ({ error } = opened);
  }
  if (error === "damaged") return { error };
  const bound = ring.bind(header.spiI, header.spiR, (keys) => !("error" in open(keys)));
  return bound ? open(bound) : { error };
}

type Closed = { error: "no-keys" | "icv" | "damaged" };

/** Where there is no key for the ICV, what is inside must be a well-formed chain. */
function openWith(
  keys: IkeKeySet,
  fromInitiator: boolean,
  octets: Uint8Array,
  payload: SkPayload | SkfPayload,
): IkeOpened {
  const { checked } = keys;
  const protection = fromInitiator ? keys.fromInitiator : keys.fromResponder;
  const opened = openPayload(protection, octets, payload, !checked);
  if ("error" in opened) {
    // Too short for an ICV is damage whatever the keys; other damage shows only once the ICV was good.
    const damaged = opened.error === "length" || (checked && opened.error === "padding");
    return { error: damaged ? "damaged" : "icv" };
  }
  const fits = checked || readable(opened.innerType, opened.plaintext, payload);
  return fits ? { ...opened, keys } : { error: "icv" };
}

/** Whether decrypted octets can be what was sent; a fragment tells nothing. */
function readable(innerType: number, plaintext: Uint8Array, payload: SkPayload | SkfPayload): boolean {
  if (payload.kind === "SKF") return true;
  const { findings, trailing } = decodeChain(innerType, plaintext);
  return findings.length === 0 && trailing.length === 0;
}
