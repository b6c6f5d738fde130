/**
 * An HTTP hook for tests, in the namespace where it is started: says its port to its parent, and hands every verb on to it.
 * The parent answers with status and text.
 */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";

const answerSchema = z.strictObject({ id: z.int(), status: z.int(), body: z.string() });

const waiting = new Map<number, (answer: z.infer<typeof answerSchema>) => void>();
let next = 0;

const server = createServer(async (request, response) => {
  const id = next++;
  const answered = new Promise<z.infer<typeof answerSchema>>((resolve) => waiting.set(id, resolve));
  process.send?.({ id, ask: await text(request) });
  const { status, body } = await answered;
  response.writeHead(status).end(body);
});
process.on("message", (value) => {
  const answer = answerSchema.parse(value);
  waiting.get(answer.id)?.(answer);
  waiting.delete(answer.id);
});
process.on("disconnect", () => process.exit(0));
server.listen(0, "127.0.0.1", () => process.send?.({ port: Object(server.address()).port }));
