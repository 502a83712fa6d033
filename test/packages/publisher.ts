import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { must, run } from "../support/processes.ts";
import { debOf, DIST, ROOT, rpmOf, VERSION } from "./copies.ts";
import { CONFIG } from "./fleet.ts";

/** The version after this one. */
export const NEWER = VERSION.replace(/\d+$/, (patch) => String(Number(patch) + 1));

/** A key of its own, the packages, and the repositories of them. */
export class Publisher {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-repository-"));
  readonly repository = path.join(this.directory, "repository");
  private readonly packages = path.join(this.directory, "packages");
  private readonly home = path.join(this.directory, "gnupg");

  async open(): Promise<void> {
    fs.chmodSync(this.directory, 0o755);
    fs.mkdirSync(this.home, { mode: 0o700 });
    fs.mkdirSync(this.packages);
    await this.gpg("--passphrase", "", "--quick-generate-key", "makuosan tests", "ed25519", "sign", "never");
    for (const name of fs.readdirSync(DIST).filter((one) => /^makuosan.*\.(deb|rpm)$/.test(one)))
      fs.copyFileSync(path.join(DIST, name), path.join(this.packages, name));
    await this.publish();
  }

  gpg(...args: string[]): Promise<string> {
    return must("gpg", ["--batch", "--homedir", this.home, "--pinentry-mode", "loopback", ...args]);
  }

  publish(): Promise<string> {
    const env = {
      GNUPGHOME: this.home,
      MAKUOSAN_SIGNING_KEY: "makuosan tests",
      MAKUOSAN_REPOSITORY_URL: "file:///repository",
      PACKAGES: this.packages,
      REPOSITORY: this.repository,
    };
    return must(process.execPath, [path.join(ROOT, "scripts", "repository.ts")], { env });
  }

  /** The same package under a higher version. */
  async addNewer(): Promise<void> {
    const tree = path.join(this.directory, "tree");
    fs.rmSync(tree, { recursive: true, force: true });
    await must("dpkg-deb", ["-R", path.join(DIST, debOf(VERSION)), tree]);
    const control = path.join(tree, "DEBIAN", "control");
    const text = fs.readFileSync(control, "utf8").replace(`Version: ${VERSION}`, `Version: ${NEWER}`);
    fs.writeFileSync(control, text);
    fs.appendFileSync(path.join(tree, "etc", "makuosan.conf"), "# A line of the newer version.\n");
    await must("dpkg-deb", [
      "-Zgzip",
      "-z1",
      "--root-owner-group",
      "-b",
      tree,
      path.join(this.packages, debOf(NEWER)),
    ]);
    await this.publish();
  }

  /** The same for RPM, with the scripts of the package. */
  async addNewerRpm(): Promise<void> {
    const tree = path.join(this.directory, "rpm-tree");
    const former = path.join(DIST, rpmOf(VERSION));
    fs.mkdirSync(tree);
    await must("rpm", ["--root", tree, "--initdb"]);
    await must("rpm", ["--root", tree, "-i", "--nodeps", "--noscripts", former]);
    fs.appendFileSync(path.join(tree, "etc", "makuosan.conf"), "# A line of the newer version.\n");
    const list = await must("rpm", ["-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", former]);
    const files = list
      .trim()
      .split("\n")
      .map((line) => {
        const file = line.slice(line.indexOf(" ") + 1);
        return `${line.startsWith("d") ? "%dir " : file === CONFIG ? "%config(noreplace) " : ""}${file}\n`;
      });
    const scripts = ["post", "preun", "postun"].map(
      (name) => `%${name}\n${fs.readFileSync(path.join(ROOT, "packaging", "rpm", name), "utf8")}\n`,
    );
    const rest = [...scripts, "%files\n", ...files].join("");
    await this.buildRpm({ name: "makuosan", version: NEWER, tree, rest, folder: this.packages });
    await this.publish();
  }

