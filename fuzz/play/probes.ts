/** Honest IKE_SA_INIT requests of strangers: a peer that lives answers them, whatever became of a conversation. */
import { keMethod } from "../../harness/crypto/ke.ts";
import type { Random } from "../../harness/crypto/types.ts";
import { groups, kePayload, noncePayload, saPayload } from "../../harness/ike/exchanges/ike-sa-init.ts";
import type { Policy } from "../../harness/ike/policy.ts";
import { VERSION } from "../../harness/ike/send.ts";
import { EMPTY } from "../../harness/wire/bytes.ts";
import { encodeMessage } from "../../harness/wire/index.ts";
import { EXCHANGE } from "../../harness/wire/registry/exchange-types.ts";
import { PROTOCOL } from "../../harness/wire/registry/protocol-ids.ts";
import { TRANSFORM } from "../../harness/wire/registry/transform-types.ts";
import { FLAG, type Payload, type Proposal } from "../../harness/wire/types.ts";

const SPI = 8;
const NONCE = 32;
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
    octets.set(this.#random(NONCE), octets.length - NONCE);
    return octets;
  }
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
  const payloads: Payload[] = [
    saPayload(proposals),
    kePayload(group, value),
    noncePayload(new Uint8Array(NONCE)),
  ];
  const header = {
    ...{ spiI: new Uint8Array(SPI), spiR: new Uint8Array(SPI), version: VERSION },
    ...{ exchangeType: EXCHANGE.IKE_SA_INIT, flags: FLAG.initiator, messageId: 0 },
  };
  return encodeMessage({ header, payloads });
}
