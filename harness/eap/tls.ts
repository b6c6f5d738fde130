/** EAP-TLS: RFC 5216, and RFC 9190 for TLS 1.3. Proves both ends by certificates and makes a key. */
import { concat, EMPTY, equal } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type AuthenticatorAnswer, type EapMethod, failed, type PeerAnswer, succeeded } from "./method.ts";
import { FragmentExchange, isStart, START } from "./tls-fragments.ts";
import { openTls, type TlsSession } from "./tls-session.ts";
import type { EapOptions, EapTls } from "./types.ts";

/** RFC 9190 section 2.5: the application data by which a TLS 1.3 server tells that it sends no more handshake. */
const COMMITMENT = Uint8Array.of(0);

const fragments = ({ tls }: EapOptions): FragmentExchange => new FragmentExchange(tls?.fragmentSize ?? 1000);

class Peer {
  readonly #options: EapOptions;
  readonly #fragments: FragmentExchange;
  #session: TlsSession | undefined;

  constructor(options: EapOptions) {
    this.#options = options;
    this.#fragments = fragments(options);
  }

  take(data: Uint8Array): PeerAnswer | Promise<PeerAnswer> {
    if (!this.#session) return this.#begin(data);
    const received = this.#fragments.receive(data);
    if ("error" in received) return { reason: received.error };
    if ("answer" in received) return { data: received.answer, reason: "TLS goes on" };
    return this.#turn(this.#session, received.message);
  }

  close(): void {
    this.#session?.close();
  }

  #begin(data: Uint8Array): PeerAnswer | Promise<PeerAnswer> {
    if (!isStart(data)) return { reason: "EAP-TLS does not begin with Start" };
    const session = openTls("client", "tls", this.#options.tls);
    if (typeof session === "string") return { reason: session };
    this.#session = session;
    return this.#turn(session, EMPTY);
  }

  async #turn(session: TlsSession, message: Uint8Array): Promise<PeerAnswer> {
    const { output, error } = await session.exchange(message);
    const data = this.#fragments.queue(output);
    if (error !== undefined) return { data, reason: `TLS: ${error}` };
    const { outcome } = session;
    if (!outcome) return { data, reason: "the TLS handshake goes on" };
    if (outcome.refused && !this.#options.manners?.acceptsAnything) return { reason: outcome.refused };
    const { version, MSK } = outcome;
    if (version === "TLSv1.3" && !equal(session.applicationData, COMMITMENT))
      return { data, reason: "no commitment to end the handshake (RFC 9190 section 2.5)" };
    return { data, mayEnd: true, MSK };
  }
}

class Authenticator {
  readonly #options: EapOptions;
  readonly #fragments: FragmentExchange;
  #session: TlsSession | undefined;
  /** What the acknowledgement of the last message leads to. */
  #end: AuthenticatorAnswer | undefined;

  constructor(options: EapOptions) {
    this.#options = options;
    this.#fragments = fragments(options);
  }

  begin(): Uint8Array {
    return START;
  }

  take(data: Uint8Array): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
    const session = this.#session ?? openTls("server", "tls", this.#tls());
    if (typeof session === "string") return failed(session);
    this.#session = session;
    const received = this.#fragments.receive(data);
    if ("error" in received) return failed(received.error);
    if ("answer" in received) return { data: received.answer };
    if (received.message.length > 0) return this.#turn(session, received.message);
    return this.#end ?? failed("an empty response in the midst of TLS");
  }

  close(): void {
    this.#session?.close();
  }

  #tls(): EapTls | undefined {
    const { tls, user } = this.#options;
    return tls && { ...tls, peerName: tls.peerName ?? user.identity };
  }

  async #turn(session: TlsSession, message: Uint8Array): Promise<AuthenticatorAnswer> {
    const { output, error } = await session.exchange(message);
    if (error !== undefined) return this.#lastMessage(output, failed(`TLS: ${error}`));
    const { outcome } = session;
    if (this.#end || (!outcome && output.length === 0)) return failed("TLS that leads to nothing");
    if (!outcome) return { data: this.#fragments.queue(output) };
    if (outcome.refused && !this.#options.manners?.acceptsAnything) return failed(outcome.refused);
    const committed = outcome.version === "TLSv1.3" ? (await session.write(COMMITMENT)).output : EMPTY;
    return this.#lastMessage(concat(output, committed), succeeded(outcome.MSK));
  }

  #lastMessage(output: Uint8Array, end: AuthenticatorAnswer): AuthenticatorAnswer {
    if (output.length === 0) return end;
    this.#end = end;
    return { data: this.#fragments.queue(output), ...(end.MSK && { MSK: end.MSK }) };
  }
}

export const tls: EapMethod = {
  name: "tls",
  type: EAP_TYPE.TLS,
  makesKey: true,
  peer: (options) => new Peer(options),
  authenticator: (options) => new Authenticator(options),
};
