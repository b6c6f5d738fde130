/**
 * TLS without a network: records in, records out. node:tls works only inside the event loop; everything it does about
 * the records it gets happens before the next turn of the loop but a few, as no operation of it leaves the thread.
 */
import { constants, type X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, createServer, type SecureContextOptions, type TLSSocket } from "node:tls";
import { pemOf, privatePem } from "../pki/pem.ts";
import { concat, plain } from "../wire/bytes.ts";
import { EAP_TYPE } from "../wire/registry/eap.ts";
import type { EapTls } from "./types.ts";

/** Turns of the event loop in which nothing may happen, before TLS counts as having come to rest. */
const QUIET_TURNS = 4;

/** What TLS made of the records given to it. */
export interface TlsProgress {
  /** Records for the other end; empty if there are none. */
  output: Uint8Array;
  /** Why TLS has ended. An alert may be in `output`. */
  error?: string;
}

/** What a finished handshake leaves. */
export interface TlsOutcome {
  version: "TLSv1.2" | "TLSv1.3";
  /** 64 octets. */
  MSK: Uint8Array;
  /** Why the other end's certificate is not good; not set: it is. */
  refused?: string;
}

/** The two ends of what TLS takes for its connection. */
class Pipe extends Duplex {
  readonly written: Uint8Array[] = [];

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.written.push(plain(chunk));
    done();
  }

  takeWritten(): Uint8Array {
    return concat(...this.written.splice(0));
  }
}

/** EAP-TLS wants certificates of both ends, EAP-TTLS the server's; each makes its key by a name of its own. */
export type TlsPurpose = "tls" | "ttls";

/** A session, or why there is none. */
export function openTls(
  role: "client" | "server",
  purpose: TlsPurpose,
  options: EapTls | undefined,
): TlsSession | string {
  const needsCertificate = purpose === "tls" || role === "server";
  const name = `EAP-${purpose.toUpperCase()}`;
  if (needsCertificate && !options?.credential) return `${name} without a certificate of our own`;
  if (!options) return `${name} without a certificate to trust`;
  try {
    return new TlsSession(role, options, purpose);
  } catch (error) {
    return `OpenSSL does not take our key or certificate: ${error instanceof Error ? error.message : error}`;
  }
}

export class TlsSession {
  readonly #options: EapTls;
  readonly #purpose: TlsPurpose;
  readonly #wantsCertificate: boolean;
  readonly #pipe = new Pipe();
  /** Set once the handshake is through. */
  #secure: TLSSocket | undefined;
  #client: TLSSocket | undefined;
  #outcome: TlsOutcome | undefined;
  #error: string | undefined;
  /** Counts everything that happens, so that rest can be told. */
  #events = 0;
  #applicationData: Uint8Array[] = [];

  /** @throws Error for a key or certificate that OpenSSL cannot use */
  constructor(role: "client" | "server", options: EapTls, purpose: TlsPurpose = "tls") {
    this.#options = options;
    this.#purpose = purpose;
    this.#wantsCertificate = role === "client" || purpose === "tls";
    this.#pipe.on("error", (error) => this.#onError(error));
    if (role === "client") this.#connect();
    else this.#accept();
  }

