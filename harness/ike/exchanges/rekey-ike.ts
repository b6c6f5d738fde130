/** Rekeying the IKE SA in CREATE_CHILD_SA: RFC 7296 sections 1.3.2, 2.8.2, 2.18. */
import type { KeError, KeyPair } from "../../crypto/types.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Payload, Proposal } from "../../wire/types.ts";
import { additionalMethods } from "../additional-ke.ts";
import {
  awaitCrossing,
  type Crossing,
  type Doing,
  lowestNonce,
  mustStop,
  oursIsRedundant,
  settle,
  whenSettled,
} from "../collisions.ts";
import type { Core } from "../core.ts";
import type { IncomingMessage } from "../hooks.ts";
import { freshKeyPair } from "../key-pair.ts";
import { notify, payload } from "../payloads.ts";
import { choose, isChoiceOf, transformId } from "../proposals.ts";
import { type Answered, IkeSa } from "../sa.ts";
import { sendRequest } from "../send.ts";
import { announce, deriveFrom, succeed } from "../succession.ts";
import { type Answer, NO_ANSWER, otherGroup, refusal, UNTRIED } from "./answer.ts";
import { answerKe, endByKeValue, type KeAnswer, refusedValue } from "./child.ts";
import { groups, kePayload, noncePayload, saPayload, takeFirst } from "./ike-sa-init.ts";
import { deleteIke } from "./informational.ts";
import { type PutOff, tryLater } from "./retry.ts";

/** Replaces an IKE SA; the Child SAs move over. */
export function startIkeRekey(
  core: Core,
  old: IkeSa,
  wishes: { proposals?: Proposal[]; group?: number },
  done: (sa: IkeSa | string) => void,
  tried = UNTRIED,
): void {
  const sa = new IkeSa("initiator", core.freshSpi(8), old.local, old.remote);
  const proposals = (wishes.proposals ?? core.policy.ike).map((p, i) => ({
    ...p,
    number: i + 1,
    spi: sa.spiI,
  }));
  const group = wishes.group ?? groups(proposals)[0] ?? 0;
  const keyPair = freshKeyPair(core, group);
  if (!keyPair) return done("no key exchange method for this group");
  sa.Ni = core.nonce();
  const payloads = [saPayload(proposals), noncePayload(sa.Ni), kePayload(group, keyPair.publicValue)];
  const doing: IkeRekey = { what: "rekey IKE" };
  const answered: Answered = (response, on) => {
    doing.crossing ??= on.peersRekeying;
    const other = response && otherGroup(response.payloads, proposals, tried, group);
    if (other && !doing.crossing)
      return startIkeRekey(core, on, { ...wishes, group: other.group }, done, other.tried);
    const offer = { proposals, group, keyPair };
    const oncePutOff = { ...tried, putOff: tried.putOff + 1 };
    const refuse = (reason: string) => {
      const putOff: PutOff = {
        tries: tried.putOff,
        again: (now) => (now === on ? startIkeRekey(core, on, wishes, done, oncePutOff) : done(now)),
        gone: () => done(reason),
      };
      const later = !doing.crossing && tryLater(core, on, response?.payloads ?? [], putOff);
      if (!later) done(failIkeRekey(core, on, doing, reason));
    };
    if (response) takeAnswer(core, on, { sa, offer, doing, done, refuse }, response);
    else refuse(NO_ANSWER);
  };
  sendRequest(core, old, EXCHANGE.CREATE_CHILD_SA, payloads, answered, { doing });
}

/** A request to replace an IKE SA that is on its way. */
interface RekeyCommand {
  /** The new one. */
  sa: IkeSa;
  offer: { proposals: Proposal[]; group: number; keyPair: KeyPair };
  doing: IkeRekey;
  done: (sa: IkeSa | string) => void;
  refuse: (reason: string) => void;
}

function takeAnswer(core: Core, old: IkeSa, command: RekeyCommand, response: IncomingMessage): void {
  const { sa, offer, doing, done, refuse } = command;
  const answer =
    core.first((e) => e.refuses?.(core, old, response)) ?? acceptIkeRekey(sa, offer, response.payloads);
  if (typeof answer !== "string" && "error" in answer) {
    endByKeValue(core, old);
    return refuse(refusedValue(answer));
  }
  if (typeof answer === "string") return refuse(answer);
  const { proposal, secret } = answer;
  const finish = (further: Uint8Array[] | string): void => {
    if (typeof further === "string") return refuse(further);
    if (!deriveFrom(core, old, sa, proposal, secret, further))
      return refuse("the chosen transforms cannot be used");
    finishIkeRekey(core, old, sa, doing, done);
  };
  if (additionalMethods(proposal).length === 0) return finish([]);
  const { crossing } = doing;
  // Who loses has nothing to delete: he only stops (RFC 9370 section 2.2.4).
  if (crossing && mustStop(core, sa.Ni, sa.Nr, crossing)) return loseIkeRekey(core, old, crossing, done);
  const { extensions } = core.options;
  if (!extensions.some((e) => e.continues?.(core, old, proposal, response, doing, finish)))
    refuse("additional key exchanges, which we cannot do");
}

function loseIkeRekey(
  core: Core,
  old: IkeSa,
  crossing: Crossing<IkeSa>,
  done: (sa: IkeSa | string) => void,
): void {
  awaitCrossing(crossing, (made) => {
    if (typeof made !== "string" && old.state !== "rekeyed") succeed(core, old, made);
    done(made);
  });
}

