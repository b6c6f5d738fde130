import { expect } from "chai";
import { tunnelConfig } from "../runtime/testing.ts";
import { addressPools, connection, daemonConfig, halfOpenInit, unsupported } from "./config.ts";

const config = tunnelConfig(["aes256-sha256-x25519", "aes128gcm16-prfsha256-ecp256"], ["aes256gcm16"]);

describe("strongSwan's configuration", () => {
  it("puts userspace ESP before the kernel's, and leaves it out in a guest", () => {
    const userspace = daemonConfig({ esp: "userspace", rawEsp: true, cookies: false });
    expect(userspace).to.match(/load = .* kernel-libipsec kernel-netlink /);
    expect(userspace).to.contain("raw_esp = yes");
    expect(daemonConfig({ esp: "kernel", rawEsp: true, cookies: false })).to.not.contain("libipsec");
  });

  it("asks for cookies only when told to", () => {
    const text = (cookies: boolean) => daemonConfig({ esp: "kernel", rawEsp: true, cookies });
    expect(text(false)).to.contain("dos_protection = no");
    expect(text(true)).to.match(/dos_protection = yes\s+cookie_threshold = 1/);
  });

  it("loads a connection without timers", () => {
    const loaded = connection(config);
    expect(loaded).to.include({ rekey_time: 0, reauth_time: 0, dpd_delay: 0, mobike: "no", version: 2 });
    expect(loaded).to.not.have.any.keys("fragmentation", "remote_port");
    expect(connection({ ...config, fragmentation: false })).to.include({ fragmentation: "no" });
    const elsewhere = { ...config, remote: { host: "192.0.2.1", port: 5000 } };
    expect(connection(elsewhere)).to.include({ remote_port: 5000 });
  });

  it("sets the replay window of a kernel, and no counter", () => {
    const window = (replayWindow?: number) =>
      connection({ ...config, ...(replayWindow !== undefined && { replayWindow }) });
    expect(window(0)).to.have.nested.property("children.lane.replay_window", 0);
    expect(window()).to.not.have.nested.property("children.lane.replay_window");
    const kernel = { esp: "kernel", rawEsp: true, cookies: false } as const;
    expect(unsupported({ ...config, replayWindow: 0 }, kernel)).to.equal(undefined);
    expect(unsupported({ ...config, replayWindow: 0 }, { ...kernel, esp: "userspace" })).to.match(/window/);
    expect(unsupported({ ...config, espCounter: 9 }, kernel)).to.match(/counters/);
    expect(unsupported({ ...config, espProposals: ["aes128gcm16iiv"] }, kernel)).to.match(/implicit IV/);
  });

  it("leases addresses out of pools, asks for them, and replaces older IKE SAs, as told", () => {
    const pool = connection({ ...config, addressPools: ["203.0.113.0/28", "2001:db8:1::/124"] });
    expect(pool).to.deep.include({ pools: ["lane-0", "lane-1"], unique: "never" });
    expect(pool).to.have.nested.property("children.lane.remote_ts").that.deep.equals(["dynamic"]);
    expect(addressPools({ ...config, addressPools: ["203.0.113.0/28"] })).to.deep.equal({
      "lane-0": { addrs: "203.0.113.0/28" },
    });
    const asking = connection({ ...config, requestAddresses: ["ipv4", "ipv6"], unique: "replace" });
    expect(asking).to.deep.include({ vips: ["0.0.0.0", "::"], unique: "replace" });
    expect(asking).to.have.nested.property("children.lane.local_ts").that.deep.equals(["dynamic"]);
  });

  it("says what userspace ESP lacks", () => {
    const userspace = { esp: "userspace", rawEsp: false, cookies: false } as const;
    const esn = { ...config, espProposals: ["aes256gcm16-esn-noesn"] };
    expect(unsupported(config, userspace)).to.equal(undefined);
    expect(unsupported({ ...config, mode: "transport" }, userspace)).to.match(/transport/);
    expect(unsupported(esn, userspace)).to.match(/extended/);
    expect(unsupported(esn, { ...userspace, esp: "kernel" })).to.equal(undefined);
    expect(unsupported({ ...config, espProposals: ["aes128gmac"] }, userspace)).to.match(/GMAC/);
    expect(unsupported({ ...config, espProposals: ["aes128gcm16", "aes128gmac"] }, userspace)).to.equal(
      undefined,
    );
  });

  it("makes an IKE_SA_INIT whose lengths agree", () => {
    const bytes = Buffer.from(halfOpenInit());
    expect(bytes.readUInt32BE(24)).to.equal(bytes.length);
    let offset = 28;
    while (offset < bytes.length) offset += bytes.readUInt16BE(offset + 2);
    expect(offset).to.equal(bytes.length);
    // A newline would break the datagram in two where the shell writes it.
    expect([...bytes]).to.not.include(0x0a);
  });
});
