import {
  controllerOf,
  espOfMember,
  expectReads,
  group,
  hasNotify,
  NOTIFY,
  onlySa,
  openGroupEsp,
  rekeyWith,
  require,
  test,
  Unsupported,
  withMember,
} from "../../harness/script/index.ts";

const READS = "the peer to read data of the group";

/** Keywords of the key wrap algorithms, and the octets of their keys. */
const KEY_WRAPS: [string, number][] = [
  ["kw128", 16],
  ["kw192", 24],
  ["kw256", 32],
];

for (const [keyWrap, octets] of KEY_WRAPS) {
  /**
   * All keys of the registration are wrapped by ${keyWrap} with GSK_w, which the peer derives from SK_d of its IKE SA
   * and the label of section 3.1.1. It reads data of the group then; after a rekey, whose keys are wrapped with GSK_w of the Rekey
   * SA, it reads them again.
   */
  test(`unwraps-the-keys-of-its-group-with-${keyWrap}`, {
    requirements: ["G-IKEV2-65"],
    peer: "initiator",
    config: group({ keyWrap, rekeyProposal: `aes128gcm16-${keyWrap}` }),
    lies: [octets === 32 ? "wraps-with-keys-of-16-octets-at-most" : "wraps-with-keys-of-32-octets-only"],
  }, async (s) => {
    const gc = await withMember(s);
    const { fresh } = await rekeyWith(gc, () => {});
    await expectReads(gc, "the peer to read data under keys that a rekey brought", fresh);
  });
}

/** Transforms of data SAs, and a lie about the order of keys that shows there. */
const SUITES: Record<string, string> = {
  "aes128gcm16-unspec32": "takes-the-salt-first",
  "aes256gcm16-unspec32": "takes-the-salt-first",
  "chacha20poly1305-unspec32": "takes-the-salt-first",
  "aes128-sha256-unspec32": "takes-integrity-keys-first",
  "aes256-sha512-unspec32": "takes-integrity-keys-first",
};

for (const [data, lie] of Object.entries(SUITES)) {
  /**
   * The data SA of the group is ${data}. KEYMAT has the key of the cipher first (with its salt at the end), then that
   * of the integrity algorithm (section 3.4): the peer reads what is sent to the group, and what it sends opens.
   */
  test(`takes-its-keys-in-order-for-${data}`, {
    requirements: ["G-IKEV2-70"],
    peer: "initiator",
    config: group({ data: [data] }),
    lies: [lie],
  }, async (s) => {
    const gc = await controllerOf(s);
    const { response } = await gc.registers({ sender: true });
    if (hasNotify(response?.payloads ?? [], NOTIFY.NO_PROPOSAL_CHOSEN))
      throw new Unsupported(`its SAg does not have ${data}`);
    await expectReads(gc, READS);
    const [packet] = await espOfMember(gc);
    require(packet !== undefined, "ESP of the peer to the group", "none");
    openGroupEsp(onlySa(gc), packet);
  });
}
