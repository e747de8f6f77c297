"""many-layers.py BUSYBOX COUNT FILE: an OCI archive of COUNT layers, the first a file system with a shell."""

import hashlib
import io
import json
import platform
import sys
import tarfile

program, count, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
applets = "sh cat echo ls sleep true wc id sed grep stat mknod head dd touch mkdir mount readlink seq hostname ip".split()


def layer(number):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        def entry(name, kind, content=b"", mode=0o755, link=""):
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.size, info.linkname = kind, mode, len(content), link
            tar.addfile(info, io.BytesIO(content))
        if number == 0:
            for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
                entry(name, tarfile.DIRTYPE)
            with open(program, "rb") as file:
                entry("bin/busybox", tarfile.REGTYPE, file.read())
            for name in applets:
                entry(f"bin/{name}", tarfile.SYMTYPE, link="busybox")
            entry("etc/passwd", tarfile.REGTYPE, b"root:x:0:0:root:/root:/bin/sh\n", 0o644)
        else:
            entry(f"layer-{number}", tarfile.REGTYPE, str(number).encode(), 0o644)
    return data.getvalue()


blobs = {}


def blob(data, media):
    name = hashlib.sha256(data).hexdigest()
    blobs[name] = data
    return {"mediaType": f"application/vnd.oci.image.{media}", "digest": f"sha256:{name}", "size": len(data)}


layers = [blob(layer(number), "layer.v1.tar") for number in range(count)]
config = {
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()], "os": "linux", "config": {"Cmd": ["sh"]},
    "rootfs": {"type": "layers", "diff_ids": [item["digest"] for item in layers]},
}
manifest = {
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": layers,
}
top = blob(json.dumps(manifest).encode(), "manifest.v1+json")
top["annotations"] = {"io.containerd.image.name": "docker.io/library/layers:many", "org.opencontainers.image.ref.name": "many"}
files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps({"schemaVersion": 2, "manifests": [top]}).encode()}
files.update({f"blobs/sha256/{name}": data for name, data in blobs.items()})
with tarfile.open(target, "w") as tar:
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
