import { expect } from "chai";
import type { PeerConfig } from "../contract.ts";
import { tunnelConfig } from "../runtime/testing.ts";
import { connection } from "./config.ts";
import { namesKems, ppkCommands, unsupportedKems, unsupportedPpks } from "./post-quantum.ts";

const ppks = [
  { id: "ppk-1", secret: "first" },
  { id: "aGVsbG8=", secret: "second" },
];
const config: PeerConfig = { ...tunnelConfig(["aes256-sha256-x25519"], ["aes256gcm16"]), ppks };

describe("PPKs of strongSwan", () => {
  it("are all loaded; an initiator has the first for its own", () => {
    expect(ppkCommands("lane", config)).to.deep.equal([
      ["load-shared", { id: "lane-ppk-0", type: "PPK", data: "first", owners: ["ppk-1"] }],
      ["load-shared", { id: "lane-ppk-1", type: "PPK", data: "second", owners: ["aGVsbG8="] }],
    ]);
    const of = (role: "initiator" | "responder") => connection(config, { trust: [] }, role);
    expect(of("initiator")).to.include({ ppk_id: "ppk-1" }).and.not.have.key("ppk_required");
    expect(of("responder")).to.not.have.any.keys("ppk_id", "ppk_required");
    expect(connection({ ...config, ppkRequired: true })).to.include({ ppk_required: "yes" });
  });

  it("have no place but IKE_AUTH", () => {
    const inPlaces = (...ppkIn: PeerConfig["ppkIn"] & {}): PeerConfig => ({ ...config, ppkIn });
    expect(unsupportedPpks(inPlaces("IKE_INTERMEDIATE"))).to.match(/RFC 9867/);
    expect(unsupportedPpks(inPlaces("IKE_AUTH", "CREATE_CHILD_SA"))).to.match(/RFC 9867/);
    expect(unsupportedPpks(inPlaces("IKE_AUTH", "IKE_INTERMEDIATE"))).to.equal(undefined);
    expect(unsupportedPpks({ ...inPlaces("CREATE_CHILD_SA"), ppks: [] })).to.equal(undefined);
  });

  it("are the other end's alone where some are of others", () => {
    const [own, other] = [
      { id: "own", secret: "a" },
      { id: "other", secret: "b", for: "somebody.example" },
    ];
    const shared: PeerConfig = { ...config, ppks: [other, own] };
    expect(ppkCommands("lane", shared)).to.have.length(2);
    for (const role of ["initiator", "responder"] as const)
      expect(connection(shared, { trust: [] }, role)).to.include({ ppk_id: "own" });
    expect(unsupportedPpks(shared)).to.equal(undefined);
    expect(unsupportedPpks({ ...config, ppks: [other] })).to.match(/one PPK/);
  });

  it("have ids that the daemon has room for", () => {
    const of = (octets: number) => ({ ...config, ppks: [{ id: "a".repeat(octets), secret: "x" }] });
    expect(unsupportedPpks(of(511))).to.equal(undefined);
    expect(unsupportedPpks(of(512))).to.match(/511 octets/);
  });

  for (const id of ["192.0.2.1", "@#00ff", "a b", ""])
    it(`cannot have the PPK_ID "${id}"`, () =>
      expect(unsupportedPpks({ ...config, ppks: [{ id, secret: "x" }] })).to.include(`"${id}"`));
});

describe("additional key exchanges of strongSwan", () => {
  const of = (ikeProposal: string, espProposal = "aes256gcm16") => ({
    ...tunnelConfig([ikeProposal], [espProposal]),
  });
  const daemon = (...names: string[]) => new Map([["ke", new Map(names.map((name) => [name, "openssl"]))]]);

  it("are asked for in any proposal", () => {
    expect(namesKems(of("aes256-sha256-x25519"))).to.equal(false);
    for (const words of ["mlkem768", "x25519-ke1_ecp256", "x25519-ke7_none"]) {
      expect(namesKems(of(`aes256-sha256-${words}`)), words).to.equal(true);
      expect(namesKems(of("aes256-sha256-x25519", `aes256gcm16-${words}`)), words).to.equal(true);
    }
  });

  it("are there from 6.0 on, and ML-KEM where a plugin has it", () => {
    const hybrid = of("aes256-sha256-x25519-ke1_mlkem768-ke2_none");
    expect(unsupportedKems(hybrid, new Map([["dh", new Map()]]))).to.match(/RFC 9370/);
    expect(unsupportedKems(hybrid, daemon("CURVE_25519", "ML_KEM_512"))).to.match(/ke1_mlkem768/);
    expect(unsupportedKems(hybrid, daemon("CURVE_25519", "ML_KEM_768"))).to.equal(undefined);
  });
});
