import { expect } from "chai";
import { ownPrefixes, parseXfrmPackets } from "./guest-network.ts";

const XFRM = `src 192.0.2.2 dst 192.0.2.1
	proto esp spi 0x0542942b(88249387) reqid 16393(0x00004009) mode tunnel
	replay-window 0 seq 0x00000000 flag af-unspecextra_flag dont-encap-dscp (0x00100000)
	aead rfc4106(gcm(aes)) 0x00 (288 bits) 128
	lifetime config:
	  limit: soft 2479112325002393851(packets), hard 9223372036854775808(packets)
	lifetime current:
	  252(bytes), 3(packets)
	  add 2026-11-20 21:01:00 use -
src 192.0.2.1 dst 192.0.2.2
	proto esp spi 0x07570aaa(123144874) reqid 16393(0x00004009) mode tunnel
	lifetime current:
	  504(bytes), 6(packets)
	  add 2026-11-20 21:00:59 use -
`;

const config = {
  local: { host: "192.0.2.2", port: 500 },
  remote: { host: "192.0.2.1", port: 500 },
  ...{ localId: "peer.example", remoteId: "tester.example", psk: "key" },
  ...{ ikeProposals: [], espProposals: [], remoteTs: [], mode: "tunnel" as const },
};

describe("network of a guest", () => {
  it("reads the kernel's counters", () => {
    expect([...parseXfrmPackets(XFRM)]).to.deep.equal([
      ["0542942b", 3],
      ["07570aaa", 6],
    ]);
  });

  it("finds the prefixes behind the peer", () => {
    const localTs = ["203.0.113.0/28", "192.0.2.0/24", "192.0.2.2/32", "0.0.0.0/0", "2001:db8:1::/64"];
    expect(ownPrefixes({ ...config, localTs })).to.deep.equal(["203.0.113.0/28", "2001:db8:1::/64"]);
  });
});
