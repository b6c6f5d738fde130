import {
  Ambiguous,
  EXCHANGE,
  type Exchange,
  expectAlive,
  expectNoError,
  expectNotify,
  Failure,
  hasNotify,
  ikeProposals,
  NOTIFY,
  notify,
  type OutgoingMessage,
  PAYLOAD,
  type Payload,
  require,
  type Script,
  Session,
  test,
  unknownPayload,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** Payloads of types that an implementation may be without, and that an INFORMATIONAL request has no use for. */
const WITHOUT_MEANING: Payload[] = [
  { kind: "CERT", type: PAYLOAD.CERT, encoding: 4, data: Uint8Array.of(0x30, 0) },
  { kind: "CERTREQ", type: PAYLOAD.CERTREQ, encoding: 4, data: new Uint8Array(20).fill(0xce) },
  { kind: "EAP", type: PAYLOAD.EAP, code: 2, identifier: 1, data: Uint8Array.of(1, 0x61) },
  { kind: "VendorID", type: PAYLOAD.VENDOR_ID, data: new TextEncoder().encode("of no vendor") },
  unknownPayload(),
];

/** Has refusals say NO_ADDITIONAL_SAS. */
function renameRefusal(message: OutgoingMessage): void {
  if (hasNotify(message.payloads, NOTIFY.NO_PROPOSAL_CHOSEN))
    message.payloads = [notify(NOTIFY.NO_ADDITIONAL_SAS)];
}

const isRefused = ({ response }: Exchange): boolean =>
  hasNotify(response?.payloads ?? [], NOTIFY.NO_ADDITIONAL_SAS);

/** A new IKE SA beside those that there were. */
async function anew(s: Script, peer: (typeof ROLES)[number]): Promise<Session> {
  if (peer === "responder") return s.dial();
  const before = s.trace.childSas().length;
  await s.provoke(() => s.trace.childSas().length > before);
  const child = s.trace.childSas()[before];
  if (!child) throw new Failure("the peer to set up both SAs anew", s.lastReason());
  await s.wait();
  return new Session(s, child.ike);
}

for (const peer of ROLES) {
  /**
   * An INFORMATIONAL request has payloads of the optional types CERT, CERTREQ and EAP, a Vendor ID and an unknown
   * payload. The peer parses them, if only to skip them, and answers without an error. Then an unknown payload with the
   * critical bit is refused by name.
   * Note: that says section 4 of types that the peer does not support. One that supports them may find them out of
   * place; INVALID_SYNTAX is on that reading.
   */
  test(`skips-payloads-without-meaning-as-${peer}`, {
    requirements: ["IKEV2-294"],
    peer,
    lies: ["drops-certificates-and-eap-by-type", "skips-unknown-critical-payloads"],
  }, async (s) => {
    const session = await s.establish(peer);
    const response = await session.informational(...WITHOUT_MEANING);
    if (hasNotify(response.payloads, NOTIFY.INVALID_SYNTAX))
      throw new Ambiguous("INVALID_SYNTAX for payloads that it supports and that are out of place");
    expectNoError(response);
    const refusal = await session.informational(unknownPayload(true));
    expectNotify(refusal, NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD);
  });

  /**
   * The peer rekeys the IKE SA on command and is told NO_ADDITIONAL_SAS. It keeps what it has or deletes it; when that
   * is gone, by its own decision or on command, a new IKE SA with a Child SA comes up and carries traffic.
   */
  test(`starts-anew-after-no-additional-sas-as-${peer}`, {
    requirements: ["IKEV2-296"],
    peer,
    lies: ["starts-nothing-after-no-additional-sas"],
  }, async (s) => {
    const session = await s.establish(peer);
    const ordinary = s.policy.ike;
    s.policy.ike = ikeProposals("aes192ctr-sha512-ecp384");
    const refuse = s.change(EXCHANGE.CREATE_CHILD_SA, renameRefusal, "response");
    const told = () => s.trace.exchangesOf(EXCHANGE.CREATE_CHILD_SA, "peer").find(isRefused);
    await session.provoke(() => s.arena.driver.rekeyIke(), told, "the peer to rekey the IKE SA");
    await s.wait();
    refuse();
    s.policy.ike = ordinary;
    if (session.sa.state !== "closed") {
      await expectAlive(session);
      await s.arena.driver.delete("ike");
      require(await s.until(() => session.sa.state === "closed"), "a Delete of the IKE SA", s.lastReason());
    }
    await (await anew(s, peer)).proveTraffic();
  });
}
