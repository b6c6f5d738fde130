import { expect } from "chai";
import { DriverFault, readReply } from "./verbs.ts";

describe("a reply", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  for (const id of ['{"toString":1,"valueOf":1}', "null", deep])
    it(`to ${id.slice(0, 30)} is a fault of the driver and no more`, () => {
      expect(() => readReply(`{"id":${id},"ok":true}`, "status", 3)).to.throw(
        DriverFault,
        /^the driver answered status, request 3, with a reply to what is no number: "/,
      );
    });
});
