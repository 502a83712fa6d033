/** Opens the parts that may need root: key file, network and control socket. */
import { UserError } from "../base/user-error.ts";
import { ConsoleServer } from "../console/server.ts";
import type { ChosenInterface } from "../net/interfaces.ts";
import { readKeyFile } from "../net/key-file.ts";
import { KeyRing } from "../net/key-ring.ts";
import { PagePool } from "../net/page-pool.ts";
import { MulticastTransport } from "../net/transports/multicast-transport.ts";
import type { Transport } from "../net/transports/transport.ts";
import { INBOUND_TRANSFERS, WINDOW_BLOCKS } from "../wire/limits.ts";
import { giveState } from "./pushes/history.ts";
import { awaitInterface, NotYetError } from "./service/interface-wait.ts";
import type { Lifecycle } from "./service/lifecycle.ts";
import { openSocketFor } from "./service/socket-owner.ts";
import { placed, withPlace } from "./settings/places.ts";
import type { Settings } from "./settings/settings.ts";

/**
 * Pages beside those of the windows. Two readers hold a batch of 32 each, and the other 64 are those that the writing
 * thread has in hand when all windows are full.
 */
const SPARE_PAGES = 128;

/** What was opened while the daemon had the privileges that it was started with. */
export interface PrivilegedParts {
  readonly ring: KeyRing;
  readonly chosen: ChosenInterface;
  readonly pages: PagePool;
  readonly transport: Transport;
  /** Undefined if the settings want no control socket. */
  readonly server: ConsoleServer | undefined;
}

/** How long the start waits for the network. */
export interface NetworkPatience {
  readonly networkPatienceMs: number;
  /** Called once with the sentence that says what is missing. */
  readonly onWaiting: (sentence: string) => void;
}

/**
 * Opens everything in the order in which it may fail: key, interface, transport, control socket. Each thing that is open is
 * told to the lifecycle at once.
 *
 * @throws UserError with the first obstacle
 */
export async function openPrivilegedParts(
  settings: Settings,
  { networkPatienceMs, onWaiting }: NetworkPatience,
  lifecycle: Lifecycle,
): Promise<PrivilegedParts> {
  const { identity, socket, keyFile, places } = settings;
  const ring = KeyRing.of(
    keyFile === undefined ? [] : withPlace(places.key, "key", () => readKeyFile(keyFile)),
  );
  const chosen = await awaitInterface(
    settings.interface,
    settings.multicast,
    networkPatienceMs,
    onWaiting,
  ).catch((error: unknown) => {
    throw placed(error, settings.interface === undefined ? undefined : places.interface, "interface");
  });
  const pages = new PagePool(INBOUND_TRANSFERS * WINDOW_BLOCKS + SPARE_PAGES);
  const transport = await openTransport(settings, chosen.ip, pages).catch(mayChange);
  lifecycle.opened(transport);
  const server =
    socket === undefined
      ? undefined
      : await openSocketFor(socket, identity, () => ConsoleServer.open(socket)).catch((error: unknown) => {
          throw placed(error, places.socket, "socket");
        });
  if (server !== undefined) lifecycle.opened(server);
  if (identity !== undefined && process.geteuid?.() === 0) {
    giveState(settings.state, identity.uid, identity.gid);
  }
  return { ring, chosen, pages, transport, server };
}

/** An address or a group that cannot be used yet may be there at a later start. */
function mayChange(error: unknown): never {
  throw error instanceof UserError ? new NotYetError(error.message, error.exitStatus) : error;
}

/** Opens the transport that the settings ask for: the only place that names an implementation. */
function openTransport(settings: Settings, interfaceIp: string, pages: PagePool): Promise<Transport> {
  const { multicast: group, port, sendBufferBytes, receiveBufferBytes, offload } = settings;
  return MulticastTransport.open({
    group,
    port,
    interfaceIp,
    sendBufferBytes,
    receiveBufferBytes,
    offload,
    pages,
  });
}
