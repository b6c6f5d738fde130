/** What EAP-TLS and EAP-TTLS have in common at either end: how TLS begins, and how its messages come in fragments. */
import { EMPTY } from "../wire/bytes.ts";
import {
  type AuthenticatorAnswer,
  type AuthenticatorMethod,
  failed,
  type PeerAnswer,
  type PeerMethod,
} from "./method.ts";
import { FragmentExchange, isStart, START } from "./tls-fragments.ts";
import { openTls, type TlsPurpose, type TlsSession } from "./tls-session.ts";
import type { EapOptions } from "./types.ts";

const FRAGMENT_OCTETS = 1000;

abstract class TlsEnd {
  protected readonly options: EapOptions;
  protected readonly fragments: FragmentExchange;
  readonly #purpose: TlsPurpose;
  #session: TlsSession | undefined;

  constructor(purpose: TlsPurpose, options: EapOptions) {
    this.#purpose = purpose;
    this.options = options;
    this.fragments = new FragmentExchange(options.tls?.fragmentSize ?? FRAGMENT_OCTETS);
  }

  close(): void {
    this.#session?.close();
  }

  /** `EAP-TLS` or `EAP-TTLS`. */
  protected get name(): string {
    return `EAP-${this.#purpose.toUpperCase()}`;
  }

  protected get begun(): boolean {
    return this.#session !== undefined;
  }

  /** The session, from the first call on; why there is none, where it cannot begin. */
  protected session(role: "client" | "server"): TlsSession | string {
    const session = this.#session ?? openTls(role, this.#purpose, this.options.tls);
    if (typeof session !== "string") this.#session = session;
    return session;
  }
}

export abstract class TlsPeer extends TlsEnd implements PeerMethod {
  take(data: Uint8Array): PeerAnswer | Promise<PeerAnswer> {
    const starts = !this.begun;
    if (starts && !isStart(data)) return { reason: `${this.name} does not begin with Start` };
    const session = this.session("client");
    if (typeof session === "string") return { reason: session };
    if (starts) return this.turn(session, EMPTY);
    const received = this.fragments.receive(data);
    if ("error" in received) return { reason: received.error };
    if ("answer" in received) return { data: received.answer, reason: "TLS goes on" };
    return this.turn(session, received.message);
  }

  /** What to answer to a whole message of TLS; an empty one begins. */
  protected abstract turn(session: TlsSession, message: Uint8Array): Promise<PeerAnswer>;
}

export abstract class TlsAuthenticator extends TlsEnd implements AuthenticatorMethod {
  begin(): Uint8Array {
    return START;
  }

  take(data: Uint8Array): AuthenticatorAnswer | Promise<AuthenticatorAnswer> {
    const session = this.session("server");
    if (typeof session === "string") return failed(session);
    const received = this.fragments.receive(data);
    if ("error" in received) return failed(received.error);
    if ("answer" in received) return { data: received.answer };
    return this.turn(session, received.message);
  }

  /** What to answer to a whole message of TLS; an empty one acknowledges. */
  protected abstract turn(
    session: TlsSession,
    message: Uint8Array,
  ): AuthenticatorAnswer | Promise<AuthenticatorAnswer>;
}
