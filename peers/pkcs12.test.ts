import { createSecureContext } from "node:tls";
import { expect } from "chai";
import { pki } from "../harness/pki/pki.ts";
import { pkcs12 } from "./pkcs12.ts";

describe("PKCS#12", () => {
  it("is read by OpenSSL, whatever the key", async () => {
    for (const kind of ["rsa2048", "ecdsa256", "ecdsa521", "ed25519"] as const) {
      const credential = await (await pki()).credential("peer.example", kind, { intermediate: "good" });
      const pfx = pkcs12(credential, "some name", "some password");
      expect(() => createSecureContext({ pfx, passphrase: "some password" }), kind).to.not.throw();
      expect(() => createSecureContext({ pfx, passphrase: "another" }), kind).to.throw();
    }
  });
});
