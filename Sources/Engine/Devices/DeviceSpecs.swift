internal import CommandTable
internal import Failure
internal import LinuxSystem
internal import OCI
internal import YAML

/// The CDI specs of a host: files of some directories, of which a later one counts more.
struct DeviceSpecs {
    static let standardDirectories = ["/etc/cdi", "/var/run/cdi"]

    private struct File {
        let path: String
        /// The place of its directory.
        let rank: Int
        let spec: CDISpec
    }

    private let directories: [String]
    private var files: [File] = []
    /// What could not be read or is no spec: told of only where something is missing, as it may have been there.
    private var faults: [Failure] = []

    init(directories: [String]) {
        self.directories = directories
        for (rank, directory) in directories.enumerated() { read(directory, rank: rank) }
    }

    private mutating func read(_ directory: String, rank: Int) {
        let names: [String]
        do throws(SystemError) {
            names = try Directory.names(in: Directory.open(directory))
        } catch {
            if error.code != .notFound { faults.append(error.failure("read \(directory)")) }
            return
        }
        for name in names {
            let isYAML = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
            guard isYAML || name.hasSuffix(".json") else { continue }
            let path = "\(directory)/\(name)"
            do throws(Failure) {
                let spec = try DeviceSpecs.spec(path, isYAML: isYAML)
                files.append(File(path: path, rank: rank, spec: spec))
            } catch {
                faults.append(error)
            }
        }
    }

    private static func spec(_ path: String, isYAML: Bool) throws(Failure) -> CDISpec {
        var bytes = try during("read \(path)") { () throws(SystemError) in
            try AtomicFile.read(path, limit: JSON.documentLimit + 1) ?? []
        }
        guard bytes.count <= JSON.documentLimit else {
            throw Failure(
                .invalidArgument, "\(path): more than the \(JSON.documentLimit) bytes that are allowed")
        }
        if isYAML { bytes = try YAMLDocument.json(bytes, as: path, plainKeys: CDISpec.plainKeys) }
        let spec = try CDISpec(bytes: bytes, as: path)
        var names: Set<String> = []
        for device in spec.devices {
            guard CDIDeviceName(kind: spec.kind, name: device.name) != nil else {
                throw Failure(
                    .invalidArgument,
                    "\(path): \("\(spec.kind)=\(device.name)".quotedForMessage) is not of the form vendor.com/class=name"
                )
            }
            guard names.insert(device.name).inserted else {
                throw Failure(.invalidArgument, "\(path): devices: \(device.name) is given twice")
            }
        }
        return spec
    }

    /// What these devices need, in their order, and what their specs say for each of their devices, once.
    /// - Throws: `notFound`; `conflict` where two files of one directory have a device.
    func edits(for names: [CDIDeviceName]) throws(Failure) -> CDISpec.Edits {
        var edits = CDISpec.Edits()
        var done: Set<CDIDeviceName> = []
        var used: Set<String> = []
        for name in names where done.insert(name).inserted {
            let (file, device) = try find(name)
            if used.insert(file.path).inserted { edits.append(file.spec.edits) }
            edits.append(device.edits)
        }
        return edits
    }

    private func find(_ name: CDIDeviceName) throws(Failure) -> (File, CDISpec.Device) {
        let found = files.compactMap { file -> (file: File, device: CDISpec.Device)? in
            guard file.spec.kind == name.kind else { return nil }
            return file.spec.devices.first { $0.name == name.name }.map { (file, $0) }
        }
        guard let last = found.last else { throw absent(name) }
        if let other = found.first(where: { $0.file.rank == last.file.rank && $0.file.path != last.file.path }
        ) {
            throw Failure(
                .conflict, "the CDI device \(name) is in two specs: \(other.file.path) and \(last.file.path)",
                hint: "one directory may have it once; what is in a later directory counts more")
        }
        return last
    }

    private func absent(_ name: CDIDeviceName) -> Failure {
        let places = directories.joined(separator: " and ")
        var message = "no CDI device \(name): specs were looked for in \(places)"
        if let fault = faults.first { message += "; what is not a good one: \(fault.message)" }
        let others = files.filter { $0.spec.kind == name.kind }.flatMap { $0.spec.devices.map(\.name) }
        var hint: String?
        if !others.isEmpty {
            hint = "of this kind there are: \(Set(others).sorted().joined(separator: ", "))"
        } else if name.kind.hasPrefix("nvidia.com/") {
            hint = "\"nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml\" writes one"
        }
        return Failure(.notFound, message, hint: hint)
    }
}
