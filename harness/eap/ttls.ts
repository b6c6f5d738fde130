/**
 * EAP-TTLS version 0 (RFC 5281; RFC 9427 for TLS 1.3): TLS proves the server, and an EAP method inside of it the peer.
 * The key is that of TLS. No other inner authentication than EAP, no certificate of the peer, no resumption.
 */
import { concat, EMPTY } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type AuthenticatorAnswer, type EapMethod, failed, type PeerAnswer, succeeded } from "./method.ts";
import { FragmentExchange, isStart, START } from "./tls-fragments.ts";
import { openTls, type TlsProgress, type TlsSession } from "./tls-session.ts";
import { readEapAvp, writeEapAvp } from "./ttls-avps.ts";
import { InnerAuthenticator, InnerPeer } from "./ttls-inner.ts";
import type { EapOptions, EapPacket } from "./types.ts";

const fragments = ({ tls }: EapOptions): FragmentExchange => new FragmentExchange(tls?.fragmentSize ?? 1000);

/** Sends EAP packets through TLS. */
class Tunnel {
  readonly #options: EapOptions;
  #sent = 0;

  constructor(options: EapOptions) {
    this.#options = options;
  }

  send(session: TlsSession, packet: EapPacket): Promise<TlsProgress> {
    const avps = writeEapAvp(packet);
    return session.write(this.#options.manners?.bendInner?.(avps, this.#sent++) ?? avps);
  }
}

class Peer {
  readonly #options: EapOptions;
  readonly #fragments: FragmentExchange;
  readonly #inner: InnerPeer;
  readonly #tunnel: Tunnel;
  #session: TlsSession | undefined;
  #begun = false;
  #mayEnd = false;

  constructor(options: EapOptions) {
    this.#options = options;
    this.#fragments = fragments(options);
    this.#inner = new InnerPeer(options);
    this.#tunnel = new Tunnel(options);
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
    if (!isStart(data)) return { reason: "EAP-TTLS does not begin with Start" };
    const session = openTls("client", "ttls", this.#options.tls);
    if (typeof session === "string") return { reason: session };
    this.#session = session;
    return this.#turn(session, EMPTY);
  }

  async #turn(session: TlsSession, message: Uint8Array): Promise<PeerAnswer> {
    const { output, error } = await session.exchange(message);
    if (error !== undefined) return { data: this.#fragments.queue(output), reason: `TLS: ${error}` };
    const { outcome } = session;
    if (!outcome) return { data: this.#fragments.queue(output), reason: "the TLS handshake goes on" };
    if (outcome.refused && !this.#options.manners?.acceptsAnything) return { reason: outcome.refused };
    const { send, reason } = await this.#answer(session.takeApplicationData());
    if (reason !== undefined && !send && !this.#mayEnd) return { reason };
    const records = send ? (await this.#tunnel.send(session, send)).output : EMPTY;
    const data = this.#fragments.queue(concat(output, records));
    return this.#mayEnd
      ? { data, mayEnd: true, MSK: outcome.MSK }
      : { data, reason: reason ?? "the authentication inside of TLS goes on" };
  }

  /** What goes into TLS once it is there. */
  async #answer(avps: Uint8Array): Promise<{ send?: EapPacket; reason?: string }> {
    if (!this.#begun && avps.length === 0) {
      this.#begun = true;
      return { send: this.#inner.begin() };
    }
    this.#begun = true;
    if (avps.length === 0) return {};
    const packet = readEapAvp(avps);
    if (typeof packet === "string") return { reason: packet };
    const { mayEnd = false, ...answer } = await this.#inner.take(packet);
    this.#mayEnd = mayEnd;
    return answer;
  }
}

class Authenticator {
  readonly #options: EapOptions;
  readonly #fragments: FragmentExchange;
  readonly #inner: InnerAuthenticator;
  readonly #tunnel: Tunnel;
  #session: TlsSession | undefined;
  /** What the acknowledgement of an alert leads to. */
  #end: AuthenticatorAnswer | undefined;

  constructor(options: EapOptions, known: boolean) {
    this.#options = options;
    this.#fragments = fragments(options);
    this.#inner = new InnerAuthenticator(options, known);
    this.#tunnel = new Tunnel(options);
  }

  begin(): Uint8Array {
    return START;
  }

  take(data: Uint8Array): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
    const session = this.#session ?? openTls("server", "ttls", this.#options.tls);
    if (typeof session === "string") return failed(session);
    this.#session = session;
    const received = this.#fragments.receive(data);
    if ("error" in received) return failed(received.error);
    if ("answer" in received) return { data: received.answer };
    return this.#end ?? this.#turn(session, received.message);
  }

  close(): void {
    this.#session?.close();
  }

  async #turn(session: TlsSession, message: Uint8Array): Promise<AuthenticatorAnswer> {
    const { output, error } = await session.exchange(message);
    if (error !== undefined) return this.#alerted(output, `TLS: ${error}`);
    const avps = session.takeApplicationData();
    if (!session.outcome || avps.length === 0) {
      if (message.length === 0) return failed("an empty response in the midst of TLS");
      return { data: this.#fragments.queue(output) };
    }
    const packet = readEapAvp(avps);
    if (typeof packet === "string") return failed(packet);
    const verdict = await this.#inner.take(packet);
    if ("end" in verdict)
      return verdict.end.result === "success" ? succeeded(session.outcome.MSK) : verdict.end;
    const records = (await this.#tunnel.send(session, verdict.send)).output;
    return { data: this.#fragments.queue(concat(output, records)) };
  }

  #alerted(output: Uint8Array, reason: string): AuthenticatorAnswer {
    if (output.length === 0) return failed(reason);
    this.#end = failed(reason);
    return { data: this.#fragments.queue(output) };
  }
}

export const ttls: EapMethod = {
  name: "ttls",
  type: EAP_TYPE.TTLS,
  makesKey: true,
  peer: (options) => new Peer(options),
  authenticator: (options, known) => new Authenticator(options, known),
};
