import {
  beginner,
  EXCHANGE,
  KEM_PLACES,
  needFragmentation,
  PAYLOAD,
  require,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

/** For packets of so many octets: what a fragment holds of the message, under AES-GCM in UDP over IPv4. */
const PACKETS = [
  { size: 576, chunk: 483, keyword: "frodoa5", name: "1344-aes", fragments: 45 },
  { size: 1280, chunk: 1187, keyword: "frodoa5", name: "1344-aes", fragments: 19 },
  { size: 1500, chunk: 1407, keyword: "frodoa1", name: "640-aes", fragments: 7 },
];

for (const { size, chunk, keyword, name, fragments } of PACKETS) {
  for (const peer of ROLES) {
    /**
     * The tester sends its value of frodokem ${name} in at least ${fragments} fragments, so that no packet has more than
     * ${size} octets. The peer takes them all, and has its own value in fragments as well.
     */
    test(`takes-frodokem-${name}-in-${fragments}-fragments-of-${size}-octets-as-${peer}`, {
      requirements: ["FRODO-10", "FRODO-11"],
      peer,
      config: KEM_PLACES["ike-intermediate"].config(keyword),
      lies: [
        "sends-long-messages-whole",
        ...(fragments > 8 ? ["collects-eight-fragments-at-most"] : ["drops-fragments"]),
      ],
    }, async (s) => {
      s.fragmentation({ chunk });
      const session = needFragmentation(await s.establish(peer));
      const { request, response } = s.exchange(EXCHANGE.IKE_INTERMEDIATE, beginner(peer));
      const [ours, theirs] = peer === "responder" ? [request, response] : [response, request];
      const sent = ours?.datagrams.length ?? 0;
      require(sent >= fragments, `at least ${fragments} fragments of ours`, String(sent));
      require(theirs?.datagrams[0]?.[16] === PAYLOAD.SKF, "fragments of the peer", "a whole message");
      await session.proveTraffic();
    });
  }
}
