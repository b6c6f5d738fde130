import { expect } from "chai";
import { LabError } from "../../peers/runtime/errors.ts";
import { serve } from "../listen/web/server.ts";
import { MemoryHub } from "../listen/web/testing.ts";
import { UsageError } from "../run/usage-error.ts";
import { openPages, pageLines, webOf } from "./listen-web.ts";

describe("where the pages of listen are served", () => {
  const flags = { webAddress: "127.0.0.1", webPort: "8080" };
  const serving = { url: "http://x/", port: 1, close: () => Promise.resolve() };

  it("is loopback, another address, or the name that a proxy has", () => {
    expect(webOf(flags)).to.deep.equal({ host: "127.0.0.1", port: 8080 });
    expect(webOf({ ...flags, webAddress: "2001:DB8:0::1" }).host).to.equal("2001:db8::1");
    const web = webOf({ ...flags, webUrl: "https://Bakeoff.example" });
    expect(web.publicUrl?.href).to.equal("https://bakeoff.example/");
    expect(pageLines(serving, web)).to.deep.equal(["pages at http://x/"]);
    expect(pageLines(serving, webOf({ ...flags, webAddress: "::1" }))).to.have.length(1);
    for (const webAddress of ["192.0.2.1", "0.0.0.0", "::", "2001:db8::1"])
      expect(pageLines(serving, webOf({ ...flags, webAddress })).at(-1)).to.match(/^pages show secrets/);
  });

  it("is refused in one line that names the option", () => {
    const wrong = [
      [{ webAddress: "localhost" }, "--web-address localhost: must be an address"],
      [{ webPort: "65536" }, "--web-port 65536: must be a port from 0 to 65535"],
      [{ webPort: "-1" }, "--web-port -1: must be a port from 0 to 65535"],
      ...["bakeoff.example", "ftp://x/", "https://x/path", "https://x/?a", "https://me@x/"].map(
        (webUrl) =>
          [{ webUrl }, `--web-url ${webUrl}: must be as https://bakeoff.example/, without a path`] as const,
      ),
    ] as const;
    for (const [given, why] of wrong) expect(() => webOf({ ...flags, ...given })).to.throw(UsageError, why);
  });

  it("is a port that nobody else has", async () => {
    const first = await serve(new MemoryHub(), { port: 0 });
    try {
      await openPages(new MemoryHub(), { host: "127.0.0.1", port: first.port });
      expect.fail("two servers had one port");
    } catch (error) {
      expect(error).to.be.instanceOf(LabError);
      expect(String(error)).to.include("EADDRINUSE").and.include("--web-port 0");
    } finally {
      await first.close();
    }
  });
});
