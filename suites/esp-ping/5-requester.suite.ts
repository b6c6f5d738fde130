import {
  echoForms,
  echoRevision,
  echoSession,
  expectConsistent,
  expectLeastPadding,
  expectPlainForm,
  numbersOf,
  peerPlainProbes,
  peerPlainSessions,
  peerProbes,
  readU32,
  require,
  test,
} from "../../harness/script/index.ts";
import { encodePlain } from "../../harness/wire/esp-echo-plain.ts";

const ROLES = ["responder", "initiator"] as const;
const ENCRYPTED = ["M", "E3", "E2", "K"];

/** Fails unless each number is one more than that before it, modulo 2^16. */
function expectSeries(numbers: (number | undefined)[]): void {
  const [first = 0] = numbers;
  const right = numbers.every((n, i) => n === ((first + i) & 0xffff));
  require(right, "Sequence Numbers that grow by one", numbers.join(", "));
}

for (const peer of ROLES) {
  /**
   * The peer is told to send four requests inside of the SA. They have one Identifier, Sequence Numbers that grow by
   * one, Next Header 144, the least padding and nothing behind Data, and name an SPI for the reply that the peer chose for an SA with us.
   */
  test(`as-${peer}-sends-requests-as-the-text-says`, {
    requirements: [
      ...["ESP-PING-02", "ESP-PING-05", "ESP-PING-06", "ESP-PING-09", "ESP-PING-12", "ESP-PING-16"],
    ],
    peer,
    lies: [
      ...[
        "repeats-echo-sequence-numbers",
        "asks-for-replies-on-a-strange-spi",
        "pads-echoes-more-than-it-must",
      ],
      ...["joins-data-blocks-to-echoes", "sends-echo-requests-with-next-header-59"],
    ],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const requests = await peerProbes(s, { count: 4 });
    for (const request of requests) {
      expectConsistent(s, request);
      expectLeastPadding(session.child, request);
      const { subType, flags, replySpi } = request.echo ?? { subType: 0, flags: 0 };
      require(subType === numbersOf(s).subType.request, "Sub-Type 2", `${subType}`);
      require((flags & 0x80) !== 0, "R set", `flags ${flags}`);
      require(replySpi ===
        readU32(session.child.spiOut, 0), "an SPI of the peer's", `${replySpi?.toString(16)}`);
    }
    expectSeries(requests.map(({ echo }) => echo?.sequence));
    const identifiers = new Set(requests.map(({ echo }) => echo?.identifier));
    require(identifiers.size === 1, "one Identifier for the session", [...identifiers].join(", "));
  });

  /**
   * Several Child SAs are there, and one is rekeyed. Whatever the request asks for, the SPI is one of those that the peer
   * chose for an SA with us that stands.
   */
  test(`as-${peer}-asks-for-replies-on-spis-of-its-own`, {
    requirements: ["ESP-PING-16", "ESP-PING-E3-04"],
    peer,
    revisions: ENCRYPTED,
    lies: ["asks-for-replies-on-a-strange-spi"],
  }, async (s) => {
    const session = await echoSession(s, peer);
    const { replyFlag } = echoForms[echoRevision(s)];
    const further = await session.createChild();
    await session.rekeyChild({}, further);
    const known = session.sa.children.map(({ spiOut }) => readU32(spiOut, 0));
    for (const { echo } of await peerProbes(s, { count: 3 })) {
      const asks = ((echo?.flags ?? 0) & replyFlag) !== 0;
      const right = !asks || (echo?.replySpi !== undefined && known.includes(echo.replySpi));
      require(right, `one of ${known.map((spi) => spi.toString(16)).join(", ")}`, `${echo?.replySpi?.toString(16)}`);
    }
  });

  /**
   * Two sessions at once. Each keeps its Identifier for all its requests. Note: that the two differ is only
   * recommended; equal ones are tolerated.
   */
  test(`as-${peer}-gives-each-session-an-identifier`, {
    requirements: ["ESP-PING-07", "ESP-PING-09"],
    peer,
    lies: ["draws-an-identifier-for-each-request"],
  }, async (s) => {
    await echoSession(s, peer);
    const sessions = [await peerProbes(s, { count: 3 }), await peerProbes(s, { count: 3 })];
    const identifiers = sessions.map((requests) => {
      const own = new Set(requests.map(({ echo }) => echo?.identifier));
      require(own.size === 1, "one Identifier for all requests of a session", [...own].join(", "));
      expectSeries(requests.map(({ echo }) => echo?.sequence));
      return [...own][0];
    });
    if (identifiers[0] === identifiers[1]) s.tolerate("two sessions with the same Identifier");
  });
}

