/** The authenticator of RFC 3748: it asks, one request at a time, and ends with Success or Failure. */
import { equal, view } from "../wire/bytes.ts";
import { EAP_CODE, EAP_TYPE, eapTypes } from "../wire/registry/eap.ts";
import { type AuthenticatorAnswer, type AuthenticatorMethod, failed } from "./method.ts";
import { eapMethods, methodOfType } from "./methods.ts";
import { ignored, MAX_REQUESTS, packet, turned, typed, undisturbed, utf8 } from "./packets.ts";
import type { EapAuthenticator, EapManners, EapMethodName, EapOptions, EapPacket, EapStep } from "./types.ts";

export const authenticator = (options: EapOptions): EapAuthenticator => new Authenticator(options);

const typeOf = (named: EapMethodName | number): number =>
  typeof named === "number" ? named : eapMethods[named].type;

/** Types in the order in which they are asked for; the user's method is the last. */
function agendaOf({ user, manners = {} }: EapOptions): number[] {
  return [
    ...(manners.notifiesFirst ?? []).map(() => EAP_TYPE.NOTIFICATION),
    ...(manners.skipsIdentity ? [] : [EAP_TYPE.IDENTITY]),
    ...(manners.proposesFirst ?? []).map(typeOf),
    typeOf(user.type),
  ];
}

class Authenticator implements EapAuthenticator {
  readonly #options: EapOptions;
  readonly manners: EapManners;
  readonly #agenda: number[];
  readonly #notifications: string[];
  /** Set while the method of the first entry of the agenda goes on. */
  #method: AuthenticatorMethod | undefined;
  /** The peer has answered the method of `method` with its own type. */
  #agreed = false;
  #identity: string | undefined;
  #identifier: number;
  #request: EapPacket | undefined;
  /** The response to the first sending of a request that is sent twice. */
  #firstResponse: EapPacket | undefined;
  #MSK: Uint8Array | undefined;
  #requests = 0;
  #sent = 0;
  /** The method is at work on a response. */
  #busy = false;
  #ended = false;

  constructor(options: EapOptions) {
    this.manners = { ...options.manners };
    this.#options = { ...options, manners: this.manners };
    this.#agenda = agendaOf(options);
    this.#notifications = [...(options.manners?.notifiesFirst ?? [])];
    this.#identifier = options.random(1)[0] ?? 0;
  }

  get identity(): string | undefined {
    return this.#identity;
  }

  begin(): EapPacket {
    const { succeedsEarly } = this.manners;
    const methodIsNext = this.#agenda.length === 1;
    if (succeedsEarly === "at once" || (succeedsEarly === "before the method" && methodIsNext))
      return this.#succeed().send;
    return this.#ask().send;
  }

