/** A listener in a process of its own, which a real test starts in the tester's namespace and asks over IPC. */
import { z } from "zod";
import { openListener } from "./open.ts";
import { Caller } from "./testing.ts";
import { endpointAddress, isRefusal, type SessionView, sessionWish } from "./types.ts";

const askSchema = z.discriminatedUnion("ask", [
  z.strictObject({ ask: z.literal("create"), wish: sessionWish }),
  z.strictObject({ ask: z.literal("view"), id: z.string() }),
  z.strictObject({ ask: z.literal("events"), id: z.string() }),
  z.strictObject({ ask: z.literal("lie"), id: z.string(), name: z.string() }),
  z.strictObject({ ask: z.literal("dialBack"), id: z.string(), to: endpointAddress }),
  z.strictObject({ ask: z.literal("crowd"), count: z.int() }),
  z.strictObject({ ask: z.literal("close") }),
]);

const [address = "", out = ""] = process.argv.slice(2);
const hub = await openListener({
  ...{ address, ikePort: 500, natPort: 4500, identity: "listen.example", out },
  fault: (error) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`),
});

async function answer(asked: z.infer<typeof askSchema>): Promise<unknown> {
  switch (asked.ask) {
    case "create":
      return hub.create(asked.wish);
    case "view":
      return hub.view(asked.id);
    case "events":
      return hub.events(asked.id, 0);
    case "lie":
      return hub.lie(asked.id, asked.name);
    case "dialBack":
      return hub.dialBack(asked.id, asked.to);
    case "crowd":
      return crowd(asked.count);
    case "close":
      await hub.close();
      process.disconnect();
      return undefined;
  }
}

/** So many endpoints of ours dial at once, each for a session of its own; those. */
async function crowd(count: number): Promise<SessionView[]> {
  const views = Array.from({ length: count }, () => hub.create({ documents: [] })).flatMap((made) =>
    isRefusal(made) ? [] : [made],
  );
  await Promise.all(
    views.map(async (view) => {
      const caller = await Caller.open(address);
      const session = await caller.script(view).dial();
      await session.ping();
      await session.deleteIke();
      await caller.close();
    }),
  );
  return views;
}

process.on("message", (message) => {
  void answer(askSchema.parse(message)).then((value) => {
    if (process.connected) process.send?.({ value: value ?? null });
  });
});
process.send?.({ value: "ready" });
