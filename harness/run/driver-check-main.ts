/** The process of `bakeoff driver-check`, in the tester's namespace if there is one. */
import { type FromCheck, runChecks } from "./driver-check.ts";
import { workOnOrder } from "./order-process.ts";

workOnOrder<FromCheck>(async (order, say, signal) => {
  await runChecks(order, (checked) => void say({ kind: "checked", checked }), signal);
  await say({ kind: "done" });
});
