/** A result set of realistic shape and size, made from nothing: for the tests of the report formats and for pictures of them. */
import type { CatalogueEntry, Extras } from "./extras.ts";
import { groupBy } from "./group.ts";
import {
  type GoldenResult,
  makeResults,
  type PeerInfo,
  type Results,
  type TestResult,
  type Verdict,
} from "./results.ts";

const PEERS: PeerInfo[] = [
  peer("strongswan", "6.1", "netns", "strongSwan 6.1.0"),
  peer("strongswan", "5.9", "netns", "strongSwan 5.9.8"),
  peer("libreswan", "5.2", "uml", "Libreswan 5.2"),
];

function peer(name: string, version: string, runtime: string, fullVersion: string): PeerInfo {
  return { id: `${name}@${version}:${runtime}`, name, version, runtime, fullVersion };
}

/** Document, section, slug, title, level. */
const TESTS: [string, string, string, string, TestResult["level"]][] = [
  ["rfc7296", "1.2", "nonce-too-short", "A nonce of 15 octets is refused", "MUST"],
  [
    "rfc7296",
    "2.1",
    "same-request-same-response",
    "A retransmitted request gets the same response, bit for bit",
    "MUST",
  ],
  [
    "rfc7296",
    "2.5",
    "unknown-critical-payload",
    "An unknown payload with the critical bit is refused by name",
    "MUST",
  ],
  [
    "rfc7296",
    "2.6",
    "cookie-demanded-and-returned",
    "A demanded cookie comes back as the first payload",
    "MUST",
  ],
  ["rfc7296", "2.8", "initiator-reuses-old-spi", "A rekeyed IKE SA has new SPIs", "MUST"],
  [
    "rfc7296",
    "2.8",
    "simultaneous-rekey-one-survives",
    "Of two simultaneous rekeys exactly one survives",
    "MUST",
  ],
  [
    "rfc7296",
    "2.9",
    "narrowed-selectors-are-a-subset",
    "Narrowed traffic selectors lie within those offered",
    "MUST",
  ],
  [
    "rfc7296",
    "2.21",
    "invalid-syntax-inside-ike-auth",
    "A malformed payload under encryption is answered INVALID_SYNTAX",
    "SHOULD",
  ],
  ["rfc7296", "2.23", "nat-moves-to-4500", "With a NAT on the path the exchange moves to port 4500", "MUST"],
  [
    "rfc7296",
    "3.3",
    "proposal-number-echoed",
    "The accepted proposal has the number it was offered under",
    "MUST",
  ],
  ["rfc4303", "2.2", "sequence-starts-at-one", "The first packet of an SA has sequence number 1", "MUST"],
  ["rfc4303", "2.6", "dummy-packet-dropped", "A packet of protocol 59 is dropped without a sign", "MUST"],
  ["rfc4303", "3.4.3", "replayed-packet-refused", "A replayed packet does not arrive twice", "MUST"],
  ["rfc4303", "3.4.4", "bad-icv-dropped", "A packet with one bit of its ICV changed is dropped", "MUST"],
  ["rfc7383", "2.5", "total-fragments-may-not-shrink", "A fragment with a smaller total is ignored", "MUST"],
  [
    "rfc7383",
    "2.6",
    "missing-fragment-then-resent",
    "A message is complete once the missing fragment came again",
    "MUST",
  ],
];

