/** What EAP-SIM and EAP-AKA have in common at either end: bad messages, notifications, errors of the client. */
import { EMPTY, equal, readU16, u16 } from "../wire/bytes.ts";
import { EAP_CODE } from "../wire/registry/eap.ts";
import {
  type AuthenticatorAnswer,
  type AuthenticatorMethod,
  failed,
  type PeerAnswer,
  type PeerMethod,
  type RoundIdentifiers,
} from "./method.ts";
import { utf8 } from "./packets.ts";
import {
  AT,
  type Attribute,
  numberOf,
  readMessage,
  type SimAkaMessage,
  SUBTYPE,
  sized,
  sizedValue,
  writeMessage,
} from "./simaka-attributes.ts";
import { type Envelope, isSigned, type SimAkaKeys, writeSigned } from "./simaka-keys.ts";
import type { EapOptions } from "./types.ts";

/** Codes of AT_CLIENT_ERROR_CODE (RFC 4186 section 10.19). */
export const CLIENT_ERROR = {
  UNABLE_TO_PROCESS: 0,
  UNSUPPORTED_VERSION: 1,
  TOO_FEW_CHALLENGES: 2,
  STALE_CHALLENGES: 3,
} as const;

/** AT_NOTIFICATION (RFC 4186 section 10.18): S says success, P that the challenge has not been answered yet. */
const NOTIFICATION = { SUCCESS: 0x8000, BEFORE_CHALLENGE: 0x4000 } as const;
const GENERAL_FAILURE = NOTIFICATION.BEFORE_CHALLENGE;

/** A message with its type data and where it was. */
export interface Received extends SimAkaMessage {
  data: Uint8Array;
  envelope: Envelope;
}

/** The answer of a peer that cannot go on (RFC 4186 section 6.3.1). */
export const clientError = (reason: string, code: number = CLIENT_ERROR.UNABLE_TO_PROCESS): PeerAnswer => ({
  data: writeMessage(SUBTYPE.CLIENT_ERROR, [[AT.CLIENT_ERROR_CODE, u16(code)]]),
  reason,
});

/** What a method makes of a request of its own subtypes; undefined if there is nothing to make of it now. */
export interface PeerHalf {
  answer(request: Received): PeerAnswer | undefined;
  /** Set once a challenge was answered. */
  readonly keys: SimAkaKeys | undefined;
}

/** The envelope of the response to a request. */
export const responseTo = ({ envelope }: Received): Envelope => ({ ...envelope, code: EAP_CODE.RESPONSE });

export function cardPeer(type: number, half: PeerHalf): PeerMethod {
  return {
    take(data, identifier) {
      const message = readMessage(data);
      if (typeof message === "string") return clientError(message);
      const request = { ...message, data, envelope: { code: EAP_CODE.REQUEST, identifier, type } };
      if (message.subtype === SUBTYPE.NOTIFICATION) return answerNotification(request, half.keys);
      return half.answer(request) ?? clientError(`subtype ${message.subtype} out of order`);
    },
  };
}

function answerNotification(request: Received, keys: SimAkaKeys | undefined): PeerAnswer {
  const code = numberOf(request.attributes, AT.NOTIFICATION);
  if (code === undefined) return clientError("a notification without its code");
  const success = (code & NOTIFICATION.SUCCESS) !== 0;
  const end = success && keys ? { mayEnd: true, MSK: keys.MSK } : { reason: `notification ${code}` };
  if (code & NOTIFICATION.BEFORE_CHALLENGE)
    return { data: writeMessage(SUBTYPE.NOTIFICATION), reason: `notification ${code}` };
  if (!keys) return clientError("a notification of the time after the challenge, which has not come");
  if (!isSigned(request.envelope, request.data, { key: keys.K_aut }))
    return clientError("AT_MAC of the notification is wrong");
  return {
    data: writeSigned(responseTo(request), SUBTYPE.NOTIFICATION, [], { key: keys.K_aut }),
    ...end,
  };
}

/** What a method makes of a response; a reason alone is a refusal. */
export type Verdict = AuthenticatorAnswer | { refused: string };

export interface AuthenticatorHalf {
  begin(): Uint8Array;
  /** `next` is the envelope of the request that may follow. */
  judge(response: Received, next: Envelope): Verdict;
}

/** Tells the peer of a refusal before it ends (RFC 4186 sections 6.3.2 and 6.3.3), and takes errors of the client for the end. */
export function cardAuthenticator(type: number, half: AuthenticatorHalf): AuthenticatorMethod {
  let end: AuthenticatorAnswer | undefined;
  const refuse = (reason: string): AuthenticatorAnswer => {
    end = failed(reason);
    return { data: writeMessage(SUBTYPE.NOTIFICATION, [[AT.NOTIFICATION, u16(GENERAL_FAILURE)]]) };
  };
  return {
    begin: () => half.begin(),
    take(data, { response, next }: RoundIdentifiers) {
      if (end) return end;
      const message = readMessage(data);
      if (typeof message === "string") return refuse(message);
      if (message.subtype === SUBTYPE.CLIENT_ERROR) return failed(`Client-Error ${errorCode(message)}`);
      if (message.subtype === SUBTYPE.AKA_AUTHENTICATION_REJECT) return failed("Authentication-Reject");
      const received = {
        ...message,
        data,
        envelope: { code: EAP_CODE.RESPONSE, identifier: response, type },
      };
      const verdict = half.judge(received, { code: EAP_CODE.REQUEST, identifier: next, type });
      return "refused" in verdict ? refuse(verdict.refused) : verdict;
    },
  };
}

function errorCode({ attributes }: SimAkaMessage): string {
  const value = attributes.get(AT.CLIENT_ERROR_CODE) ?? EMPTY;
  return value.length < 2 ? "without a code" : String(readU16(value, 0));
}

/** AT_IDENTITY of the user, where the request wants one. */
export function identityFor({ attributes }: SimAkaMessage, { user }: EapOptions): Attribute[] {
  const isWanted = [AT.ANY_ID_REQ, AT.FULLAUTH_ID_REQ, AT.PERMANENT_ID_REQ].some((type) =>
    attributes.has(type),
  );
  return isWanted ? [[AT.IDENTITY, sized(utf8(user.identity))]] : [];
}

/** Whether AT_IDENTITY names the user. */
export function namesUser({ attributes }: SimAkaMessage, { user }: EapOptions): boolean {
  const said = sizedValue(attributes, AT.IDENTITY);
  return said !== undefined && equal(said, utf8(user.identity));
}
