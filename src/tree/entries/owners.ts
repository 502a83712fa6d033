/** Names of users and groups, from /etc/passwd and /etc/group. */
import type { Owner } from "../../wire/metadata.ts";
import { readAccountFile } from "../disk/account-files.ts";

/** Names of users or groups by number and numbers by name, from a file such as /etc/passwd. */
class NameTable {
  private readonly file: string;
  private readTimeMs = -1;
  private names = new Map<number, string>();
  private ids = new Map<string, number>();
  private last: Owner = { id: -1, name: "" };
  /** The owner of the last question, and its number on this host. */
  private asked: Owner | undefined;
  private answer = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** One object for each number: most entries of a tree have the same owner. */
  ownerOf(id: number): Owner {
    if (this.last.id !== id) this.last = { id, name: this.names.get(id) ?? "" };
    return this.last;
  }

  /** The number of an owner on this host: that of the name, or else the number that was sent. */
  idOf(owner: Owner): number {
    if (owner !== this.asked) {
      this.asked = owner;
      this.answer = (owner.name === "" ? undefined : this.ids.get(owner.name)) ?? owner.id;
    }
    return this.answer;
  }

  /** Reads the file again if it has changed; for one call per transfer, not per entry. */
  refresh(): void {
    const read = readAccountFile(this.file, this.readTimeMs);
    if (read === undefined) return;
    this.readTimeMs = read.changedMs;
    this.names = new Map();
    this.ids = new Map();
    this.last = { id: -1, name: "" };
    this.asked = undefined;
    for (const line of read.text.split("\n")) {
      const [name, , id] = line.split(":");
      if (name === undefined || id === undefined || !/^\d+$/.test(id) || name.length > 255) continue;
      if (!this.names.has(Number(id))) this.names.set(Number(id), name);
      if (!this.ids.has(name)) this.ids.set(name, Number(id));
    }
  }
}

/** Owners are sent by name; if this host does not know the name, the number counts. */
export class Owners {
  private readonly users = new NameTable("/etc/passwd");
  private readonly groups = new NameTable("/etc/group");

  refresh(): void {
    this.users.refresh();
    this.groups.refresh();
  }

  user(id: number): Owner {
    return this.users.ownerOf(id);
  }

  group(id: number): Owner {
    return this.groups.ownerOf(id);
  }

  /** The number of a user on this host. */
  userId(owner: Owner): number {
    return this.users.idOf(owner);
  }

  groupId(owner: Owner): number {
    return this.groups.idOf(owner);
  }
}