const ODD: Record<string, [Verdict, string, string]> = {
  "libreswan@5.2:uml nonce-too-short responder": [
    "wrong-reason",
    "refused, but with NO_PROPOSAL_CHOSEN",
    "IKE_SA_INIT response with N(NO_PROPOSAL_CHOSEN), 36 octets",
  ],
  "strongswan@5.9:netns invalid-syntax-inside-ike-auth responder": [
    "tolerated",
    "silently dropped, which the text allows but recommends against",
    "no response within 8 s of virtual time",
  ],
  "libreswan@5.2:uml simultaneous-rekey-one-survives initiator": [
    "fail",
    "both new Child SAs are still in use 4 s after the exchanges",
    "2 Child SAs beside the old one: c4a8113f, c90b77e2",
  ],
  "strongswan@5.9:netns missing-fragment-then-resent initiator": [
    "hang",
    "no answer to a liveness check after the third fragment",
    "5 retransmissions unanswered",
  ],
  "libreswan@5.2:uml narrowed-selectors-are-a-subset responder": [
    "unsupported",
    "narrowing is off unless configured; the peer refused with TS_UNACCEPTABLE",
    "N(TS_UNACCEPTABLE)",
  ],
  "strongswan@6.1:netns total-fragments-may-not-shrink responder": [
    "ambiguous",
    "the text may be read as 'discard the fragment' or as 'discard all received'",
    "message complete from the first set",
  ],
};

function test(
  peer: PeerInfo,
  role: TestResult["role"],
  row: (typeof TESTS)[number],
  index: number,
): TestResult {
  const [document, section, slug, title, level] = row;
  const expected = `${title}.`;
  const [verdict, reason, actual] = ODD[`${peer.id} ${slug} ${role}`] ?? [
    "pass",
    "as the text asks",
    expected,
  ];
  const folder = `evidence/${peer.id.replace(":", "-")}/${role}/${slug}`;
  return {
    id: `${document}/${section}/${slug}`,
    title,
    document,
    revision: "",
    section,
    requirements: [`${document}-${section}-${1 + (index % 3)}`],
    level,
    peer: peer.id,
    role,
    verdict,
    reason,
    expected,
    actual,
    durationMs: 40 + 37 * index,
    evidence: {
      capture: `${folder}/capture.pcap`,
      keys: `${folder}/keys`,
      events: `${folder}/events.jsonl`,
      ladder: `${folder}/ladder.txt`,
      log: `${folder}/peer.log`,
    },
  };
}

/** Results of three peers in both roles. */
export function sampleResults(): Results {
  const roles = ["initiator", "responder"] as const;
  return makeResults({
    tool: { name: "ipsec-bakeoff", version: "0.1.0" },
    seed: "7296",
    started: "2026-11-20T21:00:00.000Z",
    finished: "2026-11-20T21:00:41.300Z",
    peers: PEERS,
    tests: PEERS.flatMap((peer) => roles.flatMap((role) => TESTS.map((row, i) => test(peer, role, row, i)))),
  });
}

/** What {@link sampleResults} is told with: pages of the tests, and catalogues that hold their requirements and two that no test names. */
export function sampleExtras(results: Results): Required<Pick<Extras, "documentation" | "catalogues">> {
  const prose = (test: TestResult) =>
    `RFC ${test.document.slice(3)}, section ${test.section}. ${test.title}.\n\nWe complete the exchanges before it, do the one thing the section speaks of, and look at what comes back.`;
  return {
    documentation: new Map(results.tests.map((test) => [test.id, prose(test)])),
    catalogues: [...groupBy(results.tests, ({ document }) => document)].map(([document, tests]) => ({
      document,
      title: `The title of ${document}`,
      requirements: Object.fromEntries([
        ...tests.flatMap((test) => test.requirements.map((id) => [id, entryOf(test)] as const)),
        [`${document}-unseen`, { ...entryOf(tests[0]!), untestable: "it stays inside" }],
        [`${document}-alone`, { ...entryOf(tests[0]!), level: "MAY" as const }],
      ]),
    })),
  };
}

const entryOf = ({ section, level, title }: TestResult): CatalogueEntry => ({
  ...{ section, level, who: "both", text: `${title}, in our words` },
  roles: ["initiator", "responder"],
});

/** One comparison with a golden capture. */
export const sampleGolden = (state: GoldenResult["state"]): GoldenResult[] => [
  {
    ...{ peer: "strongswan@6.1:netns", document: "rfc7296", test: "rfc7296/1.2/sets-up-ike-and-child-sa" },
    ...{ state, differences: state === "different" ? 2 : 0, written: false },
  },
];
