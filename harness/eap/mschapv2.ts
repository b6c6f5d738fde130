/** EAP-MSCHAPv2: draft-kamath-pppext-eap-mschapv2-02 around RFC 2759. Proves both ends and makes a key. */
import { concat, equal, hex, readU16, u16, view } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type AuthenticatorAnswer, type EapMethod, failed, type PeerAnswer, succeeded } from "./method.ts";
import {
  authenticatorResponse,
  challengeHash,
  mschapMSK,
  ntPasswordHash,
  ntResponse,
} from "./mschapv2-keys.ts";
import { utf8 } from "./packets.ts";
import type { EapOptions, EapUser } from "./types.ts";

export const OPCODE = { CHALLENGE: 1, RESPONSE: 2, SUCCESS: 3, FAILURE: 4 } as const;

/** Octets of a challenge, and of the value of a Response: peer challenge, 8 reserved, NT-Response, flags. */
const CHALLENGE_LENGTH = 16;
const RESPONSE_LENGTH = 49;

/** A message with the long header: OpCode, MS-CHAPv2-ID, MS-Length (which counts the header), the rest. */
interface Message {
  opcode: number;
  id: number;
  rest: Uint8Array;
}

const write = ({ opcode, id, rest }: Message): Uint8Array =>
  concat(Uint8Array.of(opcode, id), u16(rest.length + 4), rest);

/** The message, or why there is none. */
function read(data: Uint8Array): Message | string {
  const [opcode = 0, id = 0] = data;
  if (data.length < 4) return `MSCHAPv2 of ${data.length} octets has no header`;
  const length = readU16(data, 2);
  if (length !== data.length) return `MS-Length is ${length}, but ${data.length} octets are there`;
  return { opcode, id, rest: view(data, 4, data.length) };
}

/** The value behind its size, and the name behind it; undefined unless the value has this size. */
function valueAndName(rest: Uint8Array, size: number): { value: Uint8Array; name: string } | undefined {
  if (rest[0] !== size || rest.length < 1 + size) return undefined;
  return { value: view(rest, 1, 1 + size), name: new TextDecoder().decode(rest.subarray(1 + size)) };
}

/** What both ends derive. The name is that of the Response. */
interface Proof {
  ntResponse: Uint8Array;
  authenticatorResponse: Uint8Array;
  MSK: Uint8Array;
}

function prove(password: string, name: string, peerChallenge: Uint8Array, challenge: Uint8Array): Proof {
  const passwordHash = ntPasswordHash(password);
  const hash = challengeHash(peerChallenge, challenge, name);
  const response = ntResponse(hash, passwordHash);
  return {
    ntResponse: response,
    authenticatorResponse: authenticatorResponse(passwordHash, response, hash),
    MSK: mschapMSK(passwordHash, response),
  };
}

/** The hex digits after "S=" in the text of a Success; it may be followed by " M=" and a message. */
function proofIn(text: Uint8Array): string | undefined {
  const found = /^S=([0-9a-f]{40})(?![0-9a-f])/i.exec(Buffer.from(text).toString("latin1"));
  return found?.[1]?.toLowerCase();
}

/** "E=691 R=0 ..." as it may stand in a report. */
const printable = (text: Uint8Array): string =>
  Buffer.from(text.subarray(0, 200))
    .toString("latin1")
    .replace(/[^ -~]/g, "?");

class Peer {
  readonly #options: EapOptions;
  #proof: Proof | undefined;

  constructor(options: EapOptions) {
    this.#options = options;
  }

