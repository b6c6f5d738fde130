import { expect } from "chai";
import { catalogues, isTestable, parseCatalogue, untestableIn } from "./catalogue.ts";
import { FileError } from "./yaml-file.ts";

const FIELDS = {
  section: '"1"',
  level: "MUST",
  who: '"both"',
  roles: "[initiator, responder]",
  text: '"say the truth"',
  observed: '"listen"',
};

/** A catalogue of one requirement with these fields; undefined leaves one out. */
const yamlOf = (fields: { [name: string]: string | undefined }): string => {
  const lines = Object.entries({ ...FIELDS, ...fields }).flatMap(([name, value]) =>
    value === undefined ? [] : [`    ${name}: ${value}`],
  );
  return ["document: x", 'title: "X"', "requirements:", "  X-1:", ...lines, ""].join("\n");
};

const parse = (fields: { [name: string]: string | undefined }) =>
  parseCatalogue(yamlOf(fields), "x.yaml").requirements["X-1"];

describe("catalogue", () => {
  it("knows in which role a requirement can be tested", () => {
    const everywhere = parse({});
    const half = parse({ untestable: '{ responder: "not there" }' });
    const bound = parse({ roles: "[responder]" });
    const nowhere = parse({ observed: undefined, untestable: '"inside"' });
    if (!everywhere || !half || !bound || !nowhere) throw new Error("not parsed");
    const inRoles = (requirement: typeof everywhere) =>
      [isTestable(requirement, "initiator"), isTestable(requirement, "responder")].join();
    expect([everywhere, half, bound, nowhere].map(inRoles)).to.deep.equal([
      "true,true",
      "true,false",
      "false,true",
      "false,false",
    ]);
    expect(untestableIn(half, "responder")).to.equal("not there");
  });

  const wrong: [string, { [name: string]: string | undefined }, RegExp][] = [
    [
      "neither observed nor untestable",
      { observed: undefined },
      /X-1\.observed: is missing where untestable/,
    ],
    ["observed beside untestable", { untestable: '"no"' }, /X-1\.observed: cannot be beside untestable/],
    ["no roles", { roles: "[]" }, /X-1\.roles: must name a role/],
    ["a role twice", { roles: "[responder, responder]" }, /X-1\.roles: names a role twice/],
    ["an unknown role", { roles: "[sender]" }, /X-1\.roles\[0\]: /],
    ["a reason without words", { observed: undefined, untestable: '" "' }, /X-1\.untestable: /],
    [
      "an exception for another role",
      { roles: "[responder]", untestable: "{ initiator: no }" },
      /not in roles/,
    ],
    [
      "an exception for each role",
      { untestable: "{ initiator: no, responder: no }" },
      /one reason if .* all roles/,
    ],
    ["an unknown field", { rolse: "[responder]" }, /X-1\.rolse: unknown field, nearest: roles/],
    ["an unknown level", { level: "must" }, /X-1\.level: /],
  ];
  for (const [what, fields, message] of wrong) {
    it(`refuses ${what}`, () => {
      expect(() => parse(fields)).to.throw(FileError, message);
    });
  }

  it("refuses an id that is there twice", () => {
    const twice = yamlOf({}) + yamlOf({}).split("\n").slice(3).join("\n");
    expect(() => parseCatalogue(twice, "x.yaml")).to.throw(FileError, /x\.yaml: document: not YAML/);
  });

  it("is well-formed for all documents, with ids that are there once", () => {
    const ids = catalogues().flatMap(({ requirements }) => Object.keys(requirements));
    expect(ids.length).to.be.greaterThan(500);
    expect(new Set(ids).size).to.equal(ids.length);
  });
});
