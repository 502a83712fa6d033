/** Finds the network interface that the node uses. */
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import { UserError } from "../base/user-error.ts";
import { maskOfPrefix, wordOfAddress } from "./address-words.ts";
import { routedInterfaces } from "./routes.ts";

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

/** The interface that the node would take by itself. */
export interface PreferredInterface extends ChosenInterface {
  /** Whether the kernel routes packets to the group over it. If not, it is a guess. */
  readonly isRouted: boolean;
}

/** Devices for containers and virtual machines: if nothing else tells, the fleet is not reached over these. */
const VIRTUAL = /^(docker|br-|veth|virbr|vnet|cni|cali|flannel|cilium|lxc|lxdbr|podman)/;

/**
 * Finds the interface by its name, its address, or a network such as 10.78.0.0/24 that one of its addresses belongs to.
 * Without any of these, takes the preferred one.
 *
 * @param group the multicast group, for whose route the kernel is asked
 * @throws UserError if there is none, or it has no IPv4 address
 */
export function chooseInterface(wanted: string | undefined, group: string): ChosenInterface {
  if (wanted === undefined) {
    const { name, ip } = preferredInterface(group);
    return { name, ip };
  }
  const all = ipv4Interfaces();
  const network = parseNetwork(wanted);
  const isWanted = ({ name, ip }: ChosenInterface) =>
    network === undefined ? name === wanted || ip === wanted : isInNetwork(ip, network);
  const found = all.find(isWanted) ?? loopbackAddress(wanted);
  if (found !== undefined) return found;
  if (isDevice(wanted)) {
    throw new UserError(
      `the interface ${wanted} is down or has no IPv4 address: bring it up, or choose another with -i`,
    );
  }
  const names = all.map((one) => `${one.name} (${one.ip})`).join(", ") || "none";
  throw new UserError(
    network === undefined
      ? `there is no interface or local address ${wanted}: this host has ${names}`
      : `there is no interface with an address in ${wanted}: this host has ${names}`,
  );
}

/**
 * Finds the interface that the node takes if the settings name none: the one that the kernel routes packets to the group
 * over. If there is no such route, the first that is not made for containers, or else the first one.
 *
 * @throws UserError if no interface has an IPv4 address
 */
export function preferredInterface(group: string): PreferredInterface {
  const all = ipv4Interfaces().filter(({ name }) => name !== "lo");
  for (const routed of routedInterfaces(group)) {
    const found = all.find(({ name }) => deviceOf(name) === routed);
    if (found !== undefined) return { ...found, isRouted: true };
  }
  const guessed = all.find(({ name }) => !VIRTUAL.test(name)) ?? all[0];
  if (guessed !== undefined) return { ...guessed, isRouted: false };
  const device = devices()[0] ?? "eth0";
  throw new UserError(
    `no network interface has an IPv4 address: bring one up, such as with 'ip address add ADDRESS/24 dev ${device}' ` +
      `and 'ip link set ${device} up', or choose one with -i`,
  );
}

/** The network devices that are no loopback and not made for containers, with or without an address. */
function devices(): string[] {
  return readDevices().filter((name) => name !== "lo" && !VIRTUAL.test(name));
}

function readDevices(): string[] {
  try {
    const lines = fs.readFileSync("/proc/net/dev", "latin1").split("\n");
    return lines.filter((line) => line.includes(":")).map((line) => line.split(":")[0]?.trim() ?? "");
  } catch {
    return [];
  }
}

/** A network in the form 10.78.0.0/24; undefined for another text. */
function parseNetwork(text: string): Network | undefined {
  const [ip = "", bits = "", ...rest] = text.split("/");
  if (rest.length > 0 || !net.isIPv4(ip) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return undefined;
  const mask = maskOfPrefix(Number(bits));
  return { ip, netmask: textOf(mask) };
}

/** A word of 32 bits as an address. */
function textOf(word: number): string {
  return [24, 16, 8, 0].map((shift) => (word >>> shift) & 0xff).join(".");
}

/** The interface that has this address, with its network; undefined if there is none. */
export function interfaceOf(ip: string): InterfaceAddress | undefined {
  if (isLoopback(ip)) return { name: "lo", ip, netmask: "255.0.0.0" };
  return ipv4Addresses().find((one) => one.ip === ip);
}

/**
 * The network of an address, such as 10.78.0.0/24, if the kernel has no route to it; undefined if it has one, or if nobody else
 * is in this network.
 */
export function unroutedNetwork(ip: string): string | undefined {
  const found = isLoopback(ip) ? undefined : interfaceOf(ip);
  if (found === undefined) return undefined;
  const mask = wordOfAddress(found.netmask);
  const bits = Math.clz32(~mask);
  if (bits >= 31 || routedInterfaces(ip).includes(deviceOf(found.name))) return undefined;
  return `${textOf(wordOfAddress(ip) & mask)}/${bits}`;
}

/** The addresses of other interfaces than this one that a fleet may be reached over. */
export function addressesBeside(name: string): InterfaceAddress[] {
  return ipv4Addresses().filter(
    (one) => one.name !== "lo" && !VIRTUAL.test(one.name) && deviceOf(one.name) !== deviceOf(name),
  );
}

/** The networks of all interfaces except this one. */
export function networksBeside(name: string): Network[] {
  return ipv4Addresses().filter((one) => deviceOf(one.name) !== deviceOf(name));
}

/** The kernel may list the further addresses of eth0 as those of eth0:1. */
export function deviceOf(name: string): string {
  return name.split(":")[0] ?? name;
}

/** Whether an address belongs to a network. */
export function isInNetwork(ip: string, network: Network): boolean {
  const mask = wordOfAddress(network.netmask);
  return (wordOfAddress(ip) & mask) === (wordOfAddress(network.ip) & mask);
}

/** Whether an address is of the loopback network, which no packet leaves. */
export function isLoopback(ip: string): boolean {
  return ip.startsWith("127.");
}

/** Whether the kernel knows a network device of this name, with or without an address. */
function isDevice(name: string): boolean {
  return readDevices().includes(name);
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
