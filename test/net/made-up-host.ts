import fs from "node:fs";
import os from "node:os";

/** A host with interfaces and routes that are made up. */
export interface Host {
  /** Addresses of the interfaces, in the kernel's order. */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  /** Lines of /proc/net/route: interface, destination, metric, mask, and flags if they are not the usual ones. */
  readonly routes?: readonly (readonly [string, string, number, string, string?])[];
  /** The text of /proc/net/igmp. */
  readonly igmp?: string;
  /** Devices that have no address. */
  readonly devices?: readonly string[];
}

/** Lets one look at a host that is made up. */
export function on<T>(host: Host, look: () => T): T {
  const leave = pretend(host);
  try {
    return look();
  } finally {
    leave();
  }
}

/** Makes this process see a host that is made up, until the function that it returns is called. */
export function pretend(host: Host): () => void {
  const usual = { networkInterfaces: os.networkInterfaces, readFileSync: fs.readFileSync };
  const files: Record<string, string | undefined> = {
    "/proc/net/dev": [
      "Inter-| Receive",
      " face |bytes",
      ...(host.devices ?? []).map((one) => `  ${one}: 0 0`),
    ].join("\n"),
    "/proc/net/igmp": host.igmp,
    "/proc/net/route":
      host.routes &&
      [
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU",
        ...host.routes.map(([name, to, metric, mask, flags = "0003"]) =>
          [name, to, "0102A8C0", flags, 0, 0, metric, mask, 0].join("\t"),
        ),
        "",
      ].join("\n"),
  };
  os.networkInterfaces = () =>
    Object.fromEntries(
      Object.entries(host.addresses).map(([name, addresses]) => [
        name,
        addresses.map((address) => ({
          address,
          family: address.includes(":") ? "IPv6" : "IPv4",
          netmask: "255.255.255.0",
        })),
      ]),
    ) as unknown as ReturnType<typeof os.networkInterfaces>;
  fs.readFileSync = ((path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  }) as unknown as typeof fs.readFileSync;
  return () => {
    Object.assign(os, { networkInterfaces: usual.networkInterfaces });
    Object.assign(fs, { readFileSync: usual.readFileSync });
  };
}
