/** An IKEv2 endpoint without I/O: datagrams, timers and commands in; datagrams and events out. */
import type { Address, Datagram } from "../link/types.ts";
import { hex } from "../wire/bytes.ts";
import { EXCHANGE } from "../wire/registry/exchange-types.ts";
import { NOTIFY } from "../wire/registry/notify-types.ts";
import type { Payload, Proposal } from "../wire/types.ts";
import type { ChildSa } from "./child.ts";
import { Core, type EndpointOptions } from "./core.ts";
import type { Answer, LaterAnswer } from "./exchanges/answer.ts";
import { onAuthRequest } from "./exchanges/answer-auth.ts";
import type { ChildWishes } from "./exchanges/child.ts";
import { onCreateChildRequest, startChild } from "./exchanges/create-child-sa.ts";
import { type AuthOutcome, type AuthWishes, startAuth } from "./exchanges/ike-auth.ts";
import { awaitAuth, onInitRequest, requestDigest, startInit } from "./exchanges/ike-sa-init.ts";
import {
  deleteChild,
  deleteIke,
  onInformationalRequest,
  onReportedFailure,
  startLiveness,
} from "./exchanges/informational.ts";
import { startIkeRekey } from "./exchanges/rekey-ike.ts";
import type { Admission, IncomingMessage } from "./hooks.ts";
import { notify } from "./payloads.ts";
import { receive } from "./receive.ts";
import { IkeSa } from "./sa.ts";
import { resendResponse, sendClearAnswer, sendRequest, sendResponse } from "./send.ts";
import { unknownCritical } from "./syntax.ts";

export class Endpoint {
  readonly core: Core;

  constructor(options: EndpointOptions) {
    this.core = new Core(options);
  }

  /** Takes a datagram; false if it is no IKE (ESP or a keepalive). Never throws on any octets. */
  receive(datagram: Datagram): boolean {
    return receive(this.core, datagram, {
      initRequest: (message) => this.#initRequest(message),
      request: (sa, message, fault) => this.#request(sa, message, fault),
    });
  }

  /** When {@link runTimers} wants to be called next, in milliseconds. */
  get nextTimer(): number | undefined {
    return this.core.timers.next;
  }

  /** Does what is due by now. */
  runTimers(): void {
    this.core.timers.run(this.core.options.now());
  }

  /** IKE_SA_INIT only. `done` gets the reason if it failed. */
  init(local: Address, remote: Address, done: (failure?: string) => void = () => {}): IkeSa {
    const sa = new IkeSa("initiator", this.core.freshSpi(8), local, remote);
    this.core.add(sa);
    startInit(this.core, sa, done);
    return sa;
  }

  /** IKE_AUTH on an SA that has keys, and what extensions do before it; not to be called again before `done`. */
  auth(sa: IkeSa, wishes: AuthWishes = {}, done: (outcome: AuthOutcome) => void = () => {}): void {
    startAuth(this.core, sa, wishes, done);
  }

  /** IKE_SA_INIT and IKE_AUTH; where that is childless by policy, CREATE_CHILD_SA after it (RFC 6023 section 5). */
  connect(local: Address, remote: Address, done: (outcome: AuthOutcome) => void = () => {}): IkeSa {
    const childless = this.core.policy.childless === "force";
    const authenticated = (outcome: AuthOutcome) => {
      if (outcome.failure || !childless) return done(outcome);
      this.createChild(sa, {}, (child) =>
        done(typeof child === "string" ? { childFailure: child } : { child }),
      );
    };
    const sa = this.init(local, remote, (failure) =>
      failure ? done({ failure }) : this.auth(sa, {}, authenticated),
    );
    return sa;
  }

  /** CREATE_CHILD_SA for one more Child SA; `done` gets it, or why there is none. */
  createChild(sa: IkeSa, wishes: ChildWishes = {}, done: (child: ChildSa | string) => void = () => {}): void {
    startChild(this.core, sa, wishes, done);
  }

  /** CREATE_CHILD_SA with REKEY_SA; the old Child SA is deleted once the new one is there. */
  rekeyChild(
    child: ChildSa,
    wishes: ChildWishes = {},
    done: (child: ChildSa | string) => void = () => {},
  ): void {
    startChild(this.core, child.ike, { ...wishes, replaces: child }, done);
  }

  /** CREATE_CHILD_SA for a new IKE SA; the Child SAs move to it and the old one is deleted. */
  rekeyIke(
    sa: IkeSa,
    wishes: { proposals?: Proposal[]; group?: number } = {},
    done: (sa: IkeSa | string) => void = () => {},
  ): void {
    startIkeRekey(this.core, sa, wishes, done);
  }

  /** Deletes both SAs of a pair; `done` is called when they are gone, answered or not. */
  deleteChild(child: ChildSa, done: () => void = () => {}): void {
    deleteChild(this.core, child, done);
  }

  /** Deletes the IKE SA with its Child SAs; `done` is called when they are gone, answered or not. */
  deleteIke(sa: IkeSa, done: () => void = () => {}): void {
    deleteIke(this.core, sa, done);
  }

  /** Asks whether the peer is alive (section 2.4). */
  liveness(sa: IkeSa, done: (alive: boolean) => void = () => {}): void {
    startLiveness(this.core, sa, done);
  }

  /** Any request under this SA; `done` gets undefined if it stays unanswered. */
  request(
    sa: IkeSa,
    exchangeType: number,
    payloads: Payload[],
    done: (response: IncomingMessage | undefined) => void = () => {},
  ): void {
    sendRequest(this.core, sa, exchangeType, payloads, done);
  }

