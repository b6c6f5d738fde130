/** The lengths and values of key exchange data: RFC 7296 section 3.4, ML-KEM, FrodoKEM. */
import { hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { KE } from "../../wire/registry/ke.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import type { KePayload } from "../../wire/types.ts";
import { concerning } from "../concern.ts";
import { all, breachIn, first } from "../parts.ts";
import { type LintMessage, NONE, otherRole, type Part, type Rule } from "../rule.ts";
import type { Breach } from "../types.ts";
import { exchangeRule, messageRule, saRule } from "./forms.ts";

/** Octets of a public value. */
const MODP: ReadonlyMap<number, number> = new Map([
  [KE.MODP768, 96],
  [KE.MODP1024, 128],
  [KE.MODP1536, 192],
  [KE.MODP2048, 256],
  [KE.MODP3072, 384],
  [KE.MODP4096, 512],
  [KE.MODP6144, 768],
  [KE.MODP8192, 1024],
  [KE.MODP1024_160, 128],
  [KE.MODP2048_224, 256],
  [KE.MODP2048_256, 256],
]);

/** Octets of the encapsulation key and of the ciphertext, and of the vector of polynomials in the former. */
const ML_KEM: ReadonlyMap<number, { request: number; response: number }> = new Map([
  [KE.ML_KEM_512, { request: 800, response: 768 }],
  [KE.ML_KEM_768, { request: 1184, response: 1088 }],
  [KE.ML_KEM_1024, { request: 1568, response: 1568 }],
]);

const FRODO: ReadonlyMap<number, { request: number; response: number }> = new Map([
  [KE.FRODOKEM_976_AES, { request: 15632, response: 15792 }],
  [KE.FRODOKEM_976_SHAKE, { request: 15632, response: 15792 }],
  [KE.FRODOKEM_1344_AES, { request: 21520, response: 21696 }],
  [KE.FRODOKEM_1344_SHAKE, { request: 21520, response: 21696 }],
]);

/** Offset of the key exchange data behind the first octet of the payload. */
const DATA = 8;

const ofLength = (part: Part<KePayload>, octets: number): Breach[] => {
  const { data, group } = part.payload;
  if (data.length === octets) return [];
  const reason = `${data.length} octets for method ${group}, which has ${octets}`;
  return [breachIn(part, reason, DATA, "key exchange data")];
};

/** In IKE_SA_INIT and CREATE_CHILD_SA `ke.ts` judges. */
const ROUNDS: ReadonlySet<number> = new Set([EXCHANGE.IKE_INTERMEDIATE, EXCHANGE.IKE_FOLLOWUP_KE]);

const modp = messageRule("rfc7296")("modp-value-of-round-not-padded", ["IKEV2-253"], (message) =>
  ROUNDS.has(message.exchangeType)
    ? all(message, "KE").flatMap((part) => {
        const octets = MODP.get(part.payload.group);
        return octets === undefined ? [] : ofLength(part, octets);
      })
    : NONE,
);

const mlKemLength = messageRule("mlkem")("ml-kem-value-of-wrong-length", ["MLKEM-03"], (message) =>
  all(message, "KE").flatMap((part) => {
    const octets = ML_KEM.get(part.payload.group);
    return octets === undefined ? [] : ofLength(part, message.isResponse ? octets.response : octets.request);
  }),
);

const Q = 3329;
/** Octets of rho, behind the coefficients. */
const SEED = 32;

/** Whether all coefficients of an encapsulation key are reduced (FIPS 203 section 7.2). */
function isReduced(key: Uint8Array): boolean {
  for (let at = 0; at + 2 < key.length - SEED; at += 3) {
    const [a = 0, b = 0, c = 0] = key.subarray(at, at + 3);
    if ((a | ((b & 0x0f) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) return false;
  }
  return true;
}

const mlKemKey = messageRule("mlkem")("ml-kem-key-not-reduced", ["MLKEM-01"], (message) => {
  if (message.isResponse) return NONE;
  return all(message, "KE").flatMap((part) => {
    const { group, data } = part.payload;
    if (data.length !== ML_KEM.get(group)?.request || isReduced(data)) return [];
    return [
      breachIn(part, "a coefficient of the encapsulation key is 3329 or more", DATA, "key exchange data"),
    ];
  });
});

/** Values remembered per IKE SA. */
const MOST_VALUES = 64;

/** All attempts of IKE_SA_INIT are one key exchange: the key of a request that comes again with a cookie stays. */
const placeOf = ({ exchangeType, messageId, isResponse, by }: LintMessage): string =>
  exchangeType === EXCHANGE.IKE_SA_INIT ? "init" : `${isResponse ? otherRole(by) : by} ${messageId}`;

const VALUES = { request: "encapsulation key", response: "ciphertext" };

/** A value counts once a KE payload answered: that of an exchange that failed may serve the next attempt. */
const mlKemFresh = saRule("mlkem")("ml-kem-value-used-again", ["MLKEM-16", "MLKEM-16a"], () => {
  const known = new Map<string, string>();
  const remember = (value: Uint8Array, place: string): void => {
    known.set(hex(value), place);
    if (known.size > MOST_VALUES) known.delete(known.keys().next().value ?? "");
  };
  return (message, { exchange, as }) => {
    const part = first(message, "KE");
    if (as !== "first" || !part || !ML_KEM.has(part.payload.group)) return NONE;
    const place = placeOf(message);
    const before = known.get(hex(part.payload.data));
    const asked = message.isResponse && exchange?.request && first(exchange.request, "KE");
    if (asked) for (const { payload } of [asked, part]) remember(payload.data, place);
    if (before === undefined || before === place) return NONE;
    const requirement = message.isResponse ? "MLKEM-16a" : "MLKEM-16";
    const what = VALUES[message.isResponse ? "response" : "request"];
    return [
      { ...breachIn(part, `the ${what} of another key exchange`, DATA, "key exchange data"), requirement },
    ];
  };
});

/** The numbers are of private use: that they stand for FrodoKEM is seen by the request. */
const frodo = exchangeRule("frodokem")(
  "frodokem-ciphertext-of-wrong-length",
  ["FRODO-04"],
  ({ request, response }) => {
    const asked = first(request, "KE")?.payload;
    const answered = first(response, "KE");
    const octets = answered && FRODO.get(answered.payload.group);
    if (!octets || asked?.group !== answered.payload.group || asked.data.length !== octets.request)
      return NONE;
    return ofLength(answered, octets.response);
  },
);

/** Of the values of key exchanges. */
export const kem: readonly Rule[] = concerning<Rule>({ payloads: [PAYLOAD.KE] }, [
  ...[modp, mlKemLength, mlKemKey, mlKemFresh, frodo],
]);
