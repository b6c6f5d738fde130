import { expect } from "chai";
import { ascii, withEntities, wrap } from "./inert-text.ts";

describe("inert text", () => {
  it("shows what is no ASCII as an escape", () => {
    expect(ascii("a\u001b[31m\u202eé😀~")).to.equal("a\\u{1b}[31m\\u{202e}\\u{e9}\\u{1f600}~");
  });

  it("has no sign that markup would act upon", () => {
    expect(withEntities(`<a href="x" id='y'>&`)).to.equal("&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
  });

  it("is cut at spaces, and inside a word that is longer than a line", () => {
    expect(wrap("one two  three", 7)).to.deep.equal(["one two", "three"]);
    expect(wrap("abcdefgh ij", 3)).to.deep.equal(["abc", "def", "gh", "ij"]);
    expect(wrap("", 3)).to.deep.equal([]);
  });
});
