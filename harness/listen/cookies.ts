/** Cookies that cost no memory (RFC 7296 section 2.6): they are asked for before there is any state of a dial. */
import { createHmac, randomBytes } from "node:crypto";
import { notifies, notify, payload } from "../ike/payloads.ts";
import { EMPTY, equal, plain } from "../wire/bytes.ts";
import { encodeMessage } from "../wire/index.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import { FLAG, type Message } from "../wire/types.ts";

/** A cookie is good in the epoch that made it and in the next one. */
const EPOCH_MS = 60_000;

export class Cookies {
  readonly #secret = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Over the nonce, the source, and SPIi, so that it is good for nobody else. */
  #for(request: Message, host: string, port: number, epoch: number): Uint8Array {
    const Ni = payload(request.payloads, "Nonce")?.data ?? EMPTY;
    const mac = createHmac("sha256", this.#secret).update(`${epoch} ${host} ${port} `);
    return plain(mac.update(request.header.spiI).update(Ni).digest());
  }

  #epoch(): number {
    return Math.floor(this.#now() / EPOCH_MS);
  }

  /** Whether the request brings back a cookie of ours: its sender gets what we send to its source. */
  isRight(request: Message, host: string, port: number): boolean {
    const given = notifies(request.payloads, NOTIFY.COOKIE)[0]?.data;
    if (!given) return false;
    return [0, 1].some((age) => equal(given, this.#for(request, host, port, this.#epoch() - age)));
  }

  /** The IKE octets of the answer that asks for one. */
  challenge(request: Message, host: string, port: number): Uint8Array {
    const cookie = this.#for(request, host, port, this.#epoch());
    return encodeMessage({
      header: {
        ...{ spiI: request.header.spiI, spiR: new Uint8Array(8), version: 0x20, messageId: 0 },
        ...{ exchangeType: EXCHANGE.IKE_SA_INIT, flags: FLAG.response },
      },
      payloads: [notify(NOTIFY.COOKIE, cookie)],
    });
  }
}