  take(response: EapPacket): EapStep {
    const wrong = this.#refused(response);
    if (wrong) return ignored(wrong);
    const again = this.#askTwice(response);
    if (again) return again;
    const [type = 0] = response.data;
    const data = view(response.data, 1, response.data.length);
    if (type === EAP_TYPE.NAK && this.#method) return this.#onNak(data);
    if (type !== this.#agenda[0]) return ignored(`a response of type ${eapTypes.nameOf(type)}`);
    if (type === EAP_TYPE.IDENTITY) this.#identity = new TextDecoder().decode(data);
    if (type === EAP_TYPE.IDENTITY || type === EAP_TYPE.NOTIFICATION) return this.#next();
    return this.#onMethod(data);
  }

  close(): void {
    this.#ended = true;
    this.#method?.close?.();
  }

  /** Why this is no response to the last request. */
  #refused({ code, identifier, data }: EapPacket): string | undefined {
    if (this.#ended) return "the conversation has ended";
    if (this.#busy) return "the packet before is still at work";
    if (code !== EAP_CODE.RESPONSE) return `code ${code} is not for an authenticator`;
    const expected = this.#request?.identifier;
    if (identifier !== expected) return `a response with identifier ${identifier}, not ${expected}`;
    return data.length === 0 ? "a response without a type" : undefined;
  }

  #askTwice(response: EapPacket): EapStep | undefined {
    if (!this.manners.repeatsRequests || !this.#request) return undefined;
    const first = this.#firstResponse;
    this.#firstResponse = first ? undefined : response;
    if (!first) return { send: this.#request };
    return equal(first.data, response.data) ? undefined : this.#fail("another response to the same request");
  }

  /** RFC 3748 section 5.3.1: the peer names the types that it would take instead. */
  #onNak(wanted: Uint8Array): EapStep {
    if (this.#agreed) return ignored("a Nak after the method has begun");
    const own = this.#agenda.at(-1) ?? 0;
    if (this.#agenda.length > 1 && wanted.includes(own)) return this.#next();
    const names = [...wanted.subarray(0, 8)].map((type) => eapTypes.nameOf(type));
    return this.#fail(`the peer refuses the method, and wants ${names.join(", ")}`);
  }

  #onMethod(data: Uint8Array): EapStep {
    const isFirst = !this.#agreed;
    this.#agreed = true;
    const identifiers = { response: this.#request?.identifier ?? this.#identifier, next: this.#following };
    const answer = (this.#method ?? unknownMethod).take(data, identifiers);
    if (!(answer instanceof Promise)) return this.#onAnswer(answer, isFirst);
    this.#busy = true;
    return { later: undisturbed(answer, failed).then((done) => this.#onAnswer(done, isFirst)) };
  }

  #onAnswer(answer: AuthenticatorAnswer, isFirst: boolean): EapStep {
    this.#busy = false;
    if (this.#ended) return ignored("the conversation has ended");
    if (isFirst && this.#agenda.length === 1) {
      const lie = this.#afterFirstResponse(answer);
      if (lie) return lie;
    }
    if (answer.data) return this.#send(typed(this.#agenda[0] ?? 0, answer.data));
    if (answer.result === "failure" || this.manners.rejectsEverybody)
      return this.#fail(answer.reason ?? "everybody is rejected");
    this.#MSK = answer.MSK;
    return this.#succeed();
  }

  #afterFirstResponse({ MSK }: AuthenticatorAnswer): EapStep | undefined {
    const { succeedsEarly, changesMethod } = this.manners;
    const other = changesMethod === undefined ? this.#agenda[0] : typeOf(changesMethod);
    if (other !== undefined && other !== this.#agenda[0]) {
      this.#agenda[0] = other;
      return this.#ask();
    }
    if (succeedsEarly !== "within the method") return undefined;
    this.#MSK = MSK;
    return this.#succeed();
  }

  #next(): EapStep {
    this.#agenda.shift();
    const isLast = this.#agenda.length === 1;
    return isLast && this.manners.succeedsEarly === "before the method" ? this.#succeed() : this.#ask();
  }

  /** The first request of what is next on the agenda. */
  #ask(): { send: EapPacket } {
    const [type = 0] = this.#agenda;
    if (this.#request) this.#identifier = this.#following;
    this.#method?.close?.();
    this.#method = undefined;
    this.#agreed = false;
    if (type === EAP_TYPE.IDENTITY) return this.#sendRequest(typed(type, utf8("")));
    if (type === EAP_TYPE.NOTIFICATION)
      return this.#sendRequest(typed(type, utf8(this.#notifications.shift() ?? "")));
    const known = this.#identity === undefined || this.#identity === this.#options.user.identity;
    this.#method = methodOfType(type)?.authenticator(this.#options, known) ?? unknownMethod;
    return this.#sendRequest(typed(type, this.#method.begin(this.#identifier)));
  }

  #send(data: Uint8Array): EapStep {
    if (this.#requests >= MAX_REQUESTS) return this.#fail(`more than ${MAX_REQUESTS} requests`);
    this.#identifier = this.#following;
    return this.#sendRequest(data);
  }

  /** The identifier of the request after this one. */
  get #following(): number {
    return this.manners.keepsIdentifier ? this.#identifier : (this.#identifier + 1) & 0xff;
  }

  #sendRequest(data: Uint8Array): { send: EapPacket } {
    this.#requests++;
    this.#request = this.#bent(packet(EAP_CODE.REQUEST, this.#identifier, data));
    return { send: this.#request };
  }

  #succeed(): EapStep & { send: EapPacket } {
    this.close();
    const { wrongSuccessIdentifier, wrongMSK } = this.manners;
    const identifier = (this.#request?.identifier ?? this.#identifier) + (wrongSuccessIdentifier ? 1 : 0);
    const MSK = this.#MSK;
    return {
      send: this.#bent(packet(EAP_CODE.SUCCESS, identifier)),
      result: "success",
      ...(MSK && { MSK: wrongMSK ? turned(MSK) : MSK }),
    };
  }

  #fail(reason: string): EapStep {
    this.close();
    return {
      send: this.#bent(packet(EAP_CODE.FAILURE, this.#request?.identifier ?? this.#identifier)),
      result: "failure",
      reason,
    };
  }

  #bent(plain: EapPacket): EapPacket {
    return this.manners.bend?.(plain, this.#sent++) ?? plain;
  }
}

/** A type that is only ever proposed: its request is empty. */
const unknownMethod: AuthenticatorMethod = {
  begin: () => new Uint8Array(0),
  take: () => ({ result: "failure", reason: "the peer takes up a method that was proposed in vain" }),
};
