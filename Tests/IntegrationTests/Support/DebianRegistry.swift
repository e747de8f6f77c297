import Foundation
import Testing

/// Debian's docker-registry on a free port of loopback, with its store in the fixture's directory.
final class DebianRegistry {
    let address: String
    private let fixture: Fixture
    private let hasCertificate: Bool
    private let credentials: String?
    private var process: ChildProcess?

    /// With a certificate of its own authority, which is put where `ctr` looks for it unless `trusted` is false.
    init(
        _ fixture: Fixture, user: String? = nil, password: String = "", certificate: Bool = false,
        trusted: Bool = true
    ) throws {
        self.fixture = fixture
        let port = try Self.freePort()
        address = "127.0.0.1:\(port)"
        hasCertificate = certificate
        credentials = user.map { "\($0):\(password)" }
        var configuration = """
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: \(fixture.path("registry-\(port)"))}, delete: {enabled: true}}
            http:
              addr: \(address)

            """
        if certificate {
            let key = fixture.path("registry.key")
            let file = fixture.path("registry.crt")
            try fixture.tool(
                .openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "3",
                "-subj", "/CN=ctr test registry", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                "-out", file)
            configuration += "  tls: {certificate: \(file), key: \(key)}\n"
            if trusted {
                let folder = "/etc/docker/certs.d/\(address)"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try FileManager.default.copyItem(atPath: file, toPath: folder + "/ca.crt")
                fixture.onCleanUp { try? FileManager.default.removeItem(atPath: folder) }
            }
        }
        if let user {
            let line = try fixture.tool(.htpasswd, "-nbB", user, password).text
            configuration +=
                "auth: {htpasswd: {realm: test, path: \(try fixture.file("htpasswd-\(port)", line + "\n"))}}\n"
        }
        let file = try fixture.file("registry-\(port).yml", configuration)
        let program = try #require(Tool.dockerRegistry.path)
        process = try ChildProcess([program, "serve", file], environment: fixture.environment)
        fixture.onCleanUp { [weak self] in self?.stop() }
        try fixture.eventually("the registry listens") { Self.connects(to: port) }
    }

    func stop() {
        process?.signal(SIGKILL)
        _ = process?.finish(timeout: 5)
        process = nil
    }

    /// Sends an image of an OCI layout (or whatever skopeo reads: `docker-archive:…`) by skopeo; its full name.
    @discardableResult
    func receive(_ source: String, as name: String, _ options: String...) throws -> String {
        let skopeo = try #require(Tool.skopeo.path)
        var words = [skopeo, "--insecure-policy", "copy", "-q", "--dest-tls-verify=false"]
        if let credentials { words += ["--dest-creds", credentials] }
        words += options + [source, "docker://\(address)/\(name)"]
        let outcome = try ChildProcess(words, environment: fixture.environment).finish(timeout: 120)
        try #require(outcome.code == 0, "\(outcome)")
        return "\(address)/\(name)"
    }

    /// An image of busybox and one more layer with `/layer2`, in the registry; its name.
    func busybox(_ name: String = "busybox:1") throws -> String {
        let layout = try ImageLayout(fixture, "layout-" + name.replacingOccurrences(of: ":", with: "-"))
        var second = TarArchive()
        second.file("layer2", "from the second layer\n")
        try layout.add(
            tag: "x", layers: [Busybox.tar, second.finished],
            config: [
                "Cmd": ["/bin/sh"], "Env": ["PATH=/bin:/usr/bin", "FROM_IMAGE=yes"],
                "Labels": ["made.by": "test"],
            ])
        return try receive("oci:\(layout.directory):x", as: name)
    }

    static func freePort() throws -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
            }
        }
        guard code == 0 else { throw TestFailure("no free port: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func connects(to port: UInt16) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
