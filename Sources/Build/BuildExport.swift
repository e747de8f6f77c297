internal import BuildContext
internal import Engine
internal import Failure
internal import ImageStore
internal import Layers
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

/// What a build's result becomes: an image of the store, an archive, a tar of its files, a directory.
struct BuildExport {
    private let session: BuildSession
    private let result: StageResult
    private let references: [Reference]

    init(_ session: BuildSession, _ result: StageResult, _ references: [Reference]) {
        self.session = session
        self.result = result
        self.references = references
    }

    func run() throws(Failure) -> BuildOutcome {
        var outputs = session.request.outputs
        if outputs.isEmpty { outputs = [BuildOutput(.image)] }
        var outcome = BuildOutcome()
        for output in outputs where output.kind != .image {
            try session.check()
            switch output.kind {
            case .tar: try writeTar(output)
            case .local: try writeDirectory(output)
            default: break
            }
        }
        let archives = outputs.filter { $0.kind == .oci || $0.kind == .docker }
        let images = outputs.filter { $0.kind == .image }
        if !images.isEmpty || !archives.isEmpty {
            outcome = try storeImage(images, isKept: !images.isEmpty, archives)
        }
        if let file = session.request.imageIDFile, let id = outcome.imageID {
            try BuildExport.write(Array(id.utf8), to: file)
        }
        if let file = session.request.metadataFile { try writeMetadata(outcome, to: file) }
        return outcome
    }

    // MARK: images

    private func config() throws(Failure) -> ImageConfig {
        var settings = result.settings
        if !session.request.labels.isEmpty {
            settings.labels = (settings.labels ?? [:]).merging(session.request.labels) { _, own in own }
        }
        // What every image of docker's has: programs are looked up in it.
        if !(settings.env ?? []).contains(where: { $0.hasPrefix("PATH=") }) {
            settings.env =
                ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + (settings.env ?? [])
        }
        if settings.workingDir == nil { settings.workingDir = "/" }
        var config = ImageConfig(
            platform: result.platform, config: settings, diffIDs: result.chain.layers.map(\.diffID),
            history: result.history)
        config.created = session.created
        config.author = result.author
        return config
    }

    private func storeImage(
        _ images: [BuildOutput], isKept: Bool, _ archives: [BuildOutput]
    ) throws(Failure) -> BuildOutcome {
        let engine = session.engine
        var names = references
        for output in images {
            for name in output.names { names.append(try Reference.parse(name)) }
        }
        let number = session.nextStep()
        session.progress.began(number, "exporting to image")
        var record = try store()
        let id = record.id.description
        if isKept { engine.tellImage("build", id, name: names.first?.familiar ?? id) }
        for name in names {
            session.progress.told(number, "naming to \(name.canonical)")
            var named = record
            named.reference = name
            try put(named)
            engine.tellImage("tag", id, name: name.familiar)
        }
        if names.isEmpty { try put(record) }
        for archive in archives {
            let words = names.isEmpty ? [record.id.description] : names.map(\.familiar)
            try BuildExport.withOutput(archive.destination) { (file) throws(Failure) in
                try engine.save(words, to: file)
            }
        }
        // An archive has compressed layers, and so another manifest.
        if !archives.isEmpty { record = try engine.image(record.id.description) }
        if !isKept, names.isEmpty { _ = try? engine.removeImage(record.id.description, force: false) }
        session.progress.told(number, "writing image \(record.id)")
        session.progress.ended(number, .done)
        return BuildOutcome(
            imageID: record.id.description, manifestDigest: record.manifest.digest.description,
            names: names.map(\.familiar))
    }

    /// A name that leads to this very image already stays as it is: nothing has to be written for it.
    private func put(_ record: ImageRecord) throws(Failure) {
        if let reference = record.reference, let known = try session.engine.references.record(of: reference),
            known.id == record.id, known.layerDirectories == record.layerDirectories
        {
            return
        }
        try session.engine.references.put(record)
    }

