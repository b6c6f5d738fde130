import { networkInterfaces } from "node:os";
import { expect } from "chai";
import { isOurs, sourceOf } from "./source.ts";

describe("names that a server has", () => {
  const takes = (host: string, given: string) => isOurs(given, { host, port: 8080 });

  it("are its address and its port; on loopback also localhost", () => {
    expect(takes("192.0.2.1", "192.0.2.1:8080")).to.equal(true);
    expect(takes("2001:db8::1", "[2001:DB8::1]:8080")).to.equal(true);
    expect(takes("2001:db8::1", "[2001:db8:0::1]:8080")).to.equal(true);
    expect(takes("::1", "localhost:8080")).to.equal(true);
    for (const other of [
      "localhost:8080",
      "192.0.2.1",
      "192.0.2.10:8080",
      "192.0.2.1:80800",
      "[192.0.2.1]:8080@x",
    ])
      expect(takes("192.0.2.1", other), other).to.equal(false);
    expect(isOurs("192.0.2.1", { host: "192.0.2.1", port: 80 })).to.equal(true);
  });

  it("are the addresses of its cards where it is bound to all", () => {
    const own = Object.values(networkInterfaces()).flatMap((cards = []) =>
      cards.map(({ address }) => address),
    );
    for (const address of own.filter((one) => !one.includes(":")))
      expect(takes("0.0.0.0", `${address}:8080`)).to.equal(true);
    expect(takes("0.0.0.0", "192.0.2.77:8080")).to.equal(false);
    expect(takes("::", "evil.example:8080")).to.equal(false);
  });

  it("are the one that its proxy has, and nobody's besides", () => {
    const served = { host: "127.0.0.1", port: 8080, publicUrl: new URL("https://bakeoff.example/") };
    expect(isOurs("Bakeoff.example", served)).to.equal(true);
    expect(isOurs("bakeoff.example.evil", served)).to.equal(false);
    expect(isOurs("bakeoff.example:8080", served)).to.equal(false);
  });

  it("count IPv6 users by their networks", () => {
    expect(sourceOf("2001:db8::1:2:3:4")).to.equal(sourceOf("2001:db8::ffff"));
    expect(sourceOf("2001:db8:0:1::1")).to.not.equal(sourceOf("2001:db8::1"));
    expect(sourceOf("::ffff:192.0.2.1")).to.equal("192.0.2.1");
    expect(sourceOf(undefined)).to.equal("unknown");
  });
});
