/** The web server of the metrics: /metrics and /healthz. */
import http from "node:http";
import { UserError } from "../../base/user-error.ts";
import type { Closable } from "../service/lifecycle.ts";
import type { MetricsPlace } from "../settings/metrics-place.ts";
import type { Metrics } from "./metrics.ts";

/** Prometheus needs one connection, and a look by hand another one. */
const MOST_CONNECTIONS = 16;

/** A client that says nothing for so long is cut off. */
const PATIENCE_MS = 5_000;

/**
 * So long an answer is the same. Every user of this host can ask, and to make an answer takes the daemon some milliseconds in
 * which it does nothing else. Prometheus asks every few seconds.
 */
const FRESH_MS = 1_000;

/** Why the daemon is not healthy; undefined if it is. That it answers at all shows that its event loop turns. */
export type Health = () => string | undefined;

/** Answers GET and HEAD, and nothing else. */
export class MetricsServer implements Closable {
  private readonly server: http.Server;

  private constructor(server: http.Server) {
    this.server = server;
  }

  /** @throws UserError if the address cannot be used */
  static async open(
    place: MetricsPlace,
    metrics: Metrics,
    health: Health,
    nowMs = () => performance.now(),
  ): Promise<MetricsServer> {
    const fresh = { contentType: metrics.contentType, text: kept(() => metrics.text(), nowMs) };
    const server = http.createServer((request, response) => void answer(request, response, fresh, health));
    server.maxConnections = MOST_CONNECTIONS;
    server.headersTimeout = PATIENCE_MS;
    server.requestTimeout = PATIENCE_MS;
    server.keepAliveTimeout = PATIENCE_MS;
    server.setTimeout(PATIENCE_MS, (socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(openError(place, error)));
      server.listen({ host: place.ip, port: place.port }, resolve);
    });
    server.removeAllListeners("error");
    // An error of one connection, such as too many open files, is none of the daemon.
    server.on("error", () => undefined);
    return new MetricsServer(server);
  }

  /** The port that it listens on. */
  get port(): number {
    const address = this.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Makes a text again only if the last one is not fresh any more. */
function kept(make: () => Promise<string>, nowMs: () => number): () => Promise<string> {
  let last: { readonly text: Promise<string>; readonly atMs: number } | undefined;
  return () => {
    if (last === undefined || nowMs() - last.atMs >= FRESH_MS) last = { text: make(), atMs: nowMs() };
    return last.text;
  };
}

function openError({ ip, port }: MetricsPlace, { code }: NodeJS.ErrnoException): UserError {
  return new UserError(
    `the metrics cannot be served on ${ip}:${port} (${code}): choose another address with --metrics`,
  );
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  metrics: Pick<Metrics, "contentType" | "text">,
  health: Health,
): Promise<void> {
  const [path] = (request.url ?? "").split("?", 1);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    end(response, 405, "only GET and HEAD are answered\n");
  } else if (path === "/metrics") {
    response.setHeader("Content-Type", metrics.contentType);
    end(response, 200, await metrics.text());
  } else if (path === "/healthz") {
    const reason = health();
    end(response, reason === undefined ? 200 : 503, `${reason ?? "ok"}\n`);
  } else end(response, 404, "see /metrics and /healthz\n");
}

function end(response: http.ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  if (!response.hasHeader("Content-Type")) response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.end(text);
}
