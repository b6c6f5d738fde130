/** What AUTH covers of the IKE_INTERMEDIATE exchanges: RFC 9242 section 3.3.2. */
import type { AuthInputs, IncomingMessage, OutgoingMessage } from "../ike/hooks.ts";
import type { IkeSa } from "../ike/sa.ts";
import { skHeaderOf } from "../ike/sk.ts";
import { concat, EMPTY, u32 } from "../wire/bytes.ts";
import { encodeMessage, firstPayloadType } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { PAYLOAD } from "../wire/registry/payload-types.ts";

const IKE_HEADER = 28;
const GENERIC_HEADER = 4;

/** A | P of a message of ours, of which nothing changes any more: as if SK held its inner payloads in clear. */
export function coveredOfSent(
  { header, clear, payloads, seal }: OutgoingMessage,
  inner: Uint8Array,
): Uint8Array {
  const innerType = seal.innerType ?? firstPayloadType(payloads);
  const sk = { ...skHeaderOf(seal), kind: "SK", type: PAYLOAD.SK, innerType, data: inner } as const;
  return encodeMessage({ header, payloads: [...clear, sk] });
}

/**
 * A | P of a message that came: `octets` are those of it, or of its first fragment, `inner` its payloads in clear. The
 * header of SKF becomes that of SK; undefined if there is neither.
 */
export function coveredOfReceived(octets: Uint8Array, inner: Uint8Array): Uint8Array | undefined {
  let typeAt = 16;
  let at = IKE_HEADER;
  while (at + GENERIC_HEADER <= octets.length) {
    const type = octets[typeAt];
    if (type === PAYLOAD.SK || type === PAYLOAD.SKF) return adjusted(octets, typeAt, at, inner);
    typeAt = at;
    at += Math.max(GENERIC_HEADER, ((octets[at + 2] ?? 0) << 8) | (octets[at + 3] ?? 0));
  }
  return undefined;
}

function adjusted(octets: Uint8Array, typeAt: number, at: number, inner: Uint8Array): Uint8Array {
  const all = concat(octets.subarray(0, at + GENERIC_HEADER), inner);
  const view = new DataView(all.buffer, all.byteOffset);
  all[typeAt] = PAYLOAD.SK;
  view.setUint32(24, all.length);
  view.setUint16(at + 2, (GENERIC_HEADER + inner.length) & 0xffff);
  return all;
}

/** IntAuth_i1 to IntAuth_iN, and those of the responses, by Message ID. */
interface Chains {
  request: Map<number, Uint8Array>;
  response: Map<number, Uint8Array>;
}

/** The running values of every IKE SA that is being set up. */
export class IntAuth {
  readonly #chains = new WeakMap<IkeSa, Chains>();

  /** Notes a message of ours; with the keys of before the exchange, which are in use still. */
  sent(message: OutgoingMessage, inner: Uint8Array): void {
    const { sa, header, isResponse } = message;
    if (!sa || header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE) return;
    this.#note(sa, isResponse, header.messageId, coveredOfSent(message, inner));
  }

  received({ sa, header, isResponse, octets, inner }: IncomingMessage): void {
    if (!sa || header.exchangeType !== EXCHANGE.IKE_INTERMEDIATE || sa.established) return;
    // Only the initiator begins one: what else comes is part of none.
    if (isResponse !== (sa.role === "initiator")) return;
    const covered = inner && coveredOfReceived(octets, inner);
    if (covered) this.#note(sa, isResponse, header.messageId, covered);
  }

  #note(sa: IkeSa, isResponse: boolean, messageId: number, covered: Uint8Array): void {
    const { suite, keys } = sa;
    if (!suite || !keys) return;
    const chains = this.#chains.get(sa) ?? { request: new Map(), response: new Map() };
    this.#chains.set(sa, chains);
    const chain = isResponse ? chains.response : chains.request;
    const before = chain.get(messageId - 1) ?? EMPTY;
    chain.set(messageId, suite.prf.compute(isResponse ? keys.SK_pr : keys.SK_pi, concat(before, covered)));
  }

  /** Both last values and the Message ID of the first IKE_AUTH; nothing where no exchange took place. */
  append(inputs: AuthInputs): void {
    const chains = this.#chains.get(inputs.sa);
    const last = Math.min(chains?.request.size ?? 0, chains?.response.size ?? 0);
    const [i, r] = [chains?.request.get(last), chains?.response.get(last)];
    if (i && r) inputs.IntAuth = concat(i, r, u32(last + 1));
  }
}
