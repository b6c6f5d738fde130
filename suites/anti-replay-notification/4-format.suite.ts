import {
  EXCHANGE,
  establishWithStatus,
  expectAlive,
  expectChoice,
  expectNotify,
  expectTraffic,
  fromHex,
  mindNoAdditionalSas,
  NOTIFY,
  type NotifyPayload,
  notify,
  numbersIn,
  type OutgoingMessage,
  PAYLOAD,
  payload,
  replayNotifies,
  replayRevisionOf,
  replayTypeOf,
  require,
  type Script,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

const BOTH = ["01", "00"];
const told = { espProposals: ["aes256gcm16-esn-noesn", "aes128-sha512-esn-noesn"] };

for (const peer of ["responder", "initiator"] as const) {
  /**
   * Each status notify of the peer has Protocol ID 0, no SPI, and one octet of data in which only the bits that have a
   * meaning are set: 0 or 1 in revision 00, bits 0 and 1 in revision 01.
   */
  test(`as-${peer}-announces-in-one-octet`, {
    requirements: ["ARN-301"],
    peer,
    lies: ["sets-reserved-bits-of-replay-status", "pads-replay-status", "puts-an-spi-into-replay-status"],
    revisions: BOTH,
  }, async (s) => {
    await establishWithStatus(s, peer);
    const most = replayRevisionOf(s) === "00" ? 1 : 3;
    const message = s.exchange(EXCHANGE.IKE_AUTH, peer === "initiator" ? "peer" : "us");
    const sent = (peer === "initiator" ? message.request : message.response)?.payloads ?? [];
    for (const { data, spi, protocolId } of replayNotifies(s, sent)) {
      require(data.length === 1 && (data[0] ?? 9) <= most, `one octet, at most ${most}`, data.join(" ") ||
        "none");
      require(spi.length === 0 &&
        protocolId === 0, "no SPI, Protocol ID 0", `${spi.length} octets, ${protocolId}`);
    }
  });
}

/** What is announced in an odd form, as what it is to be read, and so whether 64-bit numbers alone can be taken. */
const READINGS: readonly { what: string; data: string[]; esn: boolean; lie: string }[] = [
  { what: "an-empty-status", data: [""], esn: true, lie: "takes-an-empty-replay-status-for-off" },
  { what: "reserved-bits", data: ["fc"], esn: false, lie: "heeds-reserved-bits-of-replay-status" },
  {
    what: "reserved-bits-beside-e",
    data: ["fe"],
    esn: true,
    lie: "takes-reserved-bits-of-replay-status-for-off",
  },
  { what: "two-octets", data: ["0003"], esn: false, lie: "reads-the-last-octet-of-replay-status" },
  {
    what: "a-long-status",
    data: [`00${"ff".repeat(254)}`],
    esn: false,
    lie: "reads-the-last-octet-of-replay-status",
  },
  {
    what: "equal-copies",
    data: ["00", "00"],
    esn: false,
    lie: "takes-64-bit-numbers-that-the-other-end-cannot",
  },
  {
    what: "copies-off-and-on",
    data: ["00", "01"],
    esn: true,
    lie: "believes-the-worst-of-two-replay-statuses",
  },
  {
    what: "copies-on-and-off",
    data: ["01", "00"],
    esn: true,
    lie: "believes-the-worst-of-two-replay-statuses",
  },
];

for (const { what, data, esn, lie } of READINGS) {
  /**
   * Beside an offer of 64-bit numbers alone stands a status in odd form. It is to be read by its first octet and
   * without the reserved bits; with no data it says nothing; and copies that differ mean the safer thing, which is that
   * the tester checks replays. Who checks can do 64-bit numbers, who neither checks nor can do them without cannot, and
   * that shows how the peer read it.
   */
  test(`reads-${what}`, {
    requirements: ["ARN-305", "ARN-203"],
    peer: "responder",
    lies: [lie],
    config: told,
  }, async (s) => {
    const { session } = await establishWithStatus(s, "responder");
    say(s, ({ payloads }) => [
      ...payloads.filter((p) => p.kind !== "Notify" || p.notifyType !== replayTypeOf(s)),
      ...data.map((octets) => notify(replayTypeOf(s), fromHex(octets))),
    ]);
    await session.tryCreateChild({ proposals: withNumbers(s, 1) });
    const { request, response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
    if (response) mindNoAdditionalSas(response);
    if (esn)
      require(numbersIn(expectChoice(response, request)).join() === "1", "Sequence Numbers 1", "another");
    else expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
    await expectAlive(session);
  });
}

/** Replaces the payloads of our CREATE_CHILD_SA messages. */
function say(s: Script, change: (message: OutgoingMessage) => OutgoingMessage["payloads"]): void {
  for (const which of ["request", "response"] as const)
    s.change(
      EXCHANGE.CREATE_CHILD_SA,
      (message) => {
        message.payloads = change(message);
      },
      which,
    );
}

type Odd = (status: NotifyPayload) => NotifyPayload[];
const ODDITIES: readonly { what: string; odd: Odd; lie: string }[] = [
  {
    what: "an-empty-status",
    odd: (n) => [{ ...n, data: fromHex("") }],
    lie: "chokes-on-an-empty-replay-status",
  },
  {
    what: "a-status-of-255-octets",
    odd: (n) => [{ ...n, data: new Uint8Array(255).fill(1) }],
    lie: "chokes-on-a-long-replay-status",
  },
  {
    what: "a-status-with-an-spi",
    odd: (n) => [{ ...n, protocolId: 3, spi: fromHex("c0ffee01") }],
    lie: "chokes-on-an-spi-in-replay-status",
  },
  {
    what: "a-critical-status",
    odd: (n) => [{ ...n, critical: true }],
    lie: "chokes-on-a-critical-replay-status",
  },
  {
    what: "twenty-statuses",
    odd: (n) => new Array<NotifyPayload>(20).fill(n),
    lie: "chokes-on-two-replay-statuses",
  },
];

for (const { what, odd, lie } of ODDITIES) {
  /**
   * A status notify of the tester is of this odd form. It is a status notify all the same: no reason to refuse, and
   * both Child SAs come up and carry traffic.
   */
  test(`bears-${what}`, {
    requirements: ["ARN-305", "ARN-106"],
    peer: "responder",
    lies: [lie],
    revisions: BOTH,
  }, async (s) => {
    const { session } = await establishWithStatus(s, "responder");
    say(s, ({ payloads }) =>
      payloads.flatMap((p) => (p.kind === "Notify" && p.notifyType === replayTypeOf(s) ? odd(p) : [p])),
    );
    const child = await session.createChild();
    require(await session.ping({ child }), "traffic on the new Child SA", "none");
  });
}

/**
 * The tester says its status where no Child SA is made: in IKE_SA_INIT, in an INFORMATIONAL request and when it rekeys
 * the IKE SA. There it means nothing, and is ignored.
 */
test("ignores-a-status-in-other-exchanges", {
  requirements: ["ARN-305", "ARN-106"],
  peer: "responder",
  lies: ["chokes-on-replay-status-in-other-exchanges"],
  revisions: BOTH,
}, async (s) => {
  const off = () => notify(replayTypeOf(s), Uint8Array.of(0));
  const undo = s.change(EXCHANGE.IKE_SA_INIT, ({ payloads }) => void payloads.push(off()));
  const { session } = await establishWithStatus(s, "responder");
  undo();
  const response = await session.informational(off());
  const errors = response.payloads.filter((p) => p.type === PAYLOAD.NOTIFY);
  require(errors.length === 0, "an empty response", `${errors.length} notifies`);
  s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
    if (!payload(payloads, "TS")) payloads.push(off());
  });
  const renewed = await session.rekeyIke();
  await expectAlive(renewed);
  await expectTraffic(renewed, "a status beside the rekeying of the IKE SA");
});
