package import Failure
internal import LinuxSystem
package import OCI

/// Compiled filters, kept in files: making docker's takes milliseconds, loading it a quarter of one.
package enum SeccompFilter {
    package enum Source: Sendable {
        /// docker's default profile.
        case builtin
        /// A profile with conditions, decided by the container's capabilities.
        case profile(SeccompProfile)
        /// A spec's, decided already.
        case spec(RuntimeSpec.Seccomp)
    }

    /// Raised when the built-in profile or what is made of any profile changes: older files are not used again.
    private static let generation = 3

    /// The file with the program (struct sock_filter, for seccomp(2)); made if it is not there.
    ///
    /// A file that is there costs one stat. It counts only if it belongs to this user and nobody else can write to it,
    /// and the directory is made for this user alone.
    /// - Parameters:
    ///   - capabilities: the container's bounding set.
    ///   - cacheDirectory: `<root>/seccomp`.
    /// - Throws: `invalidArgument` for a profile that cannot be compiled.
    package static func blobPath(
        _ source: Source, capabilities: CapabilitySet, cacheDirectory: String
    ) throws(Failure) -> String {
        let kernel = Machine.kernel()
        var key = "\(generation) \(Machine.architecture) \(SeccompCompiler.libraryVersion())"
        switch source {
        case .builtin: key += " builtin \(capabilities.rawValue) \(kernel.0).\(kernel.1)"
        case .profile(let profile):
            key += " profile \(capabilities.rawValue) \(kernel.0).\(kernel.1) "
            key += String(decoding: try JSON.encode(profile), as: UTF8.self)
        case .spec(let filter): key += " spec \(words(of: filter))"
        }
        let name = digest(key)
        let path = "\(cacheDirectory)/\(name)"
        if isTrusted(path) { return path }
        let program = try program(source, capabilities: capabilities)
        do throws(SystemError) {
            try Directory.ensurePath(cacheDirectory, mode: 0o700)
            let directory = try Directory.open(cacheDirectory)
            // Durable: a file torn by a power cut would look whole and fail every later start.
            try AtomicFile.write(program, to: name, in: directory.raw, mode: 0o600)
        } catch {
            throw error.failure("keep the compiled seccomp filter in \(cacheDirectory)")
        }
        return path
    }

    /// The program itself, as short as it can be made.
    package static func program(_ source: Source, capabilities: CapabilitySet) throws(Failure) -> [UInt8] {
        let filter =
            switch source {
            case .builtin: try resolved(.docker, capabilities)
            case .profile(let profile): try resolved(profile, capabilities)
            case .spec(let filter): filter
            }
        let bytes = try SeccompCompiler.program(filter)
        guard let program = SeccompInstruction.program(bytes) else { return bytes }
        return SeccompCompaction.compacted(program).flatMap(\.bytes)
    }

    private static func resolved(_ profile: SeccompProfile, _ capabilities: CapabilitySet) throws(Failure)
        -> RuntimeSpec.Seccomp
    {
        try profile.resolved(
            capabilities: Set(capabilities.names), architecture: Machine.architecture,
            kernel: Machine.kernel())
    }

    /// All that decides a filter, each text with its length before it. A document of a hundred system calls takes longer
    /// to write as JSON than to load.
    private static func words(of filter: RuntimeSpec.Seccomp) -> String {
        var words = ""
        func add(_ text: String) { words += "\(text.utf8.count):\(text)" }
        func add(_ number: UInt32?) { words += number.map { "\($0);" } ?? "-;" }
        add(filter.defaultAction.rawValue)
        add(filter.defaultErrnoRet)
        for list in [filter.architectures ?? [], (filter.flags ?? []).map(\.rawValue)] {
            words += "\(list.count)["
            for text in list { add(text) }
        }
        for call in filter.syscalls ?? [] {
            words += "\(call.names.count)["
            for name in call.names { add(name) }
            add(call.action.rawValue)
            add(call.errnoRet)
            for argument in call.args ?? [] {
                add(argument.op.rawValue)
                words += "\(argument.index) \(argument.value) \(argument.valueTwo ?? 0);"
            }
        }
        return words
    }

    private static func isTrusted(_ path: String) -> Bool {
        guard let status = try? FileDescriptor.status(path), status.kind == .file else { return false }
        return status.uid == Process.effectiveUID && status.permissions & 0o022 == 0 && status.size > 0
            && status.size % 8 == 0
    }

    /// FNV-1a with 128 bits: stable, and good enough where who chooses the profile also owns the directory.
    static func digest(_ text: String) -> String {
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        for byte in text.utf8 {
            hash ^= UInt128(byte)
            hash = hash &* 0x0000_0000_0100_0000_0000_0000_0000_013b
        }
        let hex = String(hash, radix: 16)
        return String(repeating: "0", count: 32 - hex.count) + hex
    }
}
