import {
  announceReplayStatus,
  canEsn,
  EXCHANGE,
  type Exchange,
  errorNotify,
  establishWithStatus,
  expectChoice,
  expectNotify,
  NOTIFY,
  needReplayStatus,
  numbersIn,
  PROTECTS,
  type ReplayStatus,
  readReplayStatus,
  require,
  type Script,
  Session,
  test,
  withNumbers,
} from "../../harness/script/index.ts";

const REVISIONS = [
  { revision: "01", announcing: "ARN-202" },
  { revision: "00", announcing: "ARN-201" },
] as const;

/** Fails unless the peer's part of the exchange says so of its own SA. */
function expectStatus(s: Script, exchange: Exchange, protects: boolean): void {
  const message = exchange.by === "peer" ? exchange.request : exchange.response;
  const status = readReplayStatus(s, message?.payloads ?? []);
  const text = status ? `replay protection ${status.protects ? "on" : "off"}` : "no status";
  require(status?.protects === protects, `replay protection ${protects ? "on" : "off"}`, text);
}

for (const { revision, announcing } of REVISIONS) {
  for (const peer of ["responder", "initiator"] as const) {
    for (const [protection, window] of [
      ["on", 64],
      ["off", 0],
    ] as const) {
      /**
       * The peer is told to check replays, or not to. It says so with every Child SA that it makes: in IKE_AUTH, in
       * its request to rekey one, and in its answer for one more.
       */
      test(`as-${peer}-announces-with-each-child-sa-that-protection-is-${protection}`, {
        requirements: window === 0 ? [announcing, "ARN-101"] : [announcing],
        peer,
        lies: [
          "announces-the-opposite-replay-status",
          "announces-replay-status-in-ike-auth-alone",
          "omits-replay-status-when-it-rekeys",
        ],
        config: { replayWindow: window },
        revisions: [revision],
      }, async (s) => {
        const { session, status } = await establishWithStatus(s, peer);
        require(status.protects === window > 0, `replay protection ${protection}`, "the opposite");
        await session.proveTraffic(await session.peerRekeysChild());
        expectStatus(s, s.exchange(EXCHANGE.CREATE_CHILD_SA, "peer"), window > 0);
        await session.createChild();
        expectStatus(s, s.exchange(EXCHANGE.CREATE_CHILD_SA), window > 0);
      });
    }
  }
}

/** What the tester announces, the least doubtful first. */
const STATUSES: readonly (ReplayStatus | undefined)[] = [
  PROTECTS,
  { protects: true, esnWithout: false },
  undefined,
  { protects: false, esnWithout: true },
  { protects: false, esnWithout: false },
];

const textOf = (status: ReplayStatus | undefined): string =>
  status ? `R=${Number(status.protects)} E=${Number(status.esnWithout)}` : "nothing";

/** One handshake with this offer and announcement; fails if ESN is used though an end cannot, or refused though both can. */
async function expectFittingNumbers(
  s: Script,
  offer: number[],
  own: ReplayStatus | undefined,
): Promise<void> {
  const over = own && announceReplayStatus(s, own);
  s.policy.esp = withNumbers(s, ...offer);
  const { sa } = await s.tryDial();
  over?.();
  const peer = needReplayStatus(s);
  const usable = offer.filter((id) => id === 0 || (canEsn(peer) && canEsn(own ?? PROTECTS)));
  const { request, response } = s.exchange(EXCHANGE.IKE_AUTH);
  const refused = errorNotify(response?.payloads ?? []) !== undefined;
  const [id = -1] = refused ? [] : numbersIn(expectChoice(response, request));
  const said = `as we say ${textOf(own)}, and it ${textOf(peer)}`;
  if (usable.length === 0 && id < 0) return expectNotify(response, NOTIFY.NO_PROPOSAL_CHOSEN);
  require(usable.includes(id), `Sequence Numbers ${usable.join(" or ") || "of no kind"} ${said}`, `${id}`);
  require(await new Session(s, sa).ping(), `traffic with Sequence Numbers ${id} ${said}`, "none");
}

for (const window of [0, 32, 1024]) {
  for (const offer of [[0], [1], [0, 1], [1, 0]]) {
    /**
     * The peer has this window, and may use both kinds of numbers. A first handshake shows that it speaks the draft. Then
     * the tester offers these, in five more: it announces that it checks replays, or does not and can or cannot do
     * extended numbers so, or it announces nothing, which means that it checks. Extended numbers are chosen only if both
     * ends can receive with them; where they are all that is offered and cannot be, the offer is refused.
     */
    test(`with-window-${window}-fits-its-choice-of-${offer.join("-and-")}-to-both-ends`, {
      requirements: ["ARN-203"],
      peer: "responder",
      lies: offer.includes(1)
        ? [
            "takes-64-bit-numbers-that-the-other-end-cannot",
            ...(offer.length === 1 ? ["refuses-64-bit-numbers-that-both-ends-can"] : []),
          ]
        : ["uses-64-bit-numbers-unasked"],
      config: { replayWindow: window, espProposals: ["aes256gcm16-esn-noesn", "aes128-sha512-esn-noesn"] },
    }, async (s) => {
      s.policy.esp = withNumbers(s, 0, 1);
      const over = announceReplayStatus(s, PROTECTS);
      await s.tryDial();
      over();
      needReplayStatus(s);
      for (const status of STATUSES) await expectFittingNumbers(s, offer, status);
    });
  }
}
