/** The Encrypted payload: IV and padding (RFC 7296 section 3.14, RFC 5282, RFC 7634). */
import { hex } from "../../wire/bytes.ts";
import { ENCR, encrTransforms } from "../../wire/registry/encr.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { INTEG } from "../../wire/registry/integ.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Proposal, SkPayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { breachIn, isKind } from "../parts.ts";
import { type LintMessage, NONE, type Part, type Rule } from "../rule.ts";
import type { Role } from "../types.ts";
import { ofMessage, ofSa } from "./rfc7296.ts";

const PAYLOAD_HEADER = 4;
const AES_BLOCK = 16;
const AEAD_IV = 8;
const POLY1305_TAG = 16;

const ICV = new Map<number, number>([
  [INTEG.HMAC_SHA1_96, 12],
  [INTEG.AES_XCBC_96, 12],
  [INTEG.AES_CMAC_96, 12],
  [INTEG.HMAC_SHA2_256_128, 16],
  [INTEG.HMAC_SHA2_384_192, 24],
  [INTEG.HMAC_SHA2_512_256, 32],
]);

const idOf = (suite: Proposal | undefined, type: number): number | undefined =>
  suite?.transforms.find((transform) => transform.type === type)?.id;

/** The SK payload of a message that was opened and is not in fragments. */
function skOf(message: LintMessage): Part<SkPayload> | undefined {
  const part = message.opened && message.seen.fragments === undefined ? message.clear.at(-1) : undefined;
  return part && isKind(part, "SK") ? part : undefined;
}

const padding = ofMessage("padding-longer-than-needed", ["IKEV2-282", "IKEV2-309"], (message, { suite }) => {
  const part = skOf(message);
  const cipher = idOf(suite, TRANSFORM.ENCR);
  const icv = ICV.get(idOf(suite, TRANSFORM.INTEG) ?? 0);
  const { plaintext } = message.seen;
  if (!part || !plaintext) return NONE;
  if (cipher === ENCR.CHACHA20_POLY1305) {
    const octets = part.payload.data.length - AEAD_IV - POLY1305_TAG - plaintext.length - 1;
    return octets > 0
      ? [{ ...breachIn(part, `${octets} octets of padding`), requirement: "IKEV2-309" }]
      : NONE;
  }
  if (cipher !== ENCR.AES_CBC || icv === undefined) return NONE;
  const octets = part.payload.data.length - AES_BLOCK - icv - plaintext.length - 1;
  return octets >= AES_BLOCK ? [breachIn(part, `${octets} octets of padding, fewer fill the block`)] : NONE;
});

const MOST_IVS = 4096;

/** AES-GCM and ChaCha20-Poly1305 lose all secrecy by it. */
const ivAgain = ofSa("iv-used-again", ["IKEV2-280", "IKEV2-302"], (sa) => {
  const used: Record<Role, Set<string>> = { initiator: new Set(), responder: new Set() };
  return (message, { as }) => {
    const part = skOf(message);
    const cipher = idOf(sa.suite, TRANSFORM.ENCR);
    // Keys change on the way where key exchanges follow in IKE_INTERMEDIATE.
    if (!part || as === "copy" || message.exchangeType === EXCHANGE.IKE_INTERMEDIATE) return NONE;
    if (cipher === undefined) return NONE;
    const isAead = encrTransforms.get(cipher)?.aead === true;
    if (!isAead && cipher !== ENCR.AES_CBC) return NONE;
    const iv = hex(part.payload.data.subarray(0, isAead ? AEAD_IV : AES_BLOCK));
    const known = used[message.by];
    const again = known.has(iv);
    if (known.size < MOST_IVS) known.add(iv);
    if (!again) return NONE;
    const breach = breachIn(part, `the IV ${iv} was used in a message before`, PAYLOAD_HEADER, "IV");
    return [{ ...breach, requirement: isAead ? "IKEV2-302" : "IKEV2-280" }];
  };
});

export const sk: readonly Rule[] = concerning<Rule>({ payloads: [PAYLOAD.SK] }, [padding, ivAgain]);
