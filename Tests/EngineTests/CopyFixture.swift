import Transfers
import Engine
import Failure
import Glibc
import LinuxSystem

/// A root with one image and host files beside it.
final class CopyFixture: Sendable {
    let scratch: ScratchRoot
    let host: String

    init(_ fill: (inout TarBytes) -> Void = { _ in }) throws {
        scratch = try ScratchRoot()
        host = "/dev/shm/ctr-host-\(randomHex(bytes: 6))"
        try Directory.make(host, mode: 0o755)
        var tar = TarBytes()
        tar.directory("etc")
        tar.file("etc/motd", "hello\n", mode: 0o640)
        tar.file("etc/suid", "x", mode: 0o4755)
        tar.symlink("link", to: "etc/motd")
        tar.symlink("out", to: "/../../../../../../etc")
        tar.symlink("escape", to: "\(host)")
        fill(&tar)
        var request = ImportRequest(source: try scratch.write(tar.whole, to: "image.tar"))
        request.reference = "test:1"
        request.changes = ["CMD [\"/bin/true\"]"]
        _ = try scratch.engine.importImage(request)
    }

    deinit { try? Directory.removeTree(host) }

    func create(_ change: (inout CreateRequest) -> Void = { _ in }) throws -> ContainerRecord {
        var request = CreateRequest(image: "test:1")
        request.settings.network = "none"
        change(&request)
        return try scratch.engine.create(request, images: OwnProvider())
    }

    func put(_ name: String, _ text: String, mode: UInt32 = 0o644) throws {
        let directory = try Directory.open(host)
        let file = try FileDescriptor.open(
            name, in: directory.raw, [.writeOnly, .create, .truncate], mode: mode)
        try file.changeMode(mode)
        try file.write(text)
    }

    func text(_ path: String) -> String? {
        let whole = path.hasPrefix("/") ? path : "\(host)/\(path)"
        guard let bytes = try? AtomicFile.read(whole) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    func upper(_ record: ContainerRecord, _ path: String) -> String {
        "\(scratch.path)/containers/\(record.id)/upper/\(path)"
    }
}

extension CopyRequest {
    static var keepingOwners: CopyRequest {
        var request = CopyRequest()
        request.keepsOwners = true
        return request
    }

    static var followingLinks: CopyRequest {
        var request = CopyRequest()
        request.followsLink = true
        return request
    }
}