  take(data: Uint8Array): PeerAnswer {
    const message = read(data);
    if (typeof message === "string") return { reason: message };
    const { opcode } = message;
    const proof = this.#proof;
    if (opcode === OPCODE.CHALLENGE && (!proof || this.#options.manners?.answersAnew))
      return this.#onChallenge(message);
    if (opcode === OPCODE.SUCCESS && proof) return this.#onSuccess(proof, message.rest);
    if (opcode === OPCODE.FAILURE && proof)
      return { data: Uint8Array.of(OPCODE.FAILURE), reason: `MSCHAPv2 says ${printable(message.rest)}` };
    return { reason: `MSCHAPv2 OpCode ${opcode} out of order` };
  }

  #onChallenge({ id, rest }: Message): PeerAnswer {
    const challenge = valueAndName(rest, CHALLENGE_LENGTH)?.value;
    if (!challenge) return { reason: "the challenge of MSCHAPv2 has not 16 octets" };
    const { user, random } = this.#options;
    const peerChallenge = random(CHALLENGE_LENGTH);
    this.#proof = prove(user.password, user.identity, peerChallenge, challenge);
    const value = concat(peerChallenge, new Uint8Array(8), this.#proof.ntResponse, Uint8Array.of(0));
    const body = concat(Uint8Array.of(RESPONSE_LENGTH), value, utf8(user.identity));
    return {
      data: write({ opcode: OPCODE.RESPONSE, id, rest: body }),
      reason: "the authenticator has not proved that it knows the password",
    };
  }

  #onSuccess(proof: Proof, text: Uint8Array): PeerAnswer {
    const right = proofIn(text) === hex(proof.authenticatorResponse);
    if (!right && !this.#options.manners?.acceptsAnything)
      return { reason: "the authenticator response of MSCHAPv2 is wrong" };
    return { data: Uint8Array.of(OPCODE.SUCCESS), mayEnd: true, MSK: proof.MSK };
  }
}

class Authenticator {
  readonly #options: EapOptions;
  readonly #known: boolean;
  readonly #challenge: Uint8Array;
  #id = 0;
  /** What the peer may answer next; set by what was sent last. */
  #expects: "response" | "success" | "failure" = "response";
  #MSK: Uint8Array | undefined;

  constructor(options: EapOptions, known: boolean) {
    this.#options = options;
    this.#known = known;
    this.#challenge = options.random(CHALLENGE_LENGTH);
  }

  begin(identifier: number): Uint8Array {
    this.#id = identifier;
    const body = concat(Uint8Array.of(CHALLENGE_LENGTH), this.#challenge, utf8("bakeoff"));
    return write({ opcode: OPCODE.CHALLENGE, id: this.#id, rest: body });
  }

  take(data: Uint8Array): AuthenticatorAnswer {
    const opcode = data[0] ?? 0;
    if (this.#expects === "response" && opcode === OPCODE.RESPONSE) return this.#onResponse(data);
    if (this.#expects === "success" && opcode === OPCODE.SUCCESS) return succeeded(this.#MSK);
    if (opcode !== OPCODE.FAILURE) return failed(`MSCHAPv2 OpCode ${opcode} out of order`);
    return failed(this.#expects === "failure" ? "wrong password" : "the peer ends MSCHAPv2 with Failure");
  }

  #onResponse(data: Uint8Array): AuthenticatorAnswer {
    const message = read(data);
    if (typeof message === "string") return failed(message);
    if (message.id !== this.#id)
      return failed(`MS-CHAPv2-ID of the response is ${message.id}, not ${this.#id}`);
    const response = valueAndName(message.rest, RESPONSE_LENGTH);
    if (!response) return failed("the response of MSCHAPv2 has not 49 octets");
    const { user, manners } = this.#options;
    const proof = prove(user.password, response.name, response.value.subarray(0, 16), this.#challenge);
    const right =
      equal(response.value.subarray(24, 48), proof.ntResponse) && this.#isUser(response.name, user);
    return right || manners?.acceptsAnything ? this.#accept(proof) : this.#refuse();
  }

  /** The name may have a domain before it, which does not count (RFC 2759 section 4). */
  #isUser = (name: string, { identity }: EapUser): boolean =>
    this.#known && (name === identity || name.endsWith(`\\${identity}`));

  #accept({ authenticatorResponse: proof, MSK }: Proof): AuthenticatorAnswer {
    const shown = Uint8Array.from(proof);
    if (this.#options.manners?.wrongAuthenticatorResponse) shown[0]! ^= 1;
    this.#expects = "success";
    this.#MSK = MSK;
    const text = utf8(`S=${hex(shown).toUpperCase()} M=OK`);
    return { data: write({ opcode: OPCODE.SUCCESS, id: this.#id, rest: text }), MSK };
  }

  /** RFC 2759 section 6: error 691 is a failed authentication, R=0 forbids to try again. */
  #refuse(): AuthenticatorAnswer {
    this.#expects = "failure";
    const challenge = hex(this.#options.random(CHALLENGE_LENGTH)).toUpperCase();
    const text = utf8(`E=691 R=0 C=${challenge} V=3 M=Authentication failed`);
    return { data: write({ opcode: OPCODE.FAILURE, id: this.#id, rest: text }) };
  }
}

export const mschapv2: EapMethod = {
  name: "mschapv2",
  type: EAP_TYPE.MSCHAPV2,
  makesKey: true,
  peer: (options) => new Peer(options),
  authenticator: (options, known) => new Authenticator(options, known),
};