/**
 * The peer is told to probe without an SA. Its requests go to SPI 7 with R set and Reply path SPI 8; they have neither
 * IV nor ICV, no more than 3 octets of padding, and Next Header 144. An ESP Sequence Number other than 0 is tolerated.
 */
test("sends-plain-requests-as-the-text-says", {
  requirements: [
    ...["ESP-PING-02", "ESP-PING-13", "ESP-PING-14", "ESP-PING-22", "ESP-PING-23", "ESP-PING-25"],
  ],
  peer: "initiator",
  lies: [
    ...[
      "asks-for-plain-replies-on-another-spi",
      "sends-plain-requests-on-spi-8",
      "pads-plain-requests-beyond-3-octets",
    ],
    ...["sends-plain-requests-with-next-header-59", "adds-an-icv-to-plain-requests"],
  ],
}, async (s) => {
  for (const size of [0, 1, 2, 3, 100])
    for (const request of await peerPlainProbes(s, { count: 1, size })) {
      expectPlainForm(s, request);
      const { spi, echo } = request.read ?? {};
      const numbers = numbersOf(s);
      require(spi === numbers.spi.request, `SPI ${numbers.spi.request}`, `${spi}`);
      require(echo?.subType === numbers.subType.request &&
        (echo.flags & 0x80) !== 0, "a request with R set", `flags ${echo?.flags}`);
      require(echo.replySpi === numbers.spi.reply, `Reply path SPI ${numbers.spi.reply}`, `${echo.replySpi}`);
    }
});

/**
 * Four sessions of the peer at once: their Identifiers differ. Note: that they are random, and that Next Header is 59, is
 * only recommended; Identifiers in a series are tolerated, and so is another Next Header.
 */
test("gives-each-plain-session-an-identifier-of-its-own", {
  requirements: ["ESP-PING-C-02", "ESP-PING-C-03", "ESP-PING-C-04"],
  peer: "initiator",
  revisions: ["C"],
  lies: ["gives-all-sessions-one-identifier"],
}, async (s) => {
  const requests = await peerPlainSessions(s, 4, { count: 2 });
  for (const request of requests) expectPlainForm(s, request);
  const all = requests.map(({ read }) => read?.echo.identifier ?? 0);
  const identifiers = [...new Set(all)].sort((a, b) => a - b);
  const pairs = identifiers.every((identifier) => all.filter((n) => n === identifier).length === 2);
  require(identifiers.length === 4 && pairs, "four Identifiers for two requests each", all.join(", "));
  const [first = 0] = identifiers;
  if (identifiers.every((n, i) => n === first + i)) s.tolerate(`Identifiers in a series from ${first} on`);
});

/**
 * Replies on SPI 8: to the peer's own request, twice, and to requests of other sessions that it never sent. They do no
 * harm: the peer sets up its SAs, and probes again.
 */
test("outlives-replies-that-nobody-asked-for", {
  requirements: ["ESP-PING-C-04a"],
  peer: "initiator",
  revisions: ["C", "M", "K"],
  lies: ["dies-of-replies-to-others"],
}, async (s) => {
  const [own] = await peerPlainProbes(s, { count: 1 });
  require(own?.read !== undefined, "a request of the peer", "none of this revision");
  const { source, destination, protocol } = own.datagram;
  const { spi, subType } = numbersOf(s);
  for (const change of [0x0000, 0x0000, 0xffff, 0x0001]) {
    const { identifier, sequence, ...rest } = own.read.echo;
    const changed = { identifier: identifier ^ change, sequence: sequence ^ change };
    const echo = { ...rest, ...changed, subType: subType.reply };
    const data = encodePlain({ spi: spi.reply, espSequence: 0, echo }, echoRevision(s));
    s.host.send({ protocol, source: destination, destination: source, data });
  }
  await s.wait();
  await peerPlainProbes(s, { count: 1 });
  const session = await s.accept();
  await session.proveTraffic();
});
