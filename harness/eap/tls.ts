/** EAP-TLS: RFC 5216, and RFC 9190 for TLS 1.3. Proves both ends by certificates and makes a key. */
import { concat, EMPTY, equal } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type AuthenticatorAnswer, type EapMethod, failed, type PeerAnswer, succeeded } from "./method.ts";
import { TlsAuthenticator, TlsPeer } from "./tls-ends.ts";
import type { TlsSession } from "./tls-session.ts";
import type { EapOptions } from "./types.ts";

/** RFC 9190 section 2.5: the application data by which a TLS 1.3 server tells that it sends no more handshake. */
const COMMITMENT = Uint8Array.of(0);

class Peer extends TlsPeer {
  protected async turn(session: TlsSession, message: Uint8Array): Promise<PeerAnswer> {
    const { output, error } = await session.exchange(message);
    const data = this.fragments.queue(output);
    if (error !== undefined) return { data, reason: `TLS: ${error}` };
    const { outcome } = session;
    if (!outcome) return { data, reason: "the TLS handshake goes on" };
    if (outcome.refused && !this.options.manners?.acceptsAnything) return { reason: outcome.refused };
    const { version, MSK } = outcome;
    if (version === "TLSv1.3" && !equal(session.applicationData, COMMITMENT))
      return { data, reason: "no commitment to end the handshake (RFC 9190 section 2.5)" };
    return { data, mayEnd: true, MSK };
  }
}

class Authenticator extends TlsAuthenticator {
  /** What the acknowledgement of the last message leads to. */
  #end: AuthenticatorAnswer | undefined;

  protected async turn(session: TlsSession, message: Uint8Array): Promise<AuthenticatorAnswer> {
    if (message.length === 0) return this.#end ?? failed("an empty response in the midst of TLS");
    const { output, error } = await session.exchange(message);
    if (error !== undefined) return this.#lastMessage(output, failed(`TLS: ${error}`));
    const { outcome } = session;
    if (this.#end || (!outcome && output.length === 0)) return failed("TLS that leads to nothing");
    if (!outcome) return { data: this.fragments.queue(output) };
    if (outcome.refused && !this.options.manners?.acceptsAnything) return failed(outcome.refused);
    const committed = outcome.version === "TLSv1.3" ? (await session.write(COMMITMENT)).output : EMPTY;
    return this.#lastMessage(concat(output, committed), succeeded(outcome.MSK));
  }

  #lastMessage(output: Uint8Array, end: AuthenticatorAnswer): AuthenticatorAnswer {
    if (output.length === 0) return end;
    this.#end = end;
    return { data: this.fragments.queue(output), ...(end.MSK && { MSK: end.MSK }) };
  }
}

/** The certificate must have the user's identity where nothing else is said. */
const withPeerName = (options: EapOptions): EapOptions => {
  const { tls: told, user } = options;
  return told ? { ...options, tls: { ...told, peerName: told.peerName ?? user.identity } } : options;
};

export const tls: EapMethod = {
  name: "tls",
  type: EAP_TYPE.TLS,
  makesKey: true,
  peer: (options) => new Peer("tls", options),
  authenticator: (options) => new Authenticator("tls", withPeerName(options)),
};
