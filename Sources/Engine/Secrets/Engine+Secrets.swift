internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI

extension Engine {
    package var secretStore: SecretStore { SecretStore(root: root.descriptor.raw) }

    /// Where a container's secrets are while it lives, one file each: the run directory is not on a disk.
    func secretPath(_ index: Int, of record: ContainerRecord) -> String {
        "\(runDirectory(of: record.id))/secrets/\(index)"
    }

    /// Reads them anew at each start.
    func writeSecrets(of record: ContainerRecord) throws(Failure) {
        let secrets = try record.secrets
        guard secrets.contains(where: { !$0.isVariable }) else { return }
        let directory = "\(runDirectory(of: record.id))/secrets"
        try during("make \(directory)") { () throws(SystemError) in
            try Directory.ensurePath(directory)
        }
        for (index, secret) in secrets.enumerated() where !secret.isVariable {
            let value = try secretStore.value(of: secret.name)
            let owner = try record.owner(uid: secret.uid, gid: secret.gid)
            try during("give \(record.name) the secret \(secret.name)") { () throws(SystemError) in
                let folder = try Directory.open(directory)
                try AtomicFile.write(value, to: "\(index)", in: folder.raw, durable: false)
                let file = try FileDescriptor.open("\(index)", in: folder.raw, [.readOnly, .noFollow])
                try file.changeOwner(uid: owner.uid, gid: owner.gid)
                try file.changeMode(secret.mode)
            }
        }
    }

    func secretMounts(of record: ContainerRecord) throws(Failure) -> [RuntimeSpec.Mount] {
        try record.secrets.enumerated().filter { !$0.element.isVariable }.map { index, secret in
            RuntimeSpec.Mount(
                destination: secret.target, type: "bind", source: secretPath(index, of: record),
                options: ["rbind", "rprivate", "ro", "nosuid", "nodev", "noexec"])
        }
    }

    /// Secrets of `type=env`, in the process's environment alone.
    func secretEnvironment(of record: ContainerRecord) throws(Failure) -> [String] {
        var environment: [String] = []
        for secret in try record.secrets where secret.isVariable {
            let value = try secretStore.value(of: secret.name)
            guard !value.contains(0) else {
                throw Failure(
                    .invalidArgument, "the secret \(secret.name) has a zero byte: it cannot be a variable")
            }
            environment.append("\(secret.target)=\(String(decoding: value, as: UTF8.self))")
        }
        return environment
    }
}
