/** EAP Generic Token Card (RFC 3748 section 5.6), which IKE uses to ask for a password in clear. It makes no key. */
import { equal } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import { type EapMethod, failed, succeeded } from "./method.ts";
import { utf8 } from "./packets.ts";

export const gtc: EapMethod = {
  name: "gtc",
  type: EAP_TYPE.GTC,
  makesKey: false,

  peer: ({ user }) => ({
    take: (data) =>
      data.length === 0
        ? { reason: "GTC without a message to display" }
        : { data: utf8(user.password), mayEnd: true },
  }),

  authenticator: ({ user, manners = {} }, known) => ({
    begin: () => utf8("Password: "),
    take(data) {
      if (data.length === 0) return failed("the response to GTC is empty");
      if (manners.acceptsAnything || (known && equal(data, utf8(user.password)))) return succeeded();
      return failed("wrong password");
    },
  }),
};
