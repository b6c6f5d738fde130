/** Rekeying the IKE SA in CREATE_CHILD_SA: RFC 7296 sections 1.3.2, 2.8.2, 2.18. */
import type { KeyPair } from "../../crypto/types.ts";
import { EXCHANGE } from "../../wire/registry/exchange-types.ts";
import { NOTIFY } from "../../wire/registry/notify-types.ts";
import { TRANSFORM } from "../../wire/registry/transform-types.ts";
import type { Payload, Proposal } from "../../wire/types.ts";
import { type Doing, lowestNonce, oursIsRedundant } from "../collisions.ts";
import type { Core } from "../core.ts";
import { freshKeyPair } from "../key-pair.ts";
import { notify, payload } from "../payloads.ts";
import { choose, isChoiceOf, transformId } from "../proposals.ts";
import { type Answered, IkeSa } from "../sa.ts";
import { sendRequest } from "../send.ts";
import { announce, deriveFrom, succeed } from "../succession.ts";
import { type Answer, NO_ANSWER, otherGroup, refusal } from "./answer.ts";
import { answerKe, type KeAnswer } from "./child.ts";
import { groups, kePayload, noncePayload, saPayload, takeFirst } from "./ike-sa-init.ts";
import { deleteIke } from "./informational.ts";
import { type PutOff, tryLater } from "./retry.ts";

/** Replaces an IKE SA; the Child SAs move over. */
export function startIkeRekey(
  core: Core,
  old: IkeSa,
  wishes: { proposals?: Proposal[]; group?: number },
  done: (sa: IkeSa | string) => void,
  tries = 0,
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
    const again = response && otherGroup(response.payloads, proposals, group);
    if (again !== undefined && !doing.crossing)
      return startIkeRekey(core, on, { ...wishes, group: again }, done);
    const offer = { proposals, group, keyPair };
    const refused = response ? acceptIkeRekey(core, on, sa, offer, response.payloads) : NO_ANSWER;
    if (refused === undefined) return done(finishIkeRekey(core, on, sa, doing));
    const putOff: PutOff = {
      tries,
      again: (now) => (now === on ? startIkeRekey(core, on, wishes, done, tries + 1) : done(now)),
      gone: () => done(refused),
    };
    const later = !doing.crossing && tryLater(core, on, response?.payloads ?? [], putOff);
    if (!later) done(failIkeRekey(core, on, doing, refused));
  };
  sendRequest(core, old, EXCHANGE.CREATE_CHILD_SA, payloads, answered, { doing });
}

type IkeRekey = Extract<Doing, { what: "rekey IKE" }>;

/** Takes the answer into `sa`; says why that cannot be. */
function acceptIkeRekey(
  core: Core,
  old: IkeSa,
  sa: IkeSa,
  offer: { proposals: Proposal[]; group: number; keyPair: KeyPair },
  response: Payload[],
): string | undefined {
  const chosen = payload(response, "SA");
  const ke = payload(response, "KE");
  const nonce = payload(response, "Nonce");
  if (!chosen || !ke || !nonce) return refusal(response);
  const proposal = chosen.proposals[0];
  if (!proposal || !isChoiceOf(chosen.proposals, offer.proposals, 8))
    return "the chosen proposal was not offered";
  const secret = offer.keyPair.derive(ke.data);
  if (!(secret instanceof Uint8Array) || ke.group !== offer.group) return "the KE payload is refused";
  sa.spiR = proposal.spi;
  sa.Nr = nonce.data;
  if (!deriveFrom(core, old, sa, proposal, secret)) return "the chosen transforms cannot be used";
  return undefined;
}

/** The peer's new SA may stay though it is redundant and the peer's to delete: if he never heard of it. */
const REDUNDANT_MS = 60_000;

/** Settles which SA replaces the old one, if the peer rekeyed at the same time (section 2.8.2). */
function finishIkeRekey(core: Core, old: IkeSa, sa: IkeSa, { crossing }: IkeRekey): IkeSa {
  if (crossing && oursIsRedundant(sa.Ni, sa.Nr, crossing)) {
    succeed(core, old, crossing.made);
    announce(core, sa);
    if (core.decide("redundant SA", "delete") === "delete") deleteIke(core, sa, () => {});
    return crossing.made;
  }
  succeed(core, old, sa);
  announce(core, sa);
  if (core.decide("replaced IKE SA", "delete") === "delete") deleteIke(core, old, () => {});
  if (crossing) {
    core.after(REDUNDANT_MS, () => {
      if (crossing.made.state !== "closed") deleteIke(core, crossing.made, () => {});
    });
  }
  return sa;
}

function failIkeRekey(core: Core, old: IkeSa, { crossing }: IkeRekey, reason: string): string {
  if (crossing && old.state !== "closed") succeed(core, old, crossing.made);
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
  if (!exchanged.secret || !deriveFrom(core, old, sa, proposal, exchanged.secret)) {
    return { payloads: [notify(NOTIFY.NO_PROPOSAL_CHOSEN)] };
  }
  const doing = old.pending?.doing;
  if (doing?.what === "rekey IKE") doing.crossing = { made: sa, lowest: lowestNonce(sa.Ni, sa.Nr) };
  else succeed(core, old, sa);
  announce(core, sa);
  return {
    payloads: [saPayload([{ ...proposal, spi: sa.spiR }]), noncePayload(sa.Nr), ...exchanged.payloads],
  };
}
