/**
 * EAP-AKA (RFC 4187): a USIM card and Milenage prove both ends and make a key. Full authentication only, without
 * pseudonyms, fast re-authentication, AT_CHECKCODE and protected success indications. The card is `cardOf` the password.
 */
import { concat, equal, u16 } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type EapMethod, type PeerAnswer, succeeded } from "./method.ts";
import { type CardSecret, cardOf, milenage, type Vector } from "./milenage.ts";
import { turned } from "./packets.ts";
import {
  AT,
  type Attribute,
  reserved,
  SUBTYPE,
  sixteenOf,
  sizedValue,
  writeMessage,
} from "./simaka-attributes.ts";
import {
  type AuthenticatorHalf,
  cardAuthenticator,
  cardPeer,
  clientError,
  identityFor,
  namesUser,
  type PeerHalf,
  type Received,
  responseTo,
  type Verdict,
} from "./simaka-ends.ts";
import { akaKeys, type Envelope, isSigned, type SimAkaKeys, writeSigned } from "./simaka-keys.ts";
import type { EapOptions } from "./types.ts";

/** Sequence numbers: every card has seen the first, and every challenge has the second unless the card says more. */
const SEEN = 1;
const FRESH = 2;
const SQN_OCTETS = 6;
const NO_AMF = new Uint8Array(2);
const BITS = 8;

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((octet, i) => octet ^ (b[i] ?? 0));

const sequence = (value: number): Uint8Array =>
  Uint8Array.from({ length: SQN_OCTETS }, (_, i) => Math.floor(value / 256 ** (SQN_OCTETS - 1 - i)) & 0xff);
const numberIn = (SQN: Uint8Array): number => SQN.reduce((sum, octet) => 256 * sum + octet, 0);

const keysFrom = (identity: string, { IK, CK }: Vector): SimAkaKeys => akaKeys(identity, IK, CK);

class Peer implements PeerHalf {
  readonly #options: EapOptions;
  readonly #card: CardSecret;
  keys: SimAkaKeys | undefined;

  constructor(options: EapOptions) {
    this.#options = options;
    this.#card = cardOf(options.user.password);
  }

