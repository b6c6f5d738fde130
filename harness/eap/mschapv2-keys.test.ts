import { expect } from "chai";
import { fromHex, hex } from "../wire/bytes.ts";
import * as keys from "./mschapv2-keys.ts";

/** RFC 2759 section 9.2, and RFC 3079 section 3.5.3 which goes on from there. */
const PASSWORD = "clientPass";
const AUTHENTICATOR_CHALLENGE = fromHex("5B5D7C7D7B3F2F3E3C2C602132262628");
const PEER_CHALLENGE = fromHex("21402324255E262A28295F2B3A337C7E");
const CHALLENGE = fromHex("D02E4386BCE91226");
const PASSWORD_HASH = fromHex("44EBBA8D5312B8D611474411F56989AE");
const NT_RESPONSE = fromHex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
const MASTER_KEY = fromHex("FDECE3717A8C838CB388E527AE3CDD31");
const SERVER_SENDS = "8b7cdc149b993a1ba118cb153f56dccb";

describe("eap: the arithmetic of MSCHAPv2", () => {
  it("hashes the challenges", () => {
    expect(hex(keys.challengeHash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, "User"))).to.equal(hex(CHALLENGE));
  });

  it("leaves a domain before the name out", () => {
    const hash = keys.challengeHash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, "EXAMPLE\\User");
    expect(hex(hash)).to.equal(hex(CHALLENGE));
  });

  it("hashes the password", () => {
    expect(hex(keys.ntPasswordHash(PASSWORD))).to.equal(hex(PASSWORD_HASH));
  });

  it("makes the NT-Response", () => {
    expect(hex(keys.ntResponse(CHALLENGE, PASSWORD_HASH))).to.equal(hex(NT_RESPONSE));
  });

  it("makes the authenticator response", () => {
    const response = keys.authenticatorResponse(PASSWORD_HASH, NT_RESPONSE, CHALLENGE);
    expect(hex(response)).to.equal("407a5589115fd0d6209f510fe9c04566932cda56");
  });

  it("makes the master key and the send key of the server", () => {
    expect(hex(keys.masterKey(PASSWORD_HASH, NT_RESPONSE))).to.equal(hex(MASTER_KEY));
    expect(hex(keys.startKey(MASTER_KEY, "server"))).to.equal(SERVER_SENDS);
  });

  it("puts the receive key of the server first in the MSK, and zeros behind both", () => {
    const MSK = keys.mschapMSK(PASSWORD_HASH, NT_RESPONSE);
    expect(hex(MSK.subarray(0, 16))).to.equal(hex(keys.startKey(MASTER_KEY, "client")));
    expect(hex(MSK.subarray(16))).to.equal(SERVER_SENDS + "00".repeat(32));
  });
});
