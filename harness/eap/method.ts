/** What a method is to the two ends of a conversation. Type data is what follows the octet of the type. */
import type { EapMethodName, EapOptions } from "./types.ts";

/** What the peer's half makes of a request. */
export interface PeerAnswer {
  /** Type data of the response. Not set: the peer gives up. */
  data?: Uint8Array;
  /** A Success that comes now is believed (the "decision" of RFC 4137). */
  mayEnd?: boolean;
  MSK?: Uint8Array;
  /** Why it gives up, or why no Success will do. */
  reason?: string;
}

export interface PeerMethod {
  take(data: Uint8Array, identifier: number): PeerAnswer | Promise<PeerAnswer>;
  close?(): void;
}

/** What the authenticator's half makes of a response. */
export interface AuthenticatorAnswer {
  /** Type data of the next request. Not set: the method has ended, with `result`. */
  data?: Uint8Array;
  result?: "success" | "failure";
  MSK?: Uint8Array;
  reason?: string;
}

export interface RoundIdentifiers {
  response: number;
  next: number;
}

export interface AuthenticatorMethod {
  /** Type data of the first request, which has this identifier. */
  begin(identifier: number): Uint8Array;
  /** `identifiers` are those of the response and of the request that may follow, for who covers them with a MAC. */
  take(data: Uint8Array, identifiers: RoundIdentifiers): AuthenticatorAnswer | Promise<AuthenticatorAnswer>;
  close?(): void;
}

export interface EapMethod {
  name: EapMethodName;
  /** Its number in the registry of method types. */
  type: number;
  /** Whether it leaves an MSK. */
  makesKey: boolean;
  peer(options: EapOptions): PeerMethod;
  /** `known` tells whether the peer's identity is the user's; nobody else has the right password. */
  authenticator(options: EapOptions, known: boolean): AuthenticatorMethod;
}

export const succeeded = (MSK?: Uint8Array): AuthenticatorAnswer => ({
  result: "success",
  ...(MSK && { MSK }),
});

export const failed = (reason: string): AuthenticatorAnswer => ({ result: "failure", reason });
