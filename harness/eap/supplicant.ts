/** The peer of RFC 3748: it answers requests, and ends by a Success or Failure. The states are those of RFC 4137. */
import { equal, view } from "../wire/bytes.ts";
import { EAP_CODE, EAP_TYPE, eapTypes } from "../wire/registry/eap.ts";
import type { EapMethod, PeerAnswer, PeerMethod } from "./method.ts";
import { eapMethods } from "./methods.ts";
import { ignored, MAX_REQUESTS, packet, turned, typed, undisturbed, utf8 } from "./packets.ts";
import type { EapConversation, EapManners, EapOptions, EapPacket, EapStep } from "./types.ts";

export const supplicant = (options: EapOptions): EapConversation => new Supplicant(options);

class Supplicant implements EapConversation {
  readonly #options: EapOptions;
  readonly manners: EapManners;
  readonly #own: EapMethod;
  #method: PeerMethod | undefined;
  /** The last request that was answered, and the answer. */
  #last: { request: EapPacket; response: EapPacket } | undefined;
  #requests = 0;
  #sent = 0;
  #ended = false;
  /** The method is at work on a request. */
  #busy = false;
  #mayEnd = false;
  #MSK: Uint8Array | undefined;
  /** Why a Success would not be believed now. */
  #reason = "the method has not begun";

  constructor(options: EapOptions) {
    this.manners = { ...options.manners };
    this.#options = { ...options, manners: this.manners };
    this.#own = eapMethods[options.user.type];
  }

  take(received: EapPacket): EapStep {
    if (this.#ended) return ignored("the conversation has ended");
    if (this.#busy) return ignored("the packet before is still at work");
    switch (received.code) {
      case EAP_CODE.REQUEST:
        return this.#onRequest(received);
      case EAP_CODE.SUCCESS:
        return this.#onSuccess(received);
      case EAP_CODE.FAILURE:
        return this.#onFailure();
      default:
        return ignored(`code ${received.code} is not for a peer`);
    }
  }

  close(): void {
    this.#ended = true;
    this.#method?.close?.();
  }

  #onRequest(request: EapPacket): EapStep {
    this.#requests++;
    if (this.#requests > MAX_REQUESTS) return this.#fail(`more than ${MAX_REQUESTS} requests`);
    const [type] = request.data;
    if (type === undefined) return ignored("a request without a type");
    const before = this.#last;
    if (before?.request.identifier !== request.identifier) return this.#onNewRequest(request, type);
    if (this.manners.answersAnew) return this.#onNewRequest(request, type);
    const same = equal(before.request.data, request.data);
    return {
      send: before.response,
      ...(!same && { reason: "another request with the identifier of the last" }),
    };
  }

  #onNewRequest(request: EapPacket, type: number): EapStep {
    if (type === EAP_TYPE.NOTIFICATION) return this.#onNotification(request);
    if (type === EAP_TYPE.NAK) return ignored("a request of type Nak");
    if (this.#method && type !== this.#own.type)
      return ignored(
        `a request of ${eapTypes.nameOf(type)} after another method has begun (RFC 3748 section 2.1)`,
      );
    if (type === EAP_TYPE.IDENTITY)
      return this.#respond(request, EAP_TYPE.IDENTITY, utf8(this.#options.user.identity));
    return type === this.#own.type ? this.#onOwnType(request) : this.#nak(request, [this.#own.type]);
  }

  #onNotification(request: EapPacket): EapStep {
    if (this.manners.ignoresNotifications) return ignored("a Notification");
    return this.#respond(request, EAP_TYPE.NOTIFICATION, new Uint8Array(0));
  }

  #nak(request: EapPacket, wanted: number[]): EapStep {
    return this.#respond(request, EAP_TYPE.NAK, Uint8Array.from(wanted));
  }

  #onOwnType(request: EapPacket): EapStep {
    const { refusesOwnType } = this.manners;
    if (refusesOwnType) return this.#nak(request, refusesOwnType);
    this.#method ??= this.#own.peer(this.#options);
    const answer = this.#method.take(view(request.data, 1, request.data.length), request.identifier);
    if (!(answer instanceof Promise)) return this.#onAnswer(request, answer);
    this.#busy = true;
    const sure = undisturbed(answer, (reason): PeerAnswer => ({ reason }));
    return { later: sure.then((done) => this.#onAnswer(request, done)) };
  }

  #onAnswer(request: EapPacket, answer: PeerAnswer): EapStep {
    this.#busy = false;
    if (this.#ended) return ignored("the conversation has ended");
    this.#mayEnd = answer.mayEnd ?? false;
    this.#MSK = answer.MSK;
    this.#reason = answer.reason ?? "the method is not done";
    return answer.data ? this.#respond(request, this.#own.type, answer.data) : this.#fail(this.#reason);
  }

  #respond(request: EapPacket, type: number, data: Uint8Array): EapStep {
    const response = packet(EAP_CODE.RESPONSE, request.identifier, typed(type, data));
    const send = this.manners.bend?.(response, this.#sent++) ?? response;
    this.#last = { request, response: send };
    return { send };
  }

  /** A Failure counts whatever its identifier: IKE protects it, and daemons that give up early have none to name. */
  #onFailure(): EapStep {
    const why = this.#mayEnd ? "it gives no reason" : this.#reason;
    return this.#fail(`the authenticator sent Failure: ${why}`);
  }

  #onSuccess({ identifier, data }: EapPacket): EapStep {
    const { acceptsAnything, believesAnyIdentifier, wrongMSK } = this.manners;
    const expected = this.#last?.request.identifier ?? identifier;
    if (!acceptsAnything) {
      if (identifier !== expected && !believesAnyIdentifier)
        return ignored(`Success with identifier ${identifier}, not ${expected} (RFC 3748 section 4.2)`);
      if (data.length > 0) return ignored("Success with data");
      if (!this.#mayEnd) return this.#fail(`Success too early: ${this.#reason}`);
    }
    this.close();
    const MSK = this.#MSK;
    return { result: "success", ...(MSK && { MSK: wrongMSK ? turned(MSK) : MSK }) };
  }

  #fail(reason: string): EapStep {
    this.close();
    return { result: "failure", reason };
  }
}
