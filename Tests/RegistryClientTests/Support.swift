import Failure
import OCI
import ScriptedRegistry
import Synchronization
import Testing

@testable import RegistryClient

func quickConfiguration(
    environment: [String: String] = [:], files: [String: String] = [:]
) -> RegistryConfiguration {
    let lookup = CredentialLookup(
        environment: environment, userID: 0,
        readFile: { path throws(Failure) in files[path].map { Array($0.utf8) } },
        runHelper: { program, _, _ async throws(Failure) in
            throw Failure(.notFound, "\(program): no such program")
        })
    var configuration = RegistryConfiguration(
        credentials: lookup, listDirectory: { _ throws(Failure) in [] },
        hash: { algorithm, bytes in
            precondition(algorithm == .sha256)
            return SHA256.digest(bytes)
        })
    configuration.smallUpload = 100_000
    configuration.uploadChunk = 200_000
    configuration.retry = RetryPolicy(tries: 3, firstPause: .milliseconds(5), longestPause: .seconds(2))
    return configuration
}

/// For tests of silence; all others must not fail because the machine is busy.
func impatientConfiguration() -> RegistryConfiguration {
    var configuration = quickConfiguration()
    configuration.timeouts.answer = .seconds(2)
    configuration.timeouts.uploadAnswer = .seconds(4)
    configuration.timeouts.stall = .milliseconds(400)
    return configuration
}

/// A started registry and a client of it, both ended afterwards.
func withRegistry<Value>(
    _ configuration: RegistryConfiguration = quickConfiguration(),
    _ body: (ScriptedRegistry, RegistryClient) async throws -> Value
) async throws -> Value {
    let registry = ScriptedRegistry()
    try registry.start()
    let client = RegistryClient(configuration)
    do {
        let value = try await body(registry, client)
        await client.close()
        registry.stop()
        return value
    } catch {
        await client.close()
        registry.stop()
        throw error
    }
}

/// The failure that the work ends with; an issue is recorded when it does not.
func failure(
    _ location: SourceLocation = #_sourceLocation, of work: () async throws -> Void
) async -> Failure {
    do {
        try await work()
    } catch let failure as Failure {
        return failure
    } catch {
        Issue.record("\(error) is no Failure", sourceLocation: location)
    }
    Issue.record("nothing was thrown", sourceLocation: location)
    return Failure(.internal, "nothing was thrown")
}

/// Bytes without a short period, made fast enough for a debug build.
func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    let block = (0..<4099).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
    var all: [UInt8] = []
    while all.count < count { all += block }
    return Array(all.prefix(count))
}

func blob(_ digest: Digest, _ size: Int) -> Descriptor {
    Descriptor(mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digest, size: Int64(size))
}

func read(_ stream: BlobStream) async throws(Failure) -> [UInt8] {
    var all: [UInt8] = []
    while let piece = try await stream.next() { all += piece }
    return all
}

func stream(_ bytes: [UInt8], piece: Int = 100_000) -> BlobStream {
    let position = Position()
    return BlobStream(offset: 0) { () async throws(Failure) in
        let start = await position.take(piece)
        return start < bytes.count ? Array(bytes[start..<min(start + piece, bytes.count)]) : nil
    }
}

private actor Position {
    var value = 0
    func take(_ count: Int) -> Int {
        defer { value += count }
        return value
    }
}

let manifestText = """
    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
    "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:\
    44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}
    """

/// True once.
final class Flag: Sendable {
    private let taken = Mutex(false)

    func take() -> Bool {
        taken.withLock { taken in
            defer { taken = true }
            return !taken
        }
    }
}
