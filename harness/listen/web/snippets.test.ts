import { expect } from "chai";
import { isRefusal, type SessionView } from "../types.ts";
import { ipsecConf, swanctlConf } from "./snippets.ts";
import { MemoryHub } from "./testing.ts";

describe("configuration of a participant's daemon", () => {
  const made = new MemoryHub().create({ documents: [] });
  if (isRefusal(made)) throw new Error(made.refused);
  const session: SessionView = { ...made, identity: "p-1.example", secret: "a b" };
  const elsewhere: SessionView = {
    ...session,
    endpoint: { host: "2001:db8::1", ikePort: 1500, natPort: 14500 },
    proposals: {
      ike: ["aes256-sha256-x25519-ke1_mlkem768", "aes128gcm16-prfsha384-ecp384"],
      esp: ["aes128gcm16-esn"],
    },
  };

  it("is whole for strongSwan, and leaves ports to it where they are the usual", () => {
    expect(swanctlConf(session)).to.equal(`connections {
  bakeoff {
    version = 2
    remote_addrs = 192.0.2.1
    proposals = aes256-sha256-x25519
    local {
      auth = psk
      id = p-1.example
    }
    remote {
      auth = psk
      id = bakeoff.example
    }
    children {
      bakeoff {
        local_ts = 203.0.113.0/28
        remote_ts = 203.0.113.16/28
        esp_proposals = aes256gcm16
      }
    }
  }
}
secrets {
  ike-bakeoff {
    id = bakeoff.example
    secret = 0x612062
  }
}
`);
  });

  it("uses the port with the marker where ours are not the usual", () => {
    expect(swanctlConf(elsewhere)).to.include(
      "local_port = 4500\n    remote_port = 14500\n    encap = yes\n",
    );
    expect(ipsecConf(elsewhere)).to.include("rightikeport=14500\n  encapsulation=yes\n");
    expect(ipsecConf(session)).to.not.include("ikeport");
  });

  it("leaves out what libreswan has no words for", () => {
    const text = ipsecConf(elsewhere);
    expect(text).to.include("  ike=aes_gcm_c_128-sha2_384-dh20\n  esp=aes_gcm_c_128\n  pfs=no\n  esn=yes\n");
    expect(text)
      .to.include("leftid=@p-1.example\n")
      .and.include("@p-1.example @bakeoff.example : PSK 0x612062\n");
    const none = ipsecConf({ ...session, proposals: { ike: ["mystery"], esp: ["mystery"] } });
    expect(none).to.not.match(/ (ike|esp)=/);
  });
});
