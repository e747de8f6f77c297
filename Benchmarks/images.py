"""The images that are measured with, and a registry on loopback that serves them."""

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import time

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
# Together with what they need about 377 MB of files, in the mix of sizes that images have.
PACKAGES = "python3,perl,git,redis-server,nginx-light,gcc"
LAYERS = 8


def run(*command, **options):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, **options)


def busybox_tar(path):
    tree = path + ".tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        os.makedirs(f"{tree}/{name}")
    program = shutil.which("busybox", path="/bin:/usr/bin")
    shutil.copy(program, f"{tree}/bin/busybox")
    for applet in ("sh", "true", "sleep", "cat", "echo"):
        os.symlink("busybox", f"{tree}/bin/{applet}")
    with open(f"{tree}/etc/passwd", "w") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\n")
    run("tar", "-C", tree, "--owner=0", "--group=0", "--numeric-owner", "-cf", path, ".")
    shutil.rmtree(tree)


def digest(path):
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


class Layout:
    """An OCI image layout of ready-made layer tars."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(f"{directory}/blobs/sha256", exist_ok=True)
        self.write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def write(self, name, data):
        with open(f"{self.directory}/{name}", "wb") as file:
            file.write(data)

    def blob(self, data):
        name = hashlib.sha256(data).hexdigest()
        self.write(f"blobs/sha256/{name}", data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    def move(self, path):
        name, size = digest(path), os.path.getsize(path)
        os.rename(path, f"{self.directory}/blobs/sha256/{name}")
        return {"digest": f"sha256:{name}", "size": size}

    def add(self, tag, tars, packing):
        layers, diff_ids = [], []
        for tar in tars:
            diff_ids.append(f"sha256:{digest(tar)}")
            packed = f"{self.directory}/packed"
            with open(packed, "wb") as output:
                run(*(["gzip", "-nc", "-6"] if packing == "gzip" else ["zstd", "-qc", "-3"]), tar, stdout=output)
            layers.append({"mediaType": f"application/vnd.oci.image.layer.v1.tar+{packing}", **self.move(packed)})
        config = self.blob(json.dumps({
            "architecture": ARCHITECTURE, "os": "linux", "created": "2024-01-01T00:00:00Z", "config": {"Cmd": ["bash"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }).encode())
        manifest = self.blob(json.dumps({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": layers,
        }).encode())
        self.write("index.json", json.dumps({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest,
            "annotations": {"org.opencontainers.image.ref.name": tag}}]}).encode())
        return sum(layer["size"] for layer in layers)


def eight_layers(work):
    """Layouts `gzip` and `zstd` of one tree; kept between runs. Returns (directory, facts)."""
    home = f"{work}/eight-layers"
    facts = f"{home}/facts.json"
    if not os.path.exists(facts):
        shutil.rmtree(home, ignore_errors=True)
        os.makedirs(home)
        tree = f"{home}/tree"
        print(f"making the 8-layer image of Debian packages ({PACKAGES}); kept in {home}", flush=True)
        run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=directory", f"--include={PACKAGES}",
            "--aptopt=Apt::Install-Recommends false",
            *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")), "bookworm", tree)
        shutil.rmtree(f"{tree}/var/lib/apt/lists", ignore_errors=True)
        entries, total = [], 0
        for folder, folders, files in os.walk(tree):
            folders.sort()
            for name in sorted(folders + files):
                path = os.path.relpath(os.path.join(folder, name), tree)
                if path.split("/")[0] in ("dev", "proc", "sys"):
                    continue
                size = os.lstat(f"{tree}/{path}").st_size if name in files else 0
                entries.append((path, size))
                total += size
        tars = []
        taken, index = 0, 0
        for number in range(LAYERS):
            names = []
            while index < len(entries) and (taken < total * (number + 1) / LAYERS or number == LAYERS - 1):
                names.append(entries[index][0])
                taken += entries[index][1]
                index += 1
            tar = f"{home}/layer{number}.tar"
            with open(f"{home}/names", "w") as file:
                file.write("\0".join(names))
            run("tar", "-C", tree, "--no-recursion", "--null", "-T", f"{home}/names", "--numeric-owner",
                "--xattrs", "--xattrs-include=*", "-cf", tar)
            tars.append(tar)
        packed = {packing: Layout(f"{home}/{packing}").add("x", tars, packing) for packing in ("gzip", "zstd")}
        shutil.rmtree(tree)
        for tar in tars:
            os.remove(tar)
        with open(facts + ".new", "w") as file:
            json.dump({"bytes": total, "entries": len(entries), "packed": packed}, file)
        os.rename(facts + ".new", facts)
    with open(facts) as file:
        return home, json.load(file)


class Registry:
    """Debian's docker-registry on a free port, its store on the machine's own disk (page cache when it is read)."""

    def __init__(self, work):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        with open(f"{work}/registry.yml", "w") as file:
            file.write(f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nhttp: {{addr: '{self.address}'}}\n"
                       f"storage: {{filesystem: {{rootdirectory: {work}/registry}}}}\n")
        self.process = subprocess.Popen(
            ["docker-registry", "serve", f"{work}/registry.yml"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("docker-registry does not listen")

    def receive(self, source, name):
        run("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", source, f"docker://{self.address}/{name}")
        return f"{self.address}/{name}"

    def close(self):
        self.process.kill()
        self.process.wait()
