import { expect } from "chai";
import { parseIkeSas, parseSas } from "./status.ts";

/** As OpenIKED 7.4 printed it. */
const SHOW_SA = `iked_sas: 0x5500000f8f50 rspi 0x3eab943c267e63d1 ispi 0xb0bfd7492a8a219e 192.0.2.2:4500->192.0.2.1:4500<FQDN/tester.example>[] ESTABLISHED i natt udpecap nexti (nil) pol 0x5500000fdea0
  sa_childsas: 0x5500001009b0 ESP 0xf66ef89d out 192.0.2.2:4500 -> 192.0.2.1:4500 (L) B=(nil) P=0x5500000f8580 @0x5500000f8f50
  sa_childsas: 0x5500000f8580 ESP 0x3cae8e95 in 192.0.2.1:4500 -> 192.0.2.2:4500 (LA) B=(nil) P=0x5500001009b0 @0x5500000f8f50
  sa_flows: 0x55000011a600 ESP out 203.0.113.0/28 -> 203.0.113.16/28 [0]@-1 (L) @0x5500000f8f50
iked_activesas: 0x5500000f8580 ESP 0x3cae8e95 in 192.0.2.1:4500 -> 192.0.2.2:4500 (LA) B=(nil) P=0x5500001009b0 @0x5500000f8f50
iked_activesas: 0x5500001009b0 ESP 0xf66ef89d out 192.0.2.2:4500 -> 192.0.2.1:4500 (L) B=(nil) P=0x5500000f8580 @0x5500000f8f50
iked_dstid_sas: 0x5500000f8f50 rspi 0x3eab943c267e63d1 ispi 0xb0bfd7492a8a219e 192.0.2.2:4500->192.0.2.1:4500<FQDN/tester.example>[] ESTABLISHED i natt udpecap nexti (nil) pol 0x5500000fdea0
`;

const BEGUN =
  "iked_sas: 0x5500000f8570 rspi 0x0000000000000000 ispi 0x1ecf5ab1a8ef86f0 any->any<>[] SA_INIT i nexti (nil) pol 0x5500000f9ad0\n";

const IPV6 =
  "iked_sas: 0x550 rspi 0x0000000000000001 ispi 0x0000000000000002 [2001:db8::2]:500->[2001:db8::1]:500<IPV6/2001:db8::1>[] ESTABLISHED r nexti (nil) pol 0x551\n";

const XFRM = `src 192.0.2.1 dst 192.0.2.2
	proto esp spi 0x3cae8e95(1018072725) reqid 0(0x00000000) mode tunnel
	lifetime current:
	  252(bytes), 3(packets)
src 192.0.2.2 dst 192.0.2.1
	proto esp spi 0xf66ef89d(4134467741) reqid 0(0x00000000) mode tunnel
	lifetime current:
	  168(bytes), 2(packets)
`;

describe("OpenIKED status", () => {
  it("reads IKE SAs in any state, with the other end's identity", () => {
    expect(parseIkeSas(SHOW_SA)).to.deep.equal([
      {
        ...{ spiI: "b0bfd7492a8a219e", spiR: "3eab943c267e63d1" },
        ...{ state: "ESTABLISHED", remoteId: "FQDN/tester.example" },
      },
    ]);
    expect(parseIkeSas(BEGUN).map(({ state }) => state)).to.deep.equal(["SA_INIT"]);
    expect(parseIkeSas(IPV6).map(({ remoteId }) => remoteId)).to.deep.equal(["IPV6/2001:db8::1"]);
  });

  it("joins both directions of a Child SA, and the kernel's counters", () => {
    expect(parseSas(SHOW_SA, XFRM)).to.deep.equal({
      ikeSas: [{ spiI: "b0bfd7492a8a219e", spiR: "3eab943c267e63d1", state: "ESTABLISHED" }],
      childSas: [{ spiIn: "3cae8e95", spiOut: "f66ef89d", state: "INSTALLED", packetsIn: 3, packetsOut: 2 }],
    });
    expect(parseSas(SHOW_SA, "").childSas[0]).to.not.have.property("packetsIn");
  });

  it("counts no Child SA of which a direction is not in the kernel", () => {
    expect(parseSas(SHOW_SA.replaceAll("(LA)", "(A)"), XFRM).childSas).to.deep.equal([]);
    expect(parseSas(SHOW_SA.replaceAll("(L)", "(LR)"), XFRM).childSas).to.have.length(1);
  });

  it("finds nothing established in an IKE SA that has only begun, or in nothing", () => {
    expect(parseSas(BEGUN, "")).to.deep.equal({ ikeSas: [], childSas: [] });
    expect(parseSas("", "")).to.deep.equal({ ikeSas: [], childSas: [] });
  });
});
