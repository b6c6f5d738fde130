import {
  bothSign,
  EXCHANGE,
  type OutgoingMessage,
  oursTo,
  PAYLOAD,
  type PeerConfig,
  payload,
  peersId,
  pskAuthValue,
  require,
  test,
} from "../../harness/script/index.ts";

const ROLES = ["responder", "initiator"] as const;

interface Kind {
  ids: Pick<PeerConfig, "localId" | "remoteId">;
  requirements: string[];
  /** Not set: both. */
  only?: "psk";
}

/** The addresses are not those of the packets. */
const KINDS: Record<string, Kind> = {
  fqdn: {
    ids: { localId: "peer.example", remoteId: "tester.example" },
    requirements: ["IKEV2-258", "IKEV2-259", "IKEV2-297"],
  },
  "rfc822-addr": {
    ids: { localId: "peer@example.org", remoteId: "tester@example.org" },
    requirements: ["IKEV2-258", "IKEV2-259", "IKEV2-297"],
  },
  "ipv4-addr": {
    ids: { localId: "198.51.100.17", remoteId: "198.51.100.18" },
    requirements: ["IKEV2-259", "IKEV2-260", "IKEV2-297"],
  },
  "ipv6-addr": {
    ids: { localId: "2001:db8:5::17", remoteId: "2001:db8:5::18" },
    requirements: ["IKEV2-259", "IKEV2-260"],
  },
  "key-id": {
    ids: { localId: "keyid:706565722000ff", remoteId: "keyid:7465737465722000ff" },
    requirements: ["IKEV2-259"],
    only: "psk",
  },
  "der-asn1-dn": {
    ids: { localId: "dn:CN=peer, O=bake-off", remoteId: "dn:CN=tester, O=bake-off" },
    requirements: ["IKEV2-259", "IKEV2-297"],
  },
};
const PROOFS: Record<string, Partial<PeerConfig>> = { psk: {}, certificate: bothSign("ecdsa256") };

/**
 * Both ends have identities of this type, which a shared secret or a certificate belongs to. The peer names itself
 * by exactly this one, without a terminator, takes ours, and traffic passes both ways.
 */
for (const peer of ROLES)
  for (const [kind, { ids, requirements, only }] of Object.entries(KINDS))
    for (const [proof, config] of Object.entries(PROOFS).filter(([name]) => !only || name === only))
      test(`${peer}-is-known-by-${kind}-with-${proof}`, {
        requirements,
        peer,
        lies: ["names-itself-by-another-type", "ends-its-identity-with-a-nul"],
        config: { ...config, ...ids },
      }, async (s) => {
        const session = await s.establish(peer);
        await session.proveTraffic();
      });

/**
 * The reserved octets of the tester's ID payload are set, and AUTH covers them as they are. The peer does not mind
 * them; its own are zero.
 */
for (const peer of ROLES)
  test(`${peer}-does-not-mind-the-reserved-octets-of-an-identity`, {
    requirements: ["IKEV2-161", "IKEV2-257"],
    peer,
    lies: ["leaves-reserved-octets-out-of-auth", "sets-the-reserved-octets-of-its-identity"],
  }, async (s) => {
    const setReserved = ({ sa, payloads }: OutgoingMessage) => {
      const id = payload(payloads, "ID", peer === "responder" ? PAYLOAD.IDi : PAYLOAD.IDr);
      const auth = payload(payloads, "AUTH");
      if (!sa || !id || !auth) return;
      id.reserved3 = 0xff_00ff;
      auth.data = pskAuthValue(sa, s.policy.psk, sa.role, id);
    };
    s.change(EXCHANGE.IKE_AUTH, setReserved, oursTo(peer));
    await s.establish(peer);
    const reserved = peersId(s, peer)?.reserved3 ?? 0;
    require(reserved === 0, "reserved octets of zero", `${reserved}`);
  });
