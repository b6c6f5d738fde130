/** Faults within EAP (RFC 7296 section 2.16). */
import { payload } from "../../../harness/ike/payloads.ts";
import type { IkeSa } from "../../../harness/ike/sa.ts";
import { readU32 } from "../../../harness/wire/bytes.ts";
import { AUTH_METHOD } from "../../../harness/wire/registry/auth-methods.ts";
import { EAP_CODE, EAP_TYPE } from "../../../harness/wire/registry/eap.ts";
import { EXCHANGE } from "../../../harness/wire/registry/exchange-types.ts";
import { PAYLOAD } from "../../../harness/wire/registry/payload-types.ts";
import type { EapPayload, Payload } from "../../../harness/wire/types.ts";
import type { LieBehaviour } from "../lies/lie.ts";
import { decidesUpon, type Fault, isOf, type Trigger, upon } from "./fault.ts";
import type { Seen } from "./watch.ts";

/** An EAP payload of IKE_AUTH under keys of which this holds. */
const eap =
  (which: "request" | "response", matches: (packet: EapPayload) => boolean): (() => Trigger) =>
  () =>
  (message) => {
    const packet = isOf(message, EXCHANGE.IKE_AUTH, which) && payload(message.payloads, "EAP");
    return packet ? message.sa !== undefined && matches(packet) : false;
  };

const MSCHAPV2_RESPONSE = 2;

/** The octet behind type, OpCode, MS-CHAPv2-ID and MS-Length says how long the value behind it is. */
function hasStrangeValueSize({ data }: EapPayload): boolean {
  const [type, opcode, , , , size] = data;
  if (type !== EAP_TYPE.MSCHAPV2 || opcode !== MSCHAPV2_RESPONSE || size === undefined) return false;
  return size === 0 || size > data.length - 6;
}

const LENGTH_INCLUDED = 0x80;

/** TLS Message Length is less than what stands behind it. */
function hasTooMuchTls({ data }: EapPayload): boolean {
  const [type, flags = 0] = data;
  if (type !== EAP_TYPE.TLS && type !== EAP_TYPE.TTLS) return false;
  return (flags & LENGTH_INCLUDED) !== 0 && data.length >= 6 && readU32(data, 2) < data.length - 6;
}

const LEAK = 4 * 2 ** 20;
const MOST_WANTED = 8;

const isStrangeNak = ({ code, data }: EapPayload): boolean =>
  code === EAP_CODE.RESPONSE &&
  data[0] === EAP_TYPE.NAK &&
  (data.length === 1 || data.length > 1 + MOST_WANTED);

function hasStrangeChallenge({ code, data }: EapPayload): boolean {
  const [type, size = 0] = data;
  return (
    code === EAP_CODE.REQUEST && type === EAP_TYPE.MD5_CHALLENGE && (size === 0 || size > data.length - 2)
  );
}

/** True between the rounds of EAP, before it has succeeded. */
const isWithin = (sa: IkeSa | undefined): boolean =>
  sa?.role === "responder" && sa.authRounds !== undefined && !sa.authRounds.eap;

const nothing: Payload = {
  kind: "AUTH",
  type: PAYLOAD.AUTH,
  method: AUTH_METHOD.SHARED_KEY_MIC,
  data: new Uint8Array(0),
};

/** EAP is over, and AUTH good, at a request within EAP of which this holds. */
function endsEap(matches: (payloads: Payload[]) => boolean): LieBehaviour {
  const trigger = ({ header, isResponse, payloads, sa }: Omit<Seen, "fresh">): boolean =>
    header.exchangeType === EXCHANGE.IKE_AUTH && !isResponse && isWithin(sa) && matches(payloads);
  return decidesUpon(
    () => (message) => trigger(message),
    { "wrong AUTH": "accept" },
    {
      incoming: (message) => {
        const { sa, payloads } = message;
        if (!sa?.authRounds || !trigger(message)) return undefined;
        sa.authRounds.eap = {};
        if (!payload(payloads, "AUTH")) payloads.push({ ...nothing });
        return undefined;
      },
    },
  );
}

export const eapFaults: readonly Fault[] = [
  {
    ...{ name: "dies-of-mschapv2-value-sizes", depth: "eap", kind: "crash", roles: ["responder"] },
    effect: "SIGSEGV where the response is copied",
    trigger: "an EAP-MSCHAPv2 Response whose Value-Size is 0, or more than the packet holds",
    behaviour: upon(eap("request", hasStrangeValueSize), (effects) =>
      effects.crash("mschapv2_copy_response"),
    ),
  },
  {
    ...{ name: "waits-for-less-than-no-tls", depth: "eap", kind: "hang", roles: ["responder"] },
    effect: "answers nobody any more",
    trigger: "EAP-TLS whose TLS Message Length is less than the data behind it",
    behaviour: upon(eap("request", hasTooMuchTls), (effects) => effects.hang()),
  },
  {
    ...{ name: "keeps-odd-naks", depth: "eap", kind: "leak", roles: ["responder"] },
    effect: "4 MiB for each",
    trigger: "an EAP Nak that names no type, or more than eight",
    behaviour: upon(eap("request", isStrangeNak), (effects) => effects.leak(LEAK)),
  },
  {
    ...{ name: "ends-eap-at-any-auth", depth: "eap", kind: "bypass", roles: ["responder"] },
    effect: "an IKE SA with whoever sends AUTH before EAP has ended",
    trigger: "a request within EAP that has an AUTH payload, whatever is in it",
    behaviour: () => endsEap((payloads) => payload(payloads, "AUTH") !== undefined),
  },
  {
    ...{ name: "lets-the-other-end-declare-success", depth: "eap", kind: "bypass", roles: ["responder"] },
    effect: "an IKE SA with whoever says that EAP succeeded",
    trigger: "an EAP Success of the initiator",
    behaviour: () => endsEap((payloads) => payload(payloads, "EAP")?.code === EAP_CODE.SUCCESS),
  },
  {
    ...{ name: "spins-at-md5-challenges-of-no-size", depth: "eap", kind: "loop", roles: ["initiator"] },
    effect: "hashes for ever",
    trigger: "an MD5-Challenge request whose Value-Size is 0, or more than the packet holds",
    behaviour: upon(eap("response", hasStrangeChallenge), (effects) => effects.loop()),
  },
];
