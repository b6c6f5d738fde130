/** Honest IKE_SA_INIT requests of strangers: a peer that lives answers them, whatever became of a conversation. */
import { keMethod } from "../../harness/crypto/ke.ts";
import type { Random } from "../../harness/crypto/types.ts";
import { groups, kePayload, noncePayload, saPayload } from "../../harness/ike/exchanges/ike-sa-init.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import { VERSION } from "../../harness/ike/send.ts";
import type { Datagram } from "../../harness/link/types.ts";
import { EMPTY } from "../../harness/wire/bytes.ts";
import { encodeMessage } from "../../harness/wire/index.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PROTOCOL } from "../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import { FLAG, type Payload, type Proposal } from "../../harness/wire/types.ts";

const SPI = 8;
const NONCE = 32;
/** How the nonces of probes begin, by which they can be told from what a conversation sends. */
const MARK = new TextEncoder().encode("bakeoff probe ");
/** Transforms of the time before RFC 8247, which nobody in the lab is told to take. */
const DECLINED = [
  { type: TRANSFORM.ENCR, id: 2 },
  { type: TRANSFORM.PRF, id: 1 },
  { type: TRANSFORM.INTEG, id: 1 },
];
const X25519 = 31;

/**
 * `whole`: an offer that the peer takes, by which it has one more half-open SA. `lean`: one that it declines, which
 * costs it neither a key exchange nor memory; not every peer answers that.
 */
export type ProbeKind = "whole" | "lean";

export class Probes {
  readonly #random: Random;
  readonly #templates: Record<ProbeKind, Uint8Array>;
  /** Whether this peer answers lean ones; not set until it has answered one. */
  lean = false;

  constructor(policy: Policy, random: Random) {
    this.#random = random;
    const group = groups(policy.ike)[0] ?? X25519;
    this.#templates = {
      whole: template(policy.ike, group, publicValue(policy.keIds?.get(group) ?? group, random)),
      lean: template([declined()], X25519, publicValue(X25519, random)),
    };
  }

  /** A request with an SPI and a nonce of its own. */
  make(kind: ProbeKind): Uint8Array {
    const octets = this.#templates[kind].slice();
    octets.set(this.#random(SPI), 0);
    octets.set(this.#random(NONCE - MARK.length), octets.length - NONCE + MARK.length);
    return octets;
  }
}

/** Whether this datagram of ours is a probe; its answers have the same SPIi. */
export function isProbe({ data }: Datagram): boolean {
  const at = data.length - NONCE;
  return at > 0 && MARK.every((octet, i) => data[at + i] === octet);
}

function publicValue(method: number, random: Random): Uint8Array {
  return keMethod(method)?.generate(random).publicValue ?? EMPTY;
}

const declined = (): Proposal => ({
  number: 1,
  protocolId: PROTOCOL.IKE,
  spi: EMPTY,
  transforms: [...DECLINED, { type: TRANSFORM.KE, id: X25519 }].map((t) => ({ ...t, attributes: [] })),
});

function template(proposals: Proposal[], group: number, value: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE);
  nonce.set(MARK);
  const payloads: Payload[] = [saPayload(proposals), kePayload(group, value), noncePayload(nonce)];
  const header = {
    ...{ spiI: new Uint8Array(SPI), spiR: new Uint8Array(SPI), version: VERSION },
    ...{ exchangeType: EXCHANGE.IKE_SA_INIT, flags: FLAG.initiator, messageId: 0 },
  };
  return encodeMessage({ header, payloads });
}
