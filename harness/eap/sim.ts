/**
 * EAP-SIM (RFC 4186): triplets of a GSM card prove both ends and make a key. Full authentication only, without
 * pseudonyms, fast re-authentication and protected success indications. The card is `cardOf` the password.
 */
import { concat, EMPTY, equal, u16 } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type EapMethod, type PeerAnswer, succeeded } from "./method.ts";
import { type CardSecret, cardOf, gsmTriplet } from "./milenage.ts";
import { turned } from "./packets.ts";
import {
  AT,
  numberOf,
  reserved,
  SUBTYPE,
  sixteenOf,
  sized,
  sizedValue,
  writeMessage,
} from "./simaka-attributes.ts";
import {
  type AuthenticatorHalf,
  CLIENT_ERROR,
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
import { type Envelope, isSigned, type SimAkaKeys, simKeys, writeSigned } from "./simaka-keys.ts";
import type { EapOptions } from "./types.ts";

const VERSION = 1;
const RAND_OCTETS = 16;
/** Triplets: a peer may want so many at least (RFC 4186 section 10.9). */
const CHALLENGES = { least: 2, most: 3 } as const;

/** What of the Start round goes into the keys. */
interface Start {
  nonce: Uint8Array;
  versions: Uint8Array;
}

/** The keys, and SRES of all triplets behind each other. */
function derive(
  card: CardSecret,
  identity: string,
  RANDs: readonly Uint8Array[],
  { nonce, versions }: Start,
) {
  const triplets = RANDs.map((RAND) => gsmTriplet(card, RAND));
  const Kc = triplets.map((triplet) => triplet.Kc);
  return {
    keys: simKeys(identity, Kc, nonce, versions, VERSION),
    SRES: concat(...triplets.map((triplet) => triplet.SRES)),
  };
}

/** The challenges of AT_RAND. */
function challengesIn({ attributes }: Received): Uint8Array[] {
  const all = attributes.get(AT.RAND)?.subarray(2) ?? EMPTY;
  const count = Math.floor(all.length / RAND_OCTETS);
  return Array.from({ length: count }, (_, i) => all.subarray(RAND_OCTETS * i, RAND_OCTETS * (i + 1)));
}

class Peer implements PeerHalf {
  readonly #options: EapOptions;
  readonly #card: CardSecret;
  #start: Start | undefined;
  keys: SimAkaKeys | undefined;

  constructor(options: EapOptions) {
    this.#options = options;
    this.#card = cardOf(options.user.password);
  }

  answer(request: Received): PeerAnswer | undefined {
    if (request.subtype === SUBTYPE.SIM_START && !this.keys) return this.#onStart(request);
    const again = this.#options.manners?.answersAnew === true;
    if (request.subtype !== SUBTYPE.SIM_CHALLENGE || !this.#start || (this.keys && !again)) return undefined;
    return this.#onChallenge(request, this.#start);
  }

  #onStart(request: Received): PeerAnswer {
    const versions = sizedValue(request.attributes, AT.VERSION_LIST);
    if (!versions) return clientError("Start without a list of versions");
    const pairs = Array.from({ length: versions.length >> 1 }, (_, i) => versions.subarray(2 * i, 2 * i + 2));
    if (!pairs.some((pair) => equal(pair, u16(VERSION))))
      return clientError("no version of EAP-SIM that we know", CLIENT_ERROR.UNSUPPORTED_VERSION);
    const nonce = this.#options.random(16);
    this.#start = { nonce, versions };
    return {
      data: writeMessage(SUBTYPE.SIM_START, [
        ...identityFor(request, this.#options),
        [AT.NONCE_MT, reserved(nonce)],
        [AT.SELECTED_VERSION, u16(VERSION)],
      ]),
      reason: "the challenge has not come",
    };
  }

  #onChallenge(request: Received, start: Start): PeerAnswer {
    const RANDs = challengesIn(request);
    if (RANDs.length < CHALLENGES.least || RANDs.length > CHALLENGES.most)
      return clientError(`${RANDs.length} challenges`, CLIENT_ERROR.TOO_FEW_CHALLENGES);
    const unlike = new Set(RANDs.map((RAND) => RAND.join()));
    if (unlike.size < RANDs.length)
      return clientError("the same challenge twice", CLIENT_ERROR.STALE_CHALLENGES);
    const { user, manners } = this.#options;
    const { keys, SRES } = derive(this.#card, user.identity, RANDs, start);
    const right = isSigned(request.envelope, request.data, { key: keys.K_aut, more: start.nonce });
    if (!right && !manners?.acceptsAnything) return clientError("AT_MAC of the challenge is wrong");
    this.keys = keys;
    const cover = { key: keys.K_aut, more: SRES };
    return {
      data: writeSigned(responseTo(request), SUBTYPE.SIM_CHALLENGE, [], cover),
      mayEnd: true,
      MSK: keys.MSK,
    };
  }
}

class Authenticator implements AuthenticatorHalf {
  readonly #options: EapOptions;
  readonly #known: boolean;
  readonly #card: CardSecret;
  readonly #versions = u16(VERSION);
  #challenged: { keys: SimAkaKeys; SRES: Uint8Array } | undefined;

  constructor(options: EapOptions, known: boolean) {
    this.#options = options;
    this.#known = known;
    this.#card = cardOf(options.user.password);
  }

  begin(): Uint8Array {
    return writeMessage(SUBTYPE.SIM_START, [
      [AT.VERSION_LIST, sized(this.#versions)],
      [AT.ANY_ID_REQ, new Uint8Array(2)],
    ]);
  }

  judge(response: Received, next: Envelope): Verdict {
    const { subtype } = response;
    if (subtype === SUBTYPE.SIM_START && !this.#challenged) return this.#challenge(response, next);
    if (subtype !== SUBTYPE.SIM_CHALLENGE || !this.#challenged)
      return { refused: `subtype ${subtype} out of order` };
    const { keys, SRES } = this.#challenged;
    const right = isSigned(response.envelope, response.data, { key: keys.K_aut, more: SRES });
    if (right || this.#options.manners?.acceptsAnything) return succeeded(keys.MSK);
    return { refused: "AT_MAC of the response is wrong" };
  }

  #challenge(response: Received, next: Envelope): Verdict {
    const { user, manners = {}, random } = this.#options;
    const { attributes } = response;
    const nonce = sixteenOf(attributes, AT.NONCE_MT);
    if (!nonce) return { refused: "Start without NONCE_MT" };
    if (numberOf(attributes, AT.SELECTED_VERSION) !== VERSION) return { refused: "another version" };
    const isUser = this.#known && namesUser(response, this.#options);
    if (!isUser && !manners.acceptsAnything) return { refused: "nobody of this identity is known" };
    const RANDs = Array.from({ length: CHALLENGES.most }, () => random(RAND_OCTETS));
    const start = { nonce, versions: this.#versions };
    const { keys, SRES } = derive(this.#card, user.identity, RANDs, start);
    this.#challenged = { keys, SRES };
    const key = manners.wrongAuthenticatorResponse ? turned(keys.K_aut) : keys.K_aut;
    const RAND = reserved(concat(...RANDs));
    return { data: writeSigned(next, SUBTYPE.SIM_CHALLENGE, [[AT.RAND, RAND]], { key, more: nonce }) };
  }
}

export const sim: EapMethod = {
  name: "sim",
  type: EAP_TYPE.SIM,
  makesKey: true,
  peer: (options) => cardPeer(EAP_TYPE.SIM, new Peer(options)),
  authenticator: (options, known) => cardAuthenticator(EAP_TYPE.SIM, new Authenticator(options, known)),
};