type IkeRekey = Extract<Doing, { what: "rekey IKE" }>;

/** Takes SPI and nonce of the answer into `sa`; a string says why that cannot be. */
function acceptIkeRekey(
  sa: IkeSa,
  offer: RekeyCommand["offer"],
  response: Payload[],
): { proposal: Proposal; secret: Uint8Array } | KeError | string {
  const chosen = payload(response, "SA");
  const ke = payload(response, "KE");
  const nonce = payload(response, "Nonce");
  if (!chosen || !ke || !nonce) return refusal(response);
  const proposal = chosen.proposals[0];
  if (!proposal || !isChoiceOf(chosen.proposals, offer.proposals, 8))
    return "the chosen proposal was not offered";
  if (ke.group !== offer.group) return "KE payload of another group";
  const secret = offer.keyPair.derive(ke.data);
  if (!(secret instanceof Uint8Array)) return secret;
  sa.spiR = proposal.spi;
  sa.Nr = nonce.data;
  return { proposal, secret };
}

/** The peer's new SA may stay though it is redundant and the peer's to delete: if he never heard of it. */
const REDUNDANT_MS = 60_000;

/** Settles which SA replaces the old one, if the peer rekeyed at the same time (section 2.8.2). */
function finishIkeRekey(
  core: Core,
  old: IkeSa,
  sa: IkeSa,
  { crossing }: IkeRekey,
  done: (sa: IkeSa | string) => void,
): void {
  if (crossing && oursIsRedundant(sa.Ni, sa.Nr, crossing)) {
    announce(core, sa);
    if (core.decide("redundant SA", "delete") === "delete") deleteIke(core, sa, () => {});
    return loseIkeRekey(core, old, crossing, done);
  }
  succeed(core, old, sa);
  announce(core, sa);
  if (core.decide("replaced IKE SA", "delete") === "delete") deleteIke(core, old, () => {});
  if (crossing) {
    core.after(REDUNDANT_MS, () => {
      const { made } = crossing;
      if (made && made.state !== "closed") deleteIke(core, made, () => {});
    });
  }
  done(sa);
}

function failIkeRekey(core: Core, old: IkeSa, { crossing }: IkeRekey, reason: string): string {
  const follow = (made: IkeSa | undefined): void => {
    if (made && old.state !== "closed" && old.state !== "rekeyed") succeed(core, old, made);
  };
  if (crossing) whenSettled(crossing, follow);
  return reason;
}

export function answerIkeRekey(core: Core, old: IkeSa, payloads: Payload[], Ni: Uint8Array): Answer {
  const offers = payload(payloads, "SA")?.proposals ?? [];
  const ke = payload(payloads, "KE");
  const proposal = choose(offers, core.policy.ike, 8, core.decide, ke?.group) ?? takeFirst(core, offers);
  // Section 2.18: an IKE SA is never rekeyed without a key exchange.
  const group = proposal && transformId(proposal, TRANSFORM.KE);
  const careless = core.decide("IKE rekey without key exchange", "refuse") === "accept";
  if (!proposal || (!group && !careless)) return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  const exchanged: KeAnswer =
    careless && (!ke || !group)
      ? { secret: new Uint8Array(), payloads: [] }
      : answerKe(core, proposal, ke?.group, ke?.data);
  if ("error" in exchanged)
    return { payloads: [exchanged.error], close: exchanged.fatal ? "bad KE value" : undefined };
  const sa = new IkeSa("responder", proposal.spi, old.local, old.remote);
  sa.spiR = core.freshSpi(8);
  sa.Ni = Ni;
  sa.Nr = core.nonce();
  const { secret } = exchanged;
  if (!secret) return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  const crossing: Crossing<IkeSa> = { lowest: lowestNonce(sa.Ni, sa.Nr) };
  const finish = (further: Uint8Array[]): boolean => {
    if (!deriveFrom(core, old, sa, proposal, secret, further)) return false;
    settleRekey(core, old, crossing, sa);
    announce(core, sa);
    return true;
  };
  const dropped = () => settleRekey(core, old, crossing, undefined);
  const held = core.first((e) => e.holds?.(core, old, proposal, { finish, dropped }));
  if (!held && !finish([])) return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  const ours = rekeyingOf(old);
  if (ours) ours.crossing = crossing;
  if (held) old.peersRekeying = crossing;
  const chosen = saPayload([{ ...proposal, spi: sa.spiR }]);
  return { payloads: [chosen, noncePayload(sa.Nr), ...exchanged.payloads, ...(held ?? [])] };
}

/** Our own outstanding rekeying of this IKE SA. */
function rekeyingOf({ pending }: IkeSa): IkeRekey | undefined {
  return pending?.doing?.what === "rekey IKE" ? pending.doing : undefined;
}

/** The peer has made this IKE SA by rekeying, or will make none. Whether it stays is open while our own rekeying is. */
function settleRekey(core: Core, old: IkeSa, crossing: Crossing<IkeSa>, made: IkeSa | undefined): void {
  if (old.peersRekeying === crossing) old.peersRekeying = undefined;
  const ours = rekeyingOf(old);
  const decides = ours !== undefined || crossing.settled !== undefined || old.state === "rekeyed";
  if (made && ours) ours.crossing = crossing;
  settle(crossing, made);
  if (made && !decides) succeed(core, old, made);
}
