import { test } from "../../script/index.ts";

/** What the tester does, what the peer must do, and where the text says so: this is the test's page in the report. */
test("the-name", {
  requirements: ["THE-ID"],
  peer: "initiator",
  lies: ["the-lie"],
}, async (s) => {
  const session = await s.accept();
  await session.proveTraffic();
});
