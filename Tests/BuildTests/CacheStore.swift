import Engine
import Failure
import ImageStore
import LinuxSystem
import OCI

@testable import Build

/// An engine on a root of its own, with cache entries made by hand; it goes with the value.
final class CacheStore {
    let path: String
    let engine: Engine
    var cache: BuildCache { BuildCache(root: engine.root) }

    init() throws {
        path = "/dev/shm/ctr-test-\(randomHex(bytes: 6))"
        engine = try Engine(root: path, runRoot: path + "-run", debug: false)
    }

    deinit {
        for tree in [path, path + "-run"] { try? Directory.removeTree(tree) }
    }

    /// A digest that `letter` stands for.
    func digest(_ letter: Character) throws -> Digest {
        try Digest("sha256:" + String(repeating: letter, count: 64))
    }

    func layer(_ letter: Character) -> String { String(repeating: letter, count: 64) }

    /// A step's record, pin and layer; `age`: seconds since its last use. Answers its key.
    @discardableResult
    func addStep(_ text: String, layer: Character, size: Int64, age: Int64 = 0) throws -> String {
        var inputs = StepInputs()
        inputs.add("instruction", text)
        try addLayer(layer)
        try cache.put([
            BuildCache.Entry(
                key: inputs.key, diffID: try digest(layer), identity: layer.description, tarSize: size,
                size: size, epoch: 0, made: 1000,
                text: text, inputs: inputs)
        ])
        try setAge("build/cache/\(inputs.key)", age)
        return inputs.key
    }

    func addLayer(_ letter: Character) throws {
        try Directory.ensurePath("\(path)/layers/\(layer(letter))/fs")
    }

    func addMount(_ id: String, bytes: Int, age: Int64 = 0) throws -> String {
        let name = "build/mounts/\(ContentHash.hex(of: Array(id.utf8)))"
        try Directory.ensurePath("\(path)/\(name)/data")
        try write(Array(id.utf8), "\(name)/id")
        try write([UInt8](repeating: 1, count: bytes), "\(name)/data/file")
        try write([], "\(name)/lock")
        for file in ["data", "lock"] { try setAge("\(name)/\(file)", age) }
        return name
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        try Directory.ensurePath("\(path)/\(name[..<slash])")
        let file = try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create], mode: 0o600)
        try file.write(bytes)
    }

    func setAge(_ name: String, _ age: Int64) throws {
        let time = Timestamp(seconds: Timestamp.now().seconds - age)
        try Directory.changeTimes("\(path)/\(name)", accessed: time, modified: time)
    }

    func names(_ directory: String) -> [String] {
        guard let open = try? Directory.open("\(path)/\(directory)") else { return [] }
        return (try? Directory.names(in: open)) ?? []
    }

    /// An image that is made of these layers.
    func addImage(_ name: String, layers: [Character]) throws {
        let config = Descriptor(mediaType: MediaType.config, digest: try digest("e"), size: 1)
        let manifest = Descriptor(mediaType: MediaType.manifest, digest: try digest("d"), size: 1)
        try engine.references.put(
            ImageRecord(
                reference: try Reference.parse(name), target: manifest, manifest: manifest, config: config,
                layers: try layers.map { letter in
                    ImageRecord.Layer(
                        descriptor: Descriptor(
                            mediaType: MediaType.layer, digest: try digest(letter), size: 1),
                        diffID: try digest(letter), directory: layer(letter))
                },
                platform: .host, size: 1, settings: ImageConfig.Settings()))
    }
}
