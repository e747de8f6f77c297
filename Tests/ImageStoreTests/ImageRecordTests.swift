import Failure
import ImageStore
import LinuxSystem
import OCI
import Testing

/// Numbers that are the same in each run.
private struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func digest() throws -> Digest {
        try Digest(
            algorithm: .sha256,
            hex: (0..<64).map { _ in String(Int.random(in: 0..<16, using: &self), radix: 16) }.joined())
    }

    /// Text with everything in it that a format of lines could stumble over.
    mutating func text() -> String {
        let parts = [
            "a", "\n", "\r\n", "\t", "\\", "\\n", " ", "=", "\u{0}", "é", "end", "\u{2028}", "\"", "🐳",
            "e\u{301}",
        ]
        return (0..<Int.random(in: 0..<8, using: &self)).map { _ in parts.randomElement(using: &self) ?? "" }
            .joined()
    }

    mutating func texts() -> [String]? {
        let list = (0..<Int.random(in: 0..<4, using: &self)).map { _ in text() }
        return list.isEmpty ? nil : list
    }

    mutating func record() throws -> ImageRecord {
        func descriptor(_ dice: inout Dice) throws -> Descriptor {
            Descriptor(
                mediaType: MediaType.manifest, digest: try dice.digest(),
                size: Int64.random(in: 0 ... .max, using: &dice))
        }
        var settings = ImageConfig.Settings()
        settings.env = texts()
        settings.entrypoint = texts()
        settings.cmd = texts()
        settings.volumes = texts()
        settings.exposedPorts = texts()
        settings.onBuild = texts()
        settings.shell = texts()
        if Bool.random(using: &self) { settings.user = text() }
        if Bool.random(using: &self) { settings.workingDir = text() }
        if Bool.random(using: &self) { settings.stopSignal = text() }
        if Bool.random(using: &self) { settings.stopTimeout = 12 }
        if Bool.random(using: &self) { settings.argsEscaped = Bool.random(using: &self) }
        if Bool.random(using: &self) { settings.labels = [text(): text(), "x\(text())": text()] }
        if Bool.random(using: &self) {
            var check = ImageConfig.Healthcheck(test: texts())
            check.interval = 30_000_000_000
            check.timeout = Bool.random(using: &self) ? 5 : nil
            check.startPeriod = 0
            check.startInterval = 1
            check.retries = Bool.random(using: &self) ? 3 : nil
            settings.healthcheck = check
        }
        var layers: [ImageRecord.Layer] = []
        for _ in 0..<Int.random(in: 0..<5, using: &self) {
            let directory = Bool.random(using: &self) ? try digest().hex : nil
            layers.append(
                .init(descriptor: try descriptor(&self), diffID: try digest(), directory: directory))
        }
        return ImageRecord(
            reference: Bool.random(using: &self)
                ? try Reference.parse("h:1/a/b:\(UInt32.random(in: 0...99, using: &self))") : nil,
            target: try descriptor(&self), manifest: try descriptor(&self), config: try descriptor(&self),
            layers: layers,
            platform: Platform(
                os: "linux", architecture: "arm64", variant: Bool.random(using: &self) ? "v8" : nil),
            created: Bool.random(using: &self) ? text() : nil,
            recorded: Timestamp(seconds: 5, nanoseconds: 7), size: 12,
            repoDigests: texts() ?? [], settings: settings)
    }
}

