/** Names of users and groups, from /etc/passwd and /etc/group. */
import type { Owner } from "../../wire/metadata.ts";
import { readAccountFile } from "../disk/account-files.ts";

/** Names of users and groups by number and the other way round, from a file such as /etc/passwd. */
class NameTable {
  private readonly file: string;
  private readTimeMs = -1;
  private names = new Map<number, string>();
  private ids = new Map<string, number>();
  private last: Owner = { id: -1, name: "" };
  /** The owner that was asked for last, and its number here. */
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

  /** The number that an owner has here: by name, or else as it came. */
  idOf(owner: Owner): number {
    if (owner !== this.asked) {
      this.asked = owner;
      this.answer = (owner.name === "" ? undefined : this.ids.get(owner.name)) ?? owner.id;
    }
    return this.answer;
  }

  /** Reads the file again if it has changed; to be called once per transfer, not per entry. */
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

/** Owners travel by name; a name that is not known here falls back to the number. */
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

  /** The number of a user here. */
  userId(owner: Owner): number {
    return this.users.idOf(owner);
  }

  groupId(owner: Owner): number {
    return this.groups.idOf(owner);
  }
}
