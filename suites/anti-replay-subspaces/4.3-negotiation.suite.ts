import {
  type Divided,
  EXCHANGE,
  establishDivided,
  expectTraffic,
  fromHex,
  mindNoAdditionalSas,
  notify,
  payload,
  require,
  type Script,
  type SeenMessage,
  subspaceNotifies,
  subspacesTypeOf,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

const told = { espProposals: ["aes256gcm16-esn", "aes128-sha512-esn"] };
const both = { espProposals: ["aes256gcm16-esn-noesn", "aes128-sha512-esn-noesn"] };

/** Fails unless the message announces a limit, in the form it has. */
function expectNotifyIn(s: Script, message: SeenMessage | undefined): void {
  const [found, ...more] = subspaceNotifies(s, message?.payloads ?? []);
  require(found !== undefined && more.length === 0, "one ANTI_REPLAY_SUBSPACES", found ? "several" : "none");
  const { data, spi, protocolId } = found;
  require(data.length === 2 && data.some((octet) => octet > 0), "N in two octets, not 0", data.join(" ") ||
    "no data");
  require(spi.length === 0 &&
    protocolId === 0, "no SPI and Protocol ID 0", `${spi.length} octets, ${protocolId}`);
}

for (const peer of ["responder", "initiator"] as const) {
  /**
   * With every Child SA that can have extended numbers the peer announces how many subspaces it receives: in IKE_AUTH,
   * in its request to rekey, and in its answer for one more. Each of these then carries traffic in subspaces.
   */
  test(`as-${peer}-announces-its-limit-with-each-child-sa`, {
    requirements: ["ARS-13"],
    peer,
    lies: [
      "announces-subspaces-in-ike-auth-alone",
      "announces-subspaces-in-four-octets",
      "announces-no-subspaces",
    ],
    config: told,
  }, async (s) => {
    const { session } = await establishDivided(s, peer);
    const first = s.exchange(EXCHANGE.IKE_AUTH, peer === "initiator" ? "peer" : "us");
    expectNotifyIn(s, peer === "initiator" ? first.request : first.response);
    await session.proveTraffic();
    const rekeyed = await session.peerRekeysChild();
    expectNotifyIn(s, s.exchange(EXCHANGE.CREATE_CHILD_SA, "peer").request);
    await session.proveTraffic(rekeyed);
    const child = await session.createChild();
    expectNotifyIn(s, s.exchange(EXCHANGE.CREATE_CHILD_SA).response);
    await session.proveTraffic(child);
  });
}

/** One more Child SA, for which our end says nothing but these notifies; it must have plain ESP. */
async function expectPlain(
  s: Script,
  { session, ours }: Divided,
  data: string[],
  ...numbers: number[]
): Promise<void> {
  ours.over();
  s.change(EXCHANGE.CREATE_CHILD_SA, ({ payloads }) => {
    for (const octets of data) payloads.push(notify(subspacesTypeOf(s), fromHex(octets)));
  });
  const child = await session.tryCreateChild({ proposals: withNumbers(s, ...numbers) });
  const { response } = s.exchange(EXCHANGE.CREATE_CHILD_SA);
  if (response) mindNoAdditionalSas(response);
  require(typeof child !== "string", "a Child SA", String(child));
  const answered = subspaceNotifies(s, response?.payloads ?? []).length > 0;
  require(!answered, "no ANTI_REPLAY_SUBSPACES in the response", "one");
  require(await session.ping({ child }), "traffic in plain ESP", "none");
}

/**
 * The tester announced subspaces with the first Child SA, and does not with the next. There is nothing to answer: the
 * response has no such notify, and the new Child SA is one of plain ESP.
 */
test(
  "uses-plain-esp-where-nothing-was-announced",
  {
    requirements: ["ARS-13"],
    peer: "responder",
    lies: ["answers-subspaces-unasked"],
    config: told,
  },
  async (s) => expectPlain(s, await establishDivided(s, "responder"), [], 1),
);

const MALFORMED: Record<string, string[]> = {
  "no-data": [""],
  "one-octet": ["08"],
  "three-octets": ["000800"],
  "four-octets": ["00000008"],
  "a-limit-of-zero": ["0000"],
  "two-limits": ["0008", "0004"],
};

for (const [what, data] of Object.entries(MALFORMED)) {
  /** The notify beside the offer of one more Child SA is malformed. It is ignored: plain ESP, and no notify in the response. */
  test(
    `ignores-a-notify-with-${what}`,
    {
      requirements: ["ARS-15"],
      peer: "responder",
      lies: ["agrees-to-malformed-subspaces"],
      config: told,
    },
    async (s) => expectPlain(s, await establishDivided(s, "responder"), data, 1),
  );
}

/** A well-formed notify beside an offer of 32-bit numbers alone means nothing. */
test("ignores-a-notify-beside-32-bit-numbers", {
  requirements: ["ARS-15"],
  peer: "responder",
  lies: ["agrees-to-malformed-subspaces"],
  config: both,
}, async (s) => {
  s.policy.esp = withNumbers(s, 1);
  await expectPlain(s, await establishDivided(s, "responder"), ["0008"], 0);
});

/**
 * The peer, as initiator, offers 32-bit numbers alone and so announces nothing. The notify in the tester's response
 * answers no question, and is ignored.
 * Note: whether the peer speaks the draft at all is for the other tests to find out; who does not ignores it, too.
 */
test("ignores-a-notify-in-a-response-that-it-did-not-ask-for", {
  requirements: ["ARS-15", "ARS-14"],
  peer: "initiator",
  lies: ["takes-subspaces-it-did-not-ask-for"],
  config: { espProposals: ["aes256gcm16-noesn", "aes128-sha512-noesn"] },
}, async (s) => {
  s.change(
    EXCHANGE.IKE_AUTH,
    ({ payloads }) => {
      if (payload(payloads, "SA")) payloads.push(notify(subspacesTypeOf(s), fromHex("0008")));
    },
    "response",
  );
  const session = await s.accept();
  await session.proveTraffic();
  await expectTraffic(session, "a notify nobody asked for");
});

for (const limit of [1, 65_535]) {
  /** The smallest and the largest limit there is: both ends announce, and traffic flows. */
  test(`agrees-with-a-limit-of-${limit}`, {
    requirements: ["ARS-13"],
    peer: "responder",
    lies: ["keeps-the-header-of-plain-esp"],
    config: told,
  }, async (s) => {
    const { session } = await establishDivided(s, "responder", limit);
    await session.proveTraffic();
  });
}
