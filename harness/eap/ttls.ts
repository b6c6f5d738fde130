/**
 * EAP-TTLS version 0 (RFC 5281; RFC 9427 for TLS 1.3): TLS proves the server, and an EAP method inside of it the peer.
 * The key is that of TLS. No other inner authentication than EAP, no certificate of the peer, no resumption.
 */
import { concat, EMPTY } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type AuthenticatorAnswer, type EapMethod, failed, type PeerAnswer, succeeded } from "./method.ts";
import { TlsAuthenticator, TlsPeer } from "./tls-ends.ts";
import type { TlsProgress, TlsSession } from "./tls-session.ts";
import { readEapAvp, writeEapAvp } from "./ttls-avps.ts";
import { InnerAuthenticator, InnerPeer } from "./ttls-inner.ts";
import type { EapOptions, EapPacket } from "./types.ts";

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

class Peer extends TlsPeer {
  readonly #inner: InnerPeer;
  readonly #tunnel: Tunnel;
  #begun = false;
  #mayEnd = false;

  constructor(options: EapOptions) {
    super("ttls", options);
    this.#inner = new InnerPeer(options);
    this.#tunnel = new Tunnel(options);
  }

  protected async turn(session: TlsSession, message: Uint8Array): Promise<PeerAnswer> {
    const { output, error } = await session.exchange(message);
    if (error !== undefined) return { data: this.fragments.queue(output), reason: `TLS: ${error}` };
    const { outcome } = session;
    if (!outcome) return { data: this.fragments.queue(output), reason: "the TLS handshake goes on" };
    if (outcome.refused && !this.options.manners?.acceptsAnything) return { reason: outcome.refused };
    const { send, reason } = await this.#answer(session.takeApplicationData());
    if (reason !== undefined && !send && !this.#mayEnd) return { reason };
    const records = send ? (await this.#tunnel.send(session, send)).output : EMPTY;
    const data = this.fragments.queue(concat(output, records));
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

class Authenticator extends TlsAuthenticator {
  readonly #inner: InnerAuthenticator;
  readonly #tunnel: Tunnel;
  /** What the acknowledgement of an alert leads to. */
  #end: AuthenticatorAnswer | undefined;

  constructor(options: EapOptions, known: boolean) {
    super("ttls", options);
    this.#inner = new InnerAuthenticator(options, known);
    this.#tunnel = new Tunnel(options);
  }

  protected async turn(session: TlsSession, message: Uint8Array): Promise<AuthenticatorAnswer> {
    if (this.#end) return this.#end;
    const { output, error } = await session.exchange(message);
    if (error !== undefined) return this.#alerted(output, `TLS: ${error}`);
    const avps = session.takeApplicationData();
    if (!session.outcome || avps.length === 0) {
      if (message.length === 0) return failed("an empty response in the midst of TLS");
      return { data: this.fragments.queue(output) };
    }
    const packet = readEapAvp(avps);
    if (typeof packet === "string") return failed(packet);
    const verdict = await this.#inner.take(packet);
    if ("end" in verdict)
      return verdict.end.result === "success" ? succeeded(session.outcome.MSK) : verdict.end;
    const records = (await this.#tunnel.send(session, verdict.send)).output;
    return { data: this.fragments.queue(concat(output, records)) };
  }

  #alerted(output: Uint8Array, reason: string): AuthenticatorAnswer {
    if (output.length === 0) return failed(reason);
    this.#end = failed(reason);
    return { data: this.fragments.queue(output) };
  }
}

export const ttls: EapMethod = {
  name: "ttls",
  type: EAP_TYPE.TTLS,
  makesKey: true,
  peer: (options) => new Peer(options),
  authenticator: (options, known) => new Authenticator(options, known),
};
