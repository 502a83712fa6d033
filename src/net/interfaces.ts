/** Finds the network interface that the node uses. */
import fs from "node:fs";
import os from "node:os";
import { UserError } from "../base/user-error.ts";

/** A network interface with one of its IPv4 addresses. */
export interface ChosenInterface {
  readonly name: string;
  readonly ip: string;
}

/** The addresses that lie behind an interface, told by one of them and the mask that they share. */
export interface Network {
  readonly ip: string;
  readonly netmask: string;
}

/** An address of an interface with the network that it belongs to. */
export interface InterfaceAddress extends Network {
  readonly name: string;
}

/**
 * Finds the interface by its name or address. Without either, takes the one of the default route, or else the first one.
 *
 * @throws UserError if there is none, or it has no IPv4 address
 */
export function chooseInterface(wanted: string | undefined): ChosenInterface {
  const all = ipv4Interfaces();
  if (wanted === undefined) return defaultInterface(all);
  const found = all.find((one) => one.name === wanted || one.ip === wanted) ?? loopbackAddress(wanted);
  if (found !== undefined) return found;
  if (isDevice(wanted)) {
    throw new UserError(
      `the interface ${wanted} has no IPv4 address: give it one, or choose another with -i`,
    );
  }
  const names = all.map((one) => `${one.name} (${one.ip})`).join(", ");
  throw new UserError(`there is no interface or local address ${wanted}: this host has ${names || "none"}`);
}

/** The interface that has this address, with its network; undefined if there is none. */
export function interfaceOf(ip: string): InterfaceAddress | undefined {
  if (isLoopback(ip)) return { name: "lo", ip, netmask: "255.0.0.0" };
  return ipv4Addresses().find((one) => one.ip === ip);
}

/** The networks of all interfaces except this one. */
export function networksBeside(name: string): Network[] {
  return ipv4Addresses().filter((one) => deviceOf(one.name) !== deviceOf(name));
}

/** The kernel may list the further addresses of eth0 as those of eth0:1. */
function deviceOf(name: string): string {
  return name.split(":")[0] ?? name;
}

/** Whether an address belongs to a network. */
export function isInNetwork(ip: string, network: Network): boolean {
  const mask = wordOf(network.netmask);
  return (wordOf(ip) & mask) === (wordOf(network.ip) & mask);
}

/** Whether an address is of the loopback network, which no packet leaves. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith("127.");
}

function wordOf(ip: string): number {
  return ip.split(".").reduce((word, byte) => (word << 8) | Number(byte), 0);
}

/** Whether the kernel knows a network device of this name, with or without an address. */
function isDevice(name: string): boolean {
  const lines = fs.readFileSync("/proc/net/dev", "latin1").split("\n");
  return lines.some((line) => line.trim().startsWith(`${name}:`));
}

/** All of 127.0.0.0/8 is local, although only 127.0.0.1 is listed. */
function loopbackAddress(ip: string): ChosenInterface | undefined {
  return /^127(\.\d{1,3}){3}$/.test(ip) ? { name: "lo", ip } : undefined;
}

function ipv4Interfaces(): ChosenInterface[] {
  return ipv4Addresses().map(({ name, ip }) => ({ name, ip }));
}

function ipv4Addresses(): InterfaceAddress[] {
  return Object.entries(os.networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter((one) => one.family === "IPv4")
      .map(({ address: ip, netmask }) => ({ name, ip, netmask })),
  );
}

function defaultInterface(all: readonly ChosenInterface[]): ChosenInterface {
  const routed = defaultRouteInterface();
  const real = all.filter((one) => one.name !== "lo");
  const chosen = real.find((one) => one.name === routed) ?? real[0];
  if (chosen !== undefined) return chosen;
  throw new UserError("no network interface has an IPv4 address: bring one up, or choose one with -i");
}

/** The interface of the default route with the lowest metric, as the kernel lists it. */
function defaultRouteInterface(): string | undefined {
  let table: string;
  try {
    table = fs.readFileSync("/proc/net/route", "latin1");
  } catch {
    return undefined;
  }
  const routes = table
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"))
    .filter((fields) => fields[1] === "00000000" && fields[7] === "00000000");
  routes.sort((a, b) => Number(a[6]) - Number(b[6]));
  return routes[0]?.[0];
}
