/** The EAP conversation inside of TTLS: Identity, which the peer says unasked (RFC 5281 section 11.2.1), and one method. */
import { equal, view } from "../wire/bytes.ts";
import { EAP_CODE, EAP_TYPE } from "../wire/registry/eap.ts";
import { gtc } from "./gtc.ts";
import { md5 } from "./md5.ts";
import {
  type AuthenticatorAnswer,
  type AuthenticatorMethod,
  type EapMethod,
  failed,
  type PeerMethod,
} from "./method.ts";
import { mschapv2 } from "./mschapv2.ts";
import { packet, typed, utf8 } from "./packets.ts";
import type { EapInnerName, EapOptions, EapPacket, EapUser } from "./types.ts";

const innerMethods: Readonly<Record<EapInnerName, EapMethod>> = { md5, gtc, mschapv2 };

/** Its MSK is of no use: what goes out of TTLS is the key of TLS. */
const methodOf = ({ inner = "md5" }: EapUser): EapMethod => innerMethods[inner];

/** What an end makes of an inner packet. */
export interface InnerAnswer {
  send?: EapPacket;
  /** The other end may say outside that all is well. */
  mayEnd?: boolean;
  reason?: string;
}

export class InnerPeer {
  readonly #options: EapOptions;
  readonly #own: EapMethod;
  #method: PeerMethod | undefined;
  #done = false;

  constructor(options: EapOptions) {
    this.#options = options;
    this.#own = methodOf(options.user);
  }

  /** The answer to an Identity request that nobody sent. */
  begin(): EapPacket {
    return this.#response(0, EAP_TYPE.IDENTITY, utf8(this.#options.user.identity));
  }

  async take({ code, identifier, data }: EapPacket): Promise<InnerAnswer> {
    if (code === EAP_CODE.SUCCESS && this.#done) return { mayEnd: true };
    const [type] = data;
    if (code !== EAP_CODE.REQUEST || type === undefined) return { reason: `inner code ${code}` };
    const respond = (data: Uint8Array): InnerAnswer => ({ send: this.#response(identifier, type, data) });
    if (type === EAP_TYPE.IDENTITY) return { send: { ...this.begin(), identifier } };
    if (type === EAP_TYPE.NOTIFICATION) return respond(new Uint8Array(0));
    if (type !== this.#own.type)
      return { send: this.#response(identifier, EAP_TYPE.NAK, Uint8Array.of(this.#own.type)) };
    this.#method ??= this.#own.peer(this.#options);
    const answer = await this.#method.take(view(data, 1, data.length), identifier);
    this.#done = answer.mayEnd === true;
    return {
      ...(answer.data && respond(answer.data)),
      ...(this.#done && { mayEnd: true }),
      ...(answer.reason !== undefined && { reason: answer.reason }),
    };
  }

  #response = (identifier: number, type: number, data: Uint8Array): EapPacket =>
    packet(EAP_CODE.RESPONSE, identifier, typed(type, data));
}

/** A packet for the peer, or the end. */
export type InnerVerdict = { send: EapPacket } | { end: AuthenticatorAnswer };

export class InnerAuthenticator {
  readonly #options: EapOptions;
  readonly #known: boolean;
  readonly #own: EapMethod;
  #method: AuthenticatorMethod | undefined;
  /** Of the last request. */
  #identifier: number;

  constructor(options: EapOptions, known: boolean) {
    this.#options = options;
    this.#known = known;
    this.#own = methodOf(options.user);
    this.#identifier = options.random(1)[0] ?? 0;
  }

  async take({ code, identifier, data }: EapPacket): Promise<InnerVerdict> {
    const type = data[0] ?? 0;
    const body = view(data, Math.min(1, data.length), data.length);
    const fail = (reason: string): InnerVerdict => ({ end: failed(reason) });
    if (code !== EAP_CODE.RESPONSE) return fail(`inner code ${code} is not for an authenticator`);
    if (!this.#method) return type === EAP_TYPE.IDENTITY ? this.#begin(body) : fail("no inner identity");
    if (identifier !== this.#identifier)
      return fail(`inner identifier ${identifier}, not ${this.#identifier}`);
    if (type !== this.#own.type) return fail(`an inner response of type ${type}`);
    const identifiers = { response: identifier, next: (identifier + 1) & 0xff };
    const answer = await this.#method.take(body, identifiers);
    return answer.data ? this.#ask(answer.data) : { end: answer };
  }

  #begin(identity: Uint8Array): InnerVerdict {
    const known = this.#known && equal(identity, utf8(this.#options.user.identity));
    this.#method = this.#own.authenticator(this.#options, known);
    return this.#ask(this.#method.begin((this.#identifier + 1) & 0xff));
  }

  #ask(data: Uint8Array): InnerVerdict {
    this.#identifier = (this.#identifier + 1) & 0xff;
    return { send: packet(EAP_CODE.REQUEST, this.#identifier, typed(this.#own.type, data)) };
  }
}
