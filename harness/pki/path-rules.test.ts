import "reflect-metadata";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
} from "@peculiar/x509";
import { expect } from "chai";
import { caTemplate, endTemplate } from "./end-certificate.ts";
import { type Issuer, issue, type Template } from "./issue.ts";
import { nameOf } from "./names.ts";
import { validatePath } from "./path.ts";

const DATE = Date.UTC(2026, 0, 1);
const newKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const ROOT: Issuer = { name: nameOf("root"), key: newKey() };
const IKE = "1.3.6.1.5.5.7.3.17";
const SERVER = "1.3.6.1.5.5.7.3.1";
const NULL = Uint8Array.of(5, 0);

/** CAs below the root, the first nearest to it, each with these extensions; certificates the nearest to the end first. */
async function below(...cas: Extension[][]): Promise<{ issuer: Issuer; chain: Uint8Array[] }> {
  let issuer = ROOT;
  const chain: Uint8Array[] = [];
  for (const [index, extensions] of cas.entries()) {
    const ca = { name: nameOf(`CA ${index}`), key: newKey() };
    chain.unshift(await issue({ ...caTemplate(`CA ${index}`, ca.key), extensions }, issuer));
    issuer = ca;
  }
  return { issuer, chain };
}

const endOf = (changes: Partial<Template> = {}): Template => ({
  ...endTemplate("a.example", newKey(), {}, "a.example"),
  ...changes,
});

async function judged(end: Template, issuer = ROOT, chain: Uint8Array[] = [], roots = [ROOT]) {
  const anchors = await Promise.all(
    roots.map(({ name, key }) => issue(caTemplate("root", key), { name, key })),
  );
  const identity = { type: 2, data: new TextEncoder().encode("a.example") };
  const result = validatePath([await issue(end, issuer), ...chain], anchors, identity, DATE);
  return "refused" in result ? result.refused : "accepted";
}

const ca = (pathLength?: number) => new BasicConstraintsExtension(true, pathLength, true);
const usage = (flags: KeyUsageFlags) => new KeyUsagesExtension(flags, true);
const names = new SubjectAlternativeNameExtension([{ type: "dns", value: "a.example" }]);

describe("rules of certification paths", () => {
  it("counts the CAs below one that limits them, itself and self-issued ones apart", async () => {
    for (const [cas, expected] of [
      [[[ca(0)]], "accepted"],
      [[[ca(1)], [ca()]], "accepted"],
      [[[ca(0)], [ca()]], "path length: CN=CA 0, O=ipsec-bakeoff allows 0 CAs below it, not 1"],
      [[[ca(1)], [ca()], [ca()]], "path length: CN=CA 0, O=ipsec-bakeoff allows 1 CAs below it, not 2"],
    ] as const) {
      const { issuer, chain } = await below(...cas.map((extensions) => [...extensions]));
      expect(await judged(endOf(), issuer, chain)).to.equal(expected);
    }
    const { issuer, chain } = await below([ca(0)]);
    const renewed = { name: issuer.name, key: newKey() };
    const selfIssued = await issue(
      { ...caTemplate("CA 0", renewed.key), subject: issuer.name, extensions: [ca()] },
      issuer,
    );
    expect(await judged(endOf(), renewed, [selfIssued, ...chain])).to.equal("accepted");
  });

  it("wants CAs to say that they are, and critical extensions to be known in them too", async () => {
    for (const [extensions, expected] of [
      [[], /^not a CA: CN=CA 0, O=ipsec-bakeoff says so, or does not say/],
      [[ca(), usage(KeyUsageFlags.cRLSign)], /^not a CA: the key usage of CN=CA 0/],
      [[ca(), usage(KeyUsageFlags.keyCertSign)], /^accepted$/],
      [[ca(), new Extension("2.5.29.30", true, NULL)], /^critical extension: CN=CA 0, .* has 2\.5\.29\.30,/],
      [[ca(), new Extension("2.5.29.30", false, NULL)], /^accepted$/],
    ] as const) {
      const { issuer, chain } = await below([...extensions]);
      expect(await judged(endOf(), issuer, chain)).to.match(expected);
    }
  });

  it("takes the key usages of an end as RFC 4945 does", async () => {
    const purposes = (...oids: string[]) => new ExtendedKeyUsageExtension(oids);
    for (const [extensions, expected] of [
      [[], /^accepted$/],
      [[usage(KeyUsageFlags.nonRepudiation)], /^accepted$/],
      [[usage(KeyUsageFlags.keyAgreement)], /^usage: the key usage of CN=a\.example/],
      [[purposes(IKE)], /^accepted$/],
      [[purposes("2.5.29.37.0")], /^accepted$/],
      [[purposes(SERVER)], /^usage: the extended key usage of CN=a\.example/],
    ] as const) {
      expect(await judged(endOf({ extensions: [names, ...extensions] }))).to.match(expected);
    }
  });

  it("refuses an extension that is there twice", async () => {
    const twice = endOf({ extensions: [names, usage(KeyUsageFlags.digitalSignature), names] });
    expect(await judged(twice)).to.match(/^malformed: /);
  });

  it("tries every trusted CA of the name", async () => {
    const others = [newKey(), newKey()].map((key) => ({ name: ROOT.name, key }));
    expect(await judged(endOf(), ROOT, [], [...others, ROOT])).to.equal("accepted");
    expect(await judged(endOf(), ROOT, [], others)).to.match(/^unknown issuer: /);
  });

  it("keeps what strangers wrote out of its texts", async () => {
    const subject = nameOf("\u001b[31mred\n");
    const text = await judged(endOf({ subject, extensions: [] }));
    expect(text).to.match(/^name: CN=\?\[31mred/);
    expect(text).not.to.match(/[^\x20-\x7e]/);
  });
});
