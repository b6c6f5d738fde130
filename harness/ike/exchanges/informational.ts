/** INFORMATIONAL: RFC 7296 sections 1.4, 2.4. */
import { equal, hex } from "../../wire/bytes.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { PAYLOAD } from "../../wire/registry/payload-types.ts";
import { PROTOCOL } from "../../wire/registry/protocol-ids.ts";
import type { DeletePayload, Payload } from "../../wire/types.ts";
import type { ChildSa } from "../child.ts";
import { type Doing, mayBeMaking, unsettledPredecessor } from "../collisions.ts";
import type { Core } from "../core.ts";
import type { IncomingMessage } from "../hooks.ts";
import { hasNotify } from "../payloads.ts";
import type { Answered, IkeSa } from "../sa.ts";
import { sendRequest } from "../send.ts";
import { succeed, successorOf } from "../succession.ts";
import type { Answer } from "./answer.ts";
import { answerInformationalConfiguration } from "./configuration.ts";

export const deletePayload = (protocolId: number, spis: Uint8Array[]): DeletePayload => ({
  kind: "Delete",
  type: PAYLOAD.DELETE,
  protocolId,
  spiSize: protocolId === PROTOCOL.IKE ? 0 : 4,
  spis,
});

/** Deletes a Child SA pair: our inbound SPI is named, the peer answers with his. */
export function deleteChild(core: Core, child: ChildSa, done: () => void): void {
  child.state = "deleting";
  sendRequest(
    core,
    child.ike,
    EXCHANGE.INFORMATIONAL,
    [deletePayload(child.protocolId, [child.spiIn])],
    (response, on) => {
      const { ike } = child;
      // The IKE SA was replaced, and ended, before the peer saw this: the other end has the Child SA under the new one.
      if (!response && ike !== on && ike.established) return deleteChild(core, child, done);
      core.closeChild(child, "deleted by us");
      done();
    },
    { doing: { what: "delete Child", child } },
  );
}

export function deleteIke(core: Core, sa: IkeSa, done: () => void): void {
  const answered: Answered = (_response, on) => {
    core.closeIke(on, "deleted by us");
    done();
  };
  const doing: Doing = { what: "delete IKE" };
  sendRequest(core, sa, EXCHANGE.INFORMATIONAL, [deletePayload(PROTOCOL.IKE, [])], answered, { doing });
}

/** An empty INFORMATIONAL request (section 2.4); `done` tells whether it was answered. */
export function startLiveness(core: Core, sa: IkeSa, done: (alive: boolean) => void): void {
  sendRequest(core, sa, EXCHANGE.INFORMATIONAL, [], (response) => done(response !== undefined));
}

/** The notifies by which an initiator tells that it gives IKE_AUTH up (section 2.21.2): the IKE SA ends without Delete. */
export function onReportedFailure({ payloads }: IncomingMessage): Answer | undefined {
  if (hasNotify(payloads, NOTIFY.AUTHENTICATION_FAILED))
    return { payloads: [], close: "the peer refused our AUTH" };
  if (hasNotify(payloads, NOTIFY.INVALID_SYNTAX))
    return { payloads: [], close: "the peer reports INVALID_SYNTAX" };
  return undefined;
}

export function onInformationalRequest(core: Core, sa: IkeSa, request: IncomingMessage): Answer | undefined {
  const { payloads } = request;
  const failure = onReportedFailure(request);
  if (failure) return failure;
  const deletes = payloads.filter((p): p is DeletePayload => p.kind === "Delete");
  if (deletes.some((d) => d.protocolId === PROTOCOL.IKE)) {
    // The peer's rekeying has won over ours, though we do not know yet: the Child SAs live on.
    const { doing } = sa.pending ?? {};
    if (doing?.what === "rekey IKE" && doing.crossing?.made) succeed(core, sa, doing.crossing.made);
    return answerIkeDelete(core);
  }
  noteEarlyDeletes(sa, deletes);
  // A Delete can have been on its way while the IKE SA was rekeyed.
  const moved = sa.state === "rekeyed" ? successorOf(sa).children : unsettledPredecessor(sa)?.children;
  const closing = [...sa.children, ...(moved ?? [])].filter((c) => deletes.some((d) => names(d, c)));
  const answer = closing.length === 0 ? { payloads: [] } : answerChildDelete(core, closing);
  const configuration = answerInformationalConfiguration(core, sa, payloads);
  return answer && { ...answer, payloads: [...configuration, ...answer.payloads] };
}

function noteEarlyDeletes(sa: IkeSa, deletes: DeletePayload[]): void {
  const making = mayBeMaking(sa);
  if (!making) return;
  making.deletedEarly ??= new Set();
  for (const spi of deletes.flatMap((d) => d.spis)) making.deletedEarly.add(hex(spi));
}

const names = (d: DeletePayload, child: ChildSa): boolean =>
  d.protocolId === child.protocolId && d.spis.some((spi) => equal(spi, child.spiOut));

function answerIkeDelete(core: Core): Answer {
  const manner = core.decide("Delete of the IKE SA", "delete and answer");
  const answer: Payload[] = manner === "answer with Delete" ? [deletePayload(PROTOCOL.IKE, [])] : [];
  return { payloads: answer, close: manner === "keep the SA" ? undefined : "deleted by the peer" };
}

/** Names our inbound SPIs, except of SAs whose Delete of ours is on its way (section 1.4.1). */
function answerChildDelete(core: Core, closing: ChildSa[]): Answer | undefined {
  const manner = core.decide("Delete of a Child SA", "delete and answer");
  if (manner === "no answer") return undefined;
  const answered = closing.filter((c) => c.state !== "deleting");
  if (manner !== "keep the SA") for (const child of closing) core.closeChild(child, "deleted by the peer");
  if (manner === "answer without Delete" || answered.length === 0) return { payloads: [] };
  const spis = answered.flatMap((c) => (manner === "answer both SPIs" ? [c.spiIn, c.spiOut] : [c.spiIn]));
  return { payloads: [deletePayload(PROTOCOL.ESP, spis)] };
}