@Suite struct ImageRecordTests {
    @Test func theTextOfASmallRecord() throws {
        let digest = try Digest("sha256:" + String(repeating: "a", count: 64))
        var settings = ImageConfig.Settings()
        settings.env = ["A=1\n2", "B=c\\d"]
        settings.cmd = ["sh"]
        settings.labels = ["k\t1": "v"]
        let record = ImageRecord(
            reference: try Reference.parse("redis:7"),
            target: Descriptor(mediaType: MediaType.index, digest: digest, size: 1),
            manifest: Descriptor(mediaType: MediaType.manifest, digest: digest, size: 2),
            config: Descriptor(mediaType: MediaType.config, digest: digest, size: 3),
            layers: [
                .init(
                    descriptor: Descriptor(mediaType: MediaType.layerGzip, digest: digest, size: 4),
                    diffID: digest,
                    directory: "d1")
            ],
            platform: Platform(os: "linux", architecture: "amd64"), recorded: Timestamp(seconds: 1), size: 9,
            settings: settings)
        let a = "\(digest)"
        let expected = """
            ctr-image 1
            reference docker.io/library/redis:7
            target application/vnd.oci.image.index.v1+json\t\(a)\t1
            manifest application/vnd.oci.image.manifest.v1+json\t\(a)\t2
            config application/vnd.oci.image.config.v1+json\t\(a)\t3
            layer application/vnd.oci.image.layer.v1.tar+gzip\t\(a)\t4\t\(a)\td1
            platform linux\tamd64\t
            recorded 1000000000
            size 9
            env A=1\\n2
            env B=c\\\\d
            cmd sh
            label k\\t1\tv
            end

            """
        #expect(String(decoding: record.encoded(), as: UTF8.self) == expected)
        #expect(try ImageRecord(decoding: record.encoded()) == record)
        #expect(record.layerDirectories == ["d1"])
    }

    @Test func whatIsWrittenIsRead() throws {
        var dice = Dice(state: 1)
        for _ in 0..<500 {
            let record = try dice.record()
            #expect(try ImageRecord(decoding: record.encoded()) == record)
        }
    }

    @Test func anyCutIsNoticed() throws {
        var dice = Dice(state: 2)
        let bytes = try dice.record().encoded()
        for length in 0..<bytes.count {
            #expect(
                failure { _ = try ImageRecord(decoding: Array(bytes[..<length])) } != nil,
                "cut after \(length)")
        }
    }

    @Test func rubbishIsRefusedAndNeverTraps() throws {
        var dice = Dice(state: 3)
        let good = try dice.record().encoded()
        var refused = 0
        for _ in 0..<3000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1..<6, using: &dice) {
                bytes[Int.random(in: 0..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            guard let failed = failure({ _ = try ImageRecord(decoding: bytes) }) else { continue }
            refused += 1
            #expect(!failed.message.contains("\n"))
        }
        #expect(refused > 100)
        for text in [
            "", "\n", "end\n", "ctr-image 1\nend\n", "ctr-image 1\nnokey\nend\n", "ctr-image 1\n x\nend\n",
        ] {
            #expect(failure { _ = try ImageRecord(decoding: Array(text.utf8)) }?.code == .dataLoss)
        }
    }

    @Test func aLaterVersionIsNamed() {
        let failed = failure { _ = try ImageRecord(decoding: Array("ctr-image 2\nx y\nend\n".utf8)) }
        #expect(failed?.code == .unsupported)
        #expect(failed?.message.contains("later ctr") == true)
    }

    @Test func linesOfALaterReleaseAreKept() throws {
        var dice = Dice(state: 4)
        let record = try dice.record()
        let text = String(decoding: record.encoded(), as: UTF8.self)
        let extended = String(text.dropLast(4)) + "colour blue\\tred\tgreen\nend\n"
        let read = try ImageRecord(decoding: Array(extended.utf8))
        #expect(read.unknown == ["colour blue\\tred\tgreen"])
        #expect(String(decoding: read.encoded(), as: UTF8.self) == extended)
    }

    @Test(arguments: ["../x", "a/b", ".", "..", ".hidden"])
    func aLayersDirectoryIsOneName(_ name: String) throws {
        var dice = Dice(state: 5)
        var record = try dice.record()
        record.layers = [.init(descriptor: record.config, diffID: record.id, directory: name)]
        #expect(failure { _ = try ImageRecord(decoding: record.encoded()) }?.code == .dataLoss)
    }
}
