import { expect } from "chai";
import type { Datagram } from "../link/types.ts";
import { canonical, isUnspecified, withoutZones } from "./addresses.ts";
import { endpointAddress, sessionWish } from "./types.ts";

describe("addresses of the listener", () => {
  it("have one spelling, whoever wrote them", () => {
    for (const text of ["2001:DB8::7", "2001:db8:0:0:0:0:0:7", "2001:db8::7%eth0"])
      expect(canonical(text)).to.equal("2001:db8::7");
    expect(canonical("192.0.2.7")).to.equal("192.0.2.7");
    expect(sessionWish.parse({ address: "2001:DB8::7" }).address).to.equal("2001:db8::7");
    expect(endpointAddress.parse({ host: "2001:db8:0::7", port: 1 }).host).to.equal("2001:db8::7");
  });

  it("are unspecified where nobody can dial them", () => {
    for (const text of ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"]) expect(isUnspecified(text)).to.equal(true);
    for (const text of ["192.0.2.1", "::1", "no address"]) expect(isUnspecified(text)).to.equal(false);
  });

  it("have their zones for the socket alone", () => {
    const sent: Datagram[] = [];
    let receive: (datagram: Datagram) => void = () => {};
    const link = withoutZones({
      send: (datagram) => void sent.push(datagram),
      onReceive: (handler) => {
        receive = handler;
      },
      close: async () => {},
    });
    link.onReceive((datagram) => {
      const { source, destination } = datagram;
      expect(source).to.deep.equal({ host: "fe80::7", port: 500 });
      expect(endpointAddress.parse(source)).to.deep.equal(source);
      link.send({ ...datagram, source: destination, destination: source });
    });
    const local = { host: "2001:db8::1", port: 500 };
    const zoned = { host: "fe80::7%eth0", port: 500 };
    receive({ protocol: "udp", source: zoned, destination: local, data: new Uint8Array() });
    expect(sent.map(({ destination }) => destination)).to.deep.equal([zoned]);
  });
});