  /** Application data received so far. */
  get applicationData(): Uint8Array {
    return concat(...this.#applicationData);
  }

  /** The same, and forgets it. */
  takeApplicationData(): Uint8Array {
    return concat(...this.#applicationData.splice(0));
  }

  /** Gives records to TLS and waits until it has come to rest. Never rejects. */
  async exchange(records: Uint8Array): Promise<TlsProgress> {
    if (records.length > 0 && !this.#pipe.destroyed) this.#pipe.push(records);
    await this.#rest();
    return { output: this.#pipe.takeWritten(), ...(this.#error !== undefined && { error: this.#error }) };
  }

  /** Sends application data; the records are returned. */
  async write(data: Uint8Array): Promise<TlsProgress> {
    this.#secure?.write(data);
    return this.exchange(new Uint8Array(0));
  }

  /** Undefined as long as the handshake goes on, and after an error. */
  get outcome(): TlsOutcome | undefined {
    return this.#error === undefined ? this.#outcome : undefined;
  }

  close(): void {
    this.#client?.destroy();
    this.#secure?.destroy();
    this.#pipe.destroy();
  }

  #connect(): void {
    const socket = connect({ socket: this.#pipe, ...this.#context(), checkServerIdentity: () => undefined });
    this.#client = socket;
    socket.on("secureConnect", () => this.#onSecure(socket));
    this.#watch(socket);
  }

  #accept(): void {
    const server = createServer({ ...this.#context(), requestCert: this.#wantsCertificate });
    server.on("secureConnection", (socket) => {
      this.#watch(socket);
      this.#onSecure(socket);
    });
    server.on("tlsClientError", (error) => this.#onError(error));
    server.emit("connection", this.#pipe);
  }

  /** Certificates are judged here: node:tls would only cut the connection, and does not send an alert either. */
  #context(): SecureContextOptions & { rejectUnauthorized: boolean } {
    const { credential, trusted, version } = this.#options;
    return {
      ...(credential && {
        key: privatePem(credential.key),
        cert: credential.chain.map(pemOf).join(""),
      }),
      ca: pemOf(trusted),
      minVersion: version ?? "TLSv1.2",
      maxVersion: version ?? "TLSv1.3",
      // Nothing is renegotiated here, and strongSwan's server does not say that it could do so safely (RFC 5746).
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_LEGACY_SERVER_CONNECT,
      rejectUnauthorized: false,
    };
  }

  #watch(socket: TLSSocket): void {
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", () => this.#onError(new Error("closed")));
    socket.on("data", (data) => {
      this.#events++;
      this.#applicationData.push(data);
    });
  }

  /** Called by node:tls: what is thrown here would end the process. */
  #onSecure(socket: TLSSocket): void {
    this.#events++;
    this.#secure = socket;
    try {
      this.#outcome = this.#outcomeOf(socket);
    } catch (error) {
      this.#onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #outcomeOf(socket: TLSSocket): TlsOutcome {
    const version = socket.getProtocol() === "TLSv1.3" ? "TLSv1.3" : "TLSv1.2";
    const refused = this.#wantsCertificate ? this.#refusal(socket) : undefined;
    const MSK = keyMaterial(socket, version, this.#purpose).subarray(0, 64);
    return { version, MSK, ...(refused && { refused }) };
  }

  #onError(error: Error & { reason?: string }): void {
    this.#events++;
    this.#error ??= error.reason ?? error.message;
  }

  async #rest(): Promise<void> {
    const seen = () => this.#events + this.#pipe.written.length;
    let before = -1;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await nextTurn();
      if (seen() !== before) quiet = 0;
      before = seen();
    }
  }

  /** To be asked once: node:tls gives the certificate of a server a single time. */
  #refusal(socket: TLSSocket): string | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (!certificate) return "the other end has no certificate";
    if (!socket.authorized) return `the certificate of the other end: ${socket.authorizationError}`;
    const { peerName } = this.#options;
    if (peerName === undefined || certifies(certificate, peerName)) return undefined;
    return `the certificate of the other end is not for ${peerName}`;
  }
}

function certifies(certificate: X509Certificate, name: string): boolean {
  if (isIP(name)) return certificate.checkIP(name) !== undefined;
  if (name.includes("@")) return certificate.checkEmail(name) !== undefined;
  return certificate.checkHost(name) !== undefined;
}

/** As it is: RFC 5705 tells no context from an empty one, and the types of node know only the latter. */
interface Exporter {
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Uint8Array;
}

/** Of TLS 1.2: RFC 5216 section 2.3, RFC 5281 section 8. */
const LABEL = { tls: "client EAP encryption", ttls: "ttls keying material" } as const;

/** RFC 9190 section 2.3 and RFC 9427 section 2.1 for TLS 1.3: the context is the type. */
function keyMaterial(socket: Exporter, version: TlsOutcome["version"], purpose: TlsPurpose): Uint8Array {
  const type = purpose === "tls" ? EAP_TYPE.TLS : EAP_TYPE.TTLS;
  const octets =
    version === "TLSv1.3"
      ? socket.exportKeyingMaterial(128, "EXPORTER_EAP_TLS_Key_Material", Buffer.of(type))
      : socket.exportKeyingMaterial(128, LABEL[purpose]);
  return plain(octets);
}