  /** @param rpm the rest of its specification begins after the description */
  private async buildRpm(rpm: {
    name: string;
    version: string;
    provides?: string;
    rest: string;
    tree: string;
    folder: string;
  }): Promise<void> {
    const { name, version, provides = "", rest, tree, folder } = rpm;
    const specification = path.join(this.directory, `${name}.spec`);
    const fields = `Name: ${name}\nVersion: ${version}\nRelease: 1\nSummary: ${name}\nLicense: MIT\nAutoReqProv: no\n`;
    // The files are as they are: nothing is stripped or linked.
    const macros =
      "%global __os_install_post %{nil}\n%global debug_package %{nil}\n%global _build_id_links none\n";
    fs.writeFileSync(specification, `${macros}${fields}${provides}%description\n${name}.\n${rest}`);
    const built = fs.mkdtempSync(path.join(this.directory, "rpmbuild-"));
    const defines = [
      `_topdir ${built}`,
      "_binary_payload w1.gzdio",
      "_unpackaged_files_terminate_build 0",
    ].flatMap((one) => ["--define", one]);
    await must("rpmbuild", ["-bb", "--quiet", "--buildroot", tree, ...defines, specification]);
    const [file = ""] = fs.readdirSync(path.join(built, "RPMS", "x86_64"));
    fs.copyFileSync(path.join(built, "RPMS", "x86_64", file), path.join(folder, file));
  }

  /** Without the higher versions, as at the beginning. */
  async removeNewer(): Promise<void> {
    const { packages, repository } = this;
    for (const folder of [packages, path.join(repository, "apt/pool/main"), path.join(repository, "dnf")])
      for (const file of [debOf(NEWER), rpmOf(NEWER)]) fs.rmSync(path.join(folder, file), { force: true });
    await this.publish();
  }

  /** A repository with one empty package, which has all that the package for RPM needs. */
  async systemPackages(): Promise<string> {
    const folder = path.join(this.directory, "system");
    const needed = await must("rpm", ["-qp", "--requires", path.join(DIST, rpmOf(VERSION))]);
    // The scripts of the newer package need a shell.
    const provides = [...needed.split("\n"), "/bin/sh"]
      .filter((line) => line !== "" && !line.startsWith("rpmlib("))
      .map((line) => `Provides: ${line}\n`);
    const tree = path.join(this.directory, "empty");
    for (const directory of [folder, tree]) fs.mkdirSync(directory);
    const rest = "%files\n";
    await this.buildRpm({ name: "system", version: "1", provides: provides.join(""), rest, tree, folder });
    await must("createrepo_c", ["--quiet", folder]);
    return folder;
  }

  /** A repository with a package as those of versions before 2 were: two programs, an init script and a start file. */
  async oldVersion(): Promise<string> {
    const folder = path.join(this.directory, "old");
    const tree = path.join(this.directory, "old-tree");
    fs.mkdirSync(folder);
    const startFile =
      'BASE_DIR="/srv/makuosan"\n\nPORT="5000"\nMCAST_ADDRESS="224.0.0.108"\nSOCKET=""\nLOGLEVEL="1"\nMAKUOSAN_USER=""   \nOPTIONS="-f 10"\n';
    const files = {
      "/usr/sbin/makuosan": "#!/bin/sh\n",
      "/usr/bin/msync": "#!/bin/sh\n",
      "/etc/init.d/makuosan": "#!/bin/sh\n",
      "/etc/sysconfig/makuosan": startFile,
    };
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(tree, name)), { recursive: true });
      fs.writeFileSync(path.join(tree, name), text, { mode: name.includes("sysconfig") ? 0o644 : 0o755 });
    }
    const config = (name: string) => (name.includes("sysconfig") ? `%config(noreplace) ${name}` : name);
    const rest = `%files\n${Object.keys(files).map(config).join("\n")}\n`;
    await this.buildRpm({ name: "makuosan", version: "1.3.6", rest, tree, folder });
    await must("createrepo_c", ["--quiet", folder]);
    return folder;
  }

  async close(): Promise<void> {
    await run("gpgconf", ["--homedir", this.home, "--kill", "all"]);
    fs.rmSync(this.directory, { recursive: true });
  }
}
