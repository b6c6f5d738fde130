/** Faults in what IKE_AUTH carries in its first SK payload. */
import { payload } from "../../../harness/ike/payloads.ts";
import { AUTH_METHOD, authMethods } from "../../../harness/wire/registry/auth-methods.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import { decidesUpon, type Fault, isOf, type Trigger, upon } from "./fault.ts";

/** The first request of IKE_AUTH, which has IDi. */
const isFirst: Trigger = (message) =>
  message.sa !== undefined &&
  isOf(message, EXCHANGE.IKE_AUTH, "request") &&
  message.payloads.some(({ type }) => type === PAYLOAD.IDi);

const lacksSelectors: Trigger = (message, core) => {
  const has = (type: number): boolean => message.payloads.some((p) => p.type === type);
  return isFirst(message, core) && has(PAYLOAD.SA) && has(PAYLOAD.TSi) !== has(PAYLOAD.TSr);
};

const FIRST_PRIVATE = 128;

const LEAK = 4 * 2 ** 20;
const LAST_ENCODING = 15;

const hasUnknownEncoding: Trigger = (message) =>
  isOf(message, EXCHANGE.IKE_AUTH, "request") &&
  message.sa !== undefined &&
  message.payloads.some(
    (p) => (p.kind === "CERT" || p.kind === "CERTREQ") && (p.encoding === 0 || p.encoding > LAST_ENCODING),
  );

/** What it takes for the least that an AUTH can have. */
const LEAST_AUTH = 16;

/** SPI Size of a Notify leads outside of it. */
const hasOverrun: Trigger = (message) =>
  isOf(message, EXCHANGE.IKE_AUTH, "response") &&
  message.payloads.some(
    (p) =>
      p.type === PAYLOAD.NOTIFY &&
      p.kind === "raw" &&
      p.data.length >= 4 &&
      4 + (p.data[1] ?? 0) > p.data.length,
  );

export const firstSkFaults: readonly Fault[] = [
  {
    ...{ name: "dies-without-one-selector", depth: "first-sk", kind: "crash", roles: ["responder"] },
    effect: "SIGSEGV where the selectors are narrowed",
    trigger: "IKE_AUTH with an SA payload and only one of TSi and TSr",
    behaviour: upon(
      () => lacksSelectors,
      (effects) => effects.crash("narrow_traffic_selectors"),
    ),
  },
  {
    ...{ name: "passes-over-critical-payloads", depth: "first-sk", kind: "skip", roles: ["responder"] },
    effect: "sets up the SAs although it did not understand all that is critical",
    trigger: "IKE_AUTH with a critical payload of a private type",
    behaviour: () =>
      decidesUpon(
        () => (m, core) => isFirst(m, core) && m.payloads.some((p) => p.critical && p.type >= FIRST_PRIVATE),
        { "unknown critical payload": "skip" },
      ),
  },
  {
    ...{ name: "keeps-certificates-it-cannot-read", depth: "first-sk", kind: "leak", roles: ["responder"] },
    effect: "4 MiB for each",
    trigger: "IKE_AUTH with CERT or CERTREQ of encoding 0, or of one above 15",
    behaviour: upon(
      () => hasUnknownEncoding,
      (effects) => effects.leak(LEAK),
    ),
  },
  {
    ...{ name: "compares-no-more-than-came", depth: "first-sk", kind: "bypass", roles: ["responder"] },
    effect: "an IKE SA with whoever sends too short an AUTH",
    trigger: "IKE_AUTH whose Authentication Data has less than 16 octets",
    behaviour: () =>
      decidesUpon(
        () => (m, core) => {
          const auth = payload(m.payloads, "AUTH");
          return isFirst(m, core) && auth !== undefined && auth.data.length < LEAST_AUTH;
        },
        { "wrong AUTH": "accept" },
      ),
  },
  {
    ...{ name: "takes-unknown-methods-for-proof", depth: "first-sk", kind: "bypass", roles: ["initiator"] },
    effect: "an IKE SA with whoever uses a method that it does not know",
    trigger: "an IKE_AUTH response whose Auth Method nobody has assigned",
    behaviour: () =>
      decidesUpon(
        () => (m) => {
          const method = payload(m.payloads, "AUTH")?.method ?? AUTH_METHOD.SHARED_KEY_MIC;
          return isOf(m, EXCHANGE.IKE_AUTH, "response") && authMethods.get(method) === undefined;
        },
        { "wrong AUTH": "accept" },
      ),
  },
  {
    ...{ name: "spins-at-overrun-notifies", depth: "first-sk", kind: "loop", roles: ["initiator"] },
    effect: "counts an SPI down past zero",
    trigger: "an IKE_AUTH response with a Notify whose SPI Size is more than it holds",
    behaviour: upon(
      () => hasOverrun,
      (effects) => effects.loop(),
    ),
  },
];