  answer(request: Received): PeerAnswer | undefined {
    if (this.keys && !this.#options.manners?.answersAnew) return undefined;
    if (request.subtype === SUBTYPE.AKA_CHALLENGE) return this.#onChallenge(request);
    const identity = identityFor(request, this.#options);
    if (request.subtype !== SUBTYPE.AKA_IDENTITY || identity.length === 0) return undefined;
    return { data: writeMessage(SUBTYPE.AKA_IDENTITY, identity), reason: "the challenge has not come" };
  }

  #onChallenge(request: Received): PeerAnswer {
    const RAND = sixteenOf(request.attributes, AT.RAND);
    const AUTN = sixteenOf(request.attributes, AT.AUTN);
    if (!RAND || !AUTN) return clientError("a challenge without AT_RAND or AT_AUTN");
    const { AK } = milenage(this.#card, RAND, sequence(0), NO_AMF);
    const SQN = xor(AUTN.subarray(0, SQN_OCTETS), AK);
    const vector = milenage(this.#card, RAND, SQN, AUTN.subarray(6, 8));
    const { user, manners = {} } = this.#options;
    if (!manners.acceptsAnything) {
      if (!equal(AUTN.subarray(8), vector.macA))
        return { data: writeMessage(SUBTYPE.AKA_AUTHENTICATION_REJECT), reason: "AUTN is wrong" };
      if (numberIn(SQN) <= SEEN) return this.#onStale(RAND);
    }
    const keys = keysFrom(user.identity, vector);
    const right = isSigned(request.envelope, request.data, { key: keys.K_aut });
    if (!right && !manners.acceptsAnything) return clientError("AT_MAC of the challenge is wrong");
    this.keys = keys;
    const RES: Attribute = [AT.RES, concat(u16(BITS * vector.RES.length), vector.RES)];
    const data = writeSigned(responseTo(request), SUBTYPE.AKA_CHALLENGE, [RES], { key: keys.K_aut });
    return { data, mayEnd: true, MSK: keys.MSK };
  }

  /** AUTS tells what the card has seen (3GPP TS 33.102 section 6.3.3). */
  #onStale(RAND: Uint8Array): PeerAnswer {
    const seen = sequence(SEEN);
    const { AKs, macS } = milenage(this.#card, RAND, seen, NO_AMF);
    return {
      data: writeMessage(SUBTYPE.AKA_SYNCHRONIZATION_FAILURE, [[AT.AUTS, concat(xor(seen, AKs), macS)]]),
      reason: "the sequence number of the challenge is an old one",
    };
  }
}

class Authenticator implements AuthenticatorHalf {
  readonly #options: EapOptions;
  readonly #known: boolean;
  readonly #card: CardSecret;
  #challenged: { keys: SimAkaKeys; RES: Uint8Array; RAND: Uint8Array } | undefined;
  #synchronized = false;

  constructor(options: EapOptions, known: boolean) {
    this.#options = options;
    this.#known = known;
    this.#card = cardOf(options.user.password);
  }

  begin(): Uint8Array {
    return writeMessage(SUBTYPE.AKA_IDENTITY, [[AT.ANY_ID_REQ, new Uint8Array(2)]]);
  }

  judge(response: Received, next: Envelope): Verdict {
    const { subtype } = response;
    const challenged = this.#challenged;
    if (subtype === SUBTYPE.AKA_IDENTITY && !challenged) return this.#onIdentity(response, next);
    if (subtype === SUBTYPE.AKA_CHALLENGE && challenged) return this.#onResponse(response, challenged);
    if (subtype === SUBTYPE.AKA_SYNCHRONIZATION_FAILURE && challenged && !this.#synchronized)
      return this.#synchronize(response, challenged.RAND, next);
    return { refused: `subtype ${subtype} out of order` };
  }

  #onIdentity(response: Received, next: Envelope): Verdict {
    const { manners = {} } = this.#options;
    const isUser = this.#known && namesUser(response, this.#options);
    if (!isUser && !manners.acceptsAnything) return { refused: "nobody of this identity is known" };
    return this.#challenge(manners.staleSequence ? SEEN : FRESH, next);
  }

  #challenge(SQN: number, next: Envelope): Verdict {
    const { user, manners = {}, random } = this.#options;
    const RAND = random(16);
    const vector = milenage(this.#card, RAND, sequence(SQN), NO_AMF);
    const proof = manners.wrongAuthenticatorResponse ? turned(vector.macA) : vector.macA;
    const AUTN = concat(xor(sequence(SQN), vector.AK), NO_AMF, proof);
    const keys = keysFrom(user.identity, vector);
    this.#challenged = { keys, RES: vector.RES, RAND };
    const challenge: Attribute[] = [
      [AT.RAND, reserved(RAND)],
      [AT.AUTN, reserved(AUTN)],
    ];
    return { data: writeSigned(next, SUBTYPE.AKA_CHALLENGE, challenge, { key: keys.K_aut }) };
  }

  #onResponse(
    { envelope, data, attributes }: Received,
    challenged: { keys: SimAkaKeys; RES: Uint8Array },
  ): Verdict {
    const { keys } = challenged;
    if (this.#options.manners?.acceptsAnything) return succeeded(keys.MSK);
    if (!isSigned(envelope, data, { key: keys.K_aut })) return { refused: "AT_MAC of the response is wrong" };
    const RES = sizedValue(attributes, AT.RES, BITS);
    return RES && equal(RES, challenged.RES) ? succeeded(keys.MSK) : { refused: "RES is wrong" };
  }

  #synchronize({ attributes }: Received, RAND: Uint8Array, next: Envelope): Verdict {
    this.#synchronized = true;
    const AUTS = attributes.get(AT.AUTS);
    if (AUTS?.length !== SQN_OCTETS + 8) return { refused: "Synchronization-Failure without AT_AUTS" };
    const { AKs } = milenage(this.#card, RAND, sequence(0), NO_AMF);
    const seen = xor(AUTS.subarray(0, SQN_OCTETS), AKs);
    const { macS } = milenage(this.#card, RAND, seen, NO_AMF);
    if (!equal(AUTS.subarray(SQN_OCTETS), macS)) return { refused: "AUTS is wrong" };
    return this.#challenge(numberIn(seen) + 1, next);
  }
}

export const aka: EapMethod = {
  name: "aka",
  type: EAP_TYPE.AKA,
  makesKey: true,
  peer: (options) => cardPeer(EAP_TYPE.AKA, new Peer(options)),
  authenticator: (options, known) => cardAuthenticator(EAP_TYPE.AKA, new Authenticator(options, known)),
};