    private func store() throws(Failure) -> ImageRecord {
        let engine = session.engine
        let config = try config()
        let configBytes = try JSON.encode(config)
        let configBlob = Descriptor(
            mediaType: MediaType.config, digest: try ContentHash.digest(of: configBytes),
            size: Int64(configBytes.count))
        let document = Manifest(
            config: configBlob, layers: result.chain.layers.map { $0.descriptor.asOCI },
            annotations: session.request.annotations.isEmpty ? nil : session.request.annotations)
        let bytes = try JSON.encode(document)
        let digest = try ContentHash.digest(of: bytes)
        try session.lease.protect(
            digests: [configBlob.digest, digest] + document.layers.map(\.digest),
            layers: result.chain.layers.map(\.directory))
        _ = try engine.content.put(configBytes, mediaType: MediaType.config)
        let manifest = try engine.content.put(bytes, mediaType: MediaType.manifest)
        failpoint("build.published")
        return try ImageRecord(
            reference: nil, target: manifest, manifest: manifest, document: document, config: config,
            directories: result.chain.layers.map(\.directory), size: result.chain.size)
    }

    // MARK: files

    private func mounted() throws(Failure) -> DetachedMount {
        guard !result.chain.layers.isEmpty else {
            let empty = try session.work.directory("empty")
            return try during("mount an empty root") { () throws(SystemError) in
                try DetachedMount(bind: "", in: empty.descriptor.raw, recursive: false)
            }
        }
        return try OverlayMount.make(
            layers: result.chain.roots.map(\.raw), scratch: "\(session.engine.runPath)/mounts")
    }

    private func writeTar(_ output: BuildOutput) throws(Failure) {
        let root = try mounted()
        let opened = try during("open the result") { () throws(SystemError) in
            try FileDescriptor.open(".", in: root.descriptor.raw, [.readOnly, .directory])
        }
        try BuildExport.withOutput(output.destination) { (file) throws(Failure) in
            try Engine.exportTree(opened.raw, to: file)
        }
    }

    private func writeDirectory(_ output: BuildOutput) throws(Failure) {
        guard let destination = output.destination else {
            throw Failure(.invalidArgument, "--output type=local needs dest=DIRECTORY")
        }
        let root = try mounted()
        let opened = try during("open the result") { () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open(".", in: root.descriptor.raw, [.readOnly, .directory]))
        }
        let target = try during("open \(destination)") { () throws(SystemError) in
            try Directory.ensurePath(destination, mode: 0o755)
            return try Directory.open(destination)
        }
        let tree = ContextTree(opened, owners: .own)
        try tree.select(sources: ["."]).copy(into: target.raw, destination: "/", CopyOptions())
    }

    static func withOutput(
        _ path: String?, _ body: (Int32) throws(Failure) -> Void
    ) throws(Failure) {
        guard let path, path != "-" else {
            if Terminal.isTerminal(1) {
                throw Failure(
                    .invalidArgument, "the output is a terminal",
                    hint: "name a file by dest=FILE, or send standard output elsewhere")
            }
            return try body(1)
        }
        let file = try during("open \(path)") { () throws(SystemError) in
            try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
        }
        try body(file.raw)
    }

    private func writeMetadata(_ outcome: BuildOutcome, to file: String) throws(Failure) {
        var fields: [String: String] = [:]
        fields["containerimage.config.digest"] = outcome.imageID
        fields["containerimage.digest"] = outcome.manifestDigest
        if !outcome.names.isEmpty { fields["image.name"] = outcome.names.joined(separator: ",") }
        let bytes = try JSON.encode(fields)
        try BuildExport.write(bytes + [0x0a], to: file)
    }

    /// A path of the user's: beside its last component the file is made, in whatever directory that is.
    private static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        try during("write \(path)") { () throws(SystemError) in
            let cut = path.lastIndex(of: "/")
            let parent = cut.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            let directory = try Directory.open(parent)
            try AtomicFile.write(
                bytes, to: cut.map { String(path[path.index(after: $0)...]) } ?? path, in: directory.raw,
                mode: 0o644, durable: false)
        }
    }
}

extension Descriptor {
    /// docker's media types by OCI's names: one manifest has one kind.
    var asOCI: Descriptor {
        let types = [
            MediaType.dockerLayer: MediaType.layer, MediaType.dockerLayerGzip: MediaType.layerGzip,
            MediaType.dockerLayerZstd: MediaType.layerZstd,
        ]
        return Descriptor(mediaType: types[mediaType] ?? mediaType, digest: digest, size: size)
    }
}