  #initRequest(message: IncomingMessage): void {
    const digest = this.#keyOfRequest(message);
    const known = this.core.halfOpen.find(digest);
    if (known && answeredInitLast(known)) return this.#repeatInit(known, message);
    // A repeat of the request of an SA that is past IKE_SA_INIT is ignored (section 2.1).
    if (known && this.core.decide("forgotten request", "ignore") === "ignore") {
      return this.core.emit({
        type: "dropped",
        datagram: message.datagram,
        reason: "a repeated IKE_SA_INIT request",
      });
    }
    const critical = unknownCritical(message.payloads);
    if (critical && this.#refusesCritical()) return this.#answerClear(message, criticalError(critical));
    const sa = onInitRequest(this.core, message);
    const tooMany = sa && this.core.halfOpen.enter(digest, sa);
    if (tooMany) this.core.closeIke(tooMany, "too many half-open SAs");
  }

  /** What tells a repeat from the request of another initiator, who may have drawn the same SPI (section 2.1). */
  #keyOfRequest(message: IncomingMessage): string {
    const manner = this.core.decide("half-open SA", "found by the whole request");
    if (manner === "found by the whole request") return requestDigest(message.octets);
    return `${hex(message.header.spiI)} ${message.datagram.source.host}`;
  }

  #repeatInit(sa: IkeSa, message: IncomingMessage): void {
    message.sa = sa;
    const manner = this.core.decide("retransmitted request", "resend");
    if (manner === "answer anew") return void onInitRequest(this.core, message);
    this.core.emit({ type: "received", message, repeated: true });
    awaitAuth(this.core, sa);
    if (manner === "resend") resendResponse(this.core, sa, message);
  }

  #refusesCritical(): boolean {
    return this.core.decide("unknown critical payload", "refuse") === "refuse";
  }

  #answerClear(message: IncomingMessage, error: Payload): void {
    this.core.emit({ type: "received", message, repeated: false });
    sendClearAnswer(this.core, message, [error]);
  }

  /** A request that is new, whole and authentic (or not protected, if an extension lets that pass). */
  #request(sa: IkeSa, message: IncomingMessage, fault: string | undefined): void {
    const answer = sa.answering ? undefined : this.#answer(sa, message, fault);
    if (!answer) {
      return this.core.emit({
        type: "dropped",
        datagram: message.datagram,
        reason: sa.answering ? "its answer is still being made" : "no answer to this exchange now",
      });
    }
    if (!("later" in answer)) return this.#respond(sa, message, answer);
    sa.answering = true;
    this.core.later(sa, answer.later, (done) => this.#respond(sa, message, done));
  }

  #respond(sa: IkeSa, message: IncomingMessage, answer: Answer): void {
    sa.answering = false;
    sa.expectedMessageId = Math.max(sa.expectedMessageId, message.header.messageId + 1);
    this.core.halfOpen.progressed(sa);
    sendResponse(this.core, sa, message, answer.payloads);
    answer.sent?.();
    if (answer.close) this.core.closeIke(sa, answer.close);
  }

  #answer(sa: IkeSa, message: IncomingMessage, fault: string | undefined): Answer | LaterAnswer | undefined {
    const manner = fault ? this.core.decide("malformed message", "INVALID_SYNTAX") : "accept";
    if (manner === "drop") return undefined;
    if (manner === "INVALID_SYNTAX")
      return { payloads: [notify(NOTIFY.INVALID_SYNTAX)], close: `malformed: ${fault}` };
    const critical = unknownCritical(message.payloads);
    if (critical && this.#refusesCritical()) {
      const close = sa.established ? undefined : "unknown critical payload";
      return { payloads: [criticalError(critical)], close };
    }
    return this.#exchange(sa, message);
  }

  #exchange(sa: IkeSa, message: IncomingMessage): Answer | LaterAnswer | undefined {
    const { exchangeType } = message.header;
    if (!sa.established && sa.role === "initiator") return undefined;
    if (!sa.established) {
      const answer = this.core.first((e) => e.early?.(this.core, sa, message));
      if (answer) return answer;
    }
    const admission = this.#admission(exchangeType);
    const authenticates = exchangeType === EXCHANGE.IKE_AUTH || admission !== undefined;
    if (!sa.established && authenticates) return onAuthRequest(this.core, sa, message, admission);
    if (!sa.established) {
      // Between the rounds of EAP the initiator can find our AUTH wrong.
      const told = sa.authRounds !== undefined && exchangeType === EXCHANGE.INFORMATIONAL;
      return told ? onReportedFailure(message) : undefined;
    }
    const answer = this.core.first((e) => e.answers?.(this.core, sa, message));
    if (answer) return answer;
    if (exchangeType === EXCHANGE.CREATE_CHILD_SA) return onCreateChildRequest(this.core, sa, message);
    if (exchangeType === EXCHANGE.INFORMATIONAL) return onInformationalRequest(this.core, sa, message);
    return undefined;
  }

  #admission(exchangeType: number): Admission | undefined {
    const admissions = this.core.options.extensions.flatMap(({ admission }) => admission ?? []);
    return admissions.find((admission) => admission.exchangeType === exchangeType);
  }
}

/** Whether the response to IKE_SA_INIT is still the one that can be asked for again. */
const answeredInitLast = ({ state, lastResponse }: IkeSa): boolean =>
  state === "half-open" && lastResponse?.message.header.exchangeType === EXCHANGE.IKE_SA_INIT;

const criticalError = (p: Payload): Payload =>
  notify(NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, Uint8Array.of(p.type));
