internal import LinuxSystem

/// Python's compiled files (PEP 3147, PEP 552): where their sources are, and the time of the source that they hold.
enum CompiledPython {
    /// The source's name: `x.py` for `x.cpython-311.pyc` beside it in `__pycache__`, or for `x.pyc` in its directory.
    static func source(of name: RawPath, cached: Bool) -> RawPath? {
        guard name.bytes.suffix(4).elementsEqual(".pyc".utf8) else { return nil }
        let stem = name.bytes.dropLast(4)
        guard cached else { return RawPath(Array(stem) + Array(".py".utf8)) }
        // The module's name, the interpreter's tag, and perhaps opt-1.
        guard let dot = stem.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        return RawPath(Array(stem[..<dot]) + Array(".py".utf8))
    }

    /// Where the source's time stands in the first 16 bytes, in little-endian; nil for a file that is told from its
    /// source by a hash, or that is none of Python's.
    static func timeOffset(_ head: [UInt8]) -> Int? {
        guard head.count >= 12, head[2] == 0x0d, head[3] == 0x0a else { return nil }
        let magic = UInt16(head[0]) | UInt16(head[1]) << 8
        // 3.7 (3392) has flags before the time; Python 2's numbers are above 20000.
        guard magic >= 3390, magic < 20_000 else { return 4 }
        guard head.count >= 16 else { return nil }
        return head[4...7].allSatisfy { $0 == 0 } ? 8 : nil
    }

    /// Answers whether the file held the time `before`, in whole seconds of 32 bits, and was changed.
    static func replaceTime(_ before: Timestamp, by after: Timestamp, in file: borrowing FileDescriptor)
        throws(SystemError) -> Bool
    {
        var head = [UInt8](repeating: 0, count: 16)
        var failure: SystemError?
        var count = 0
        head.withUnsafeMutableBytes { buffer in
            do throws(SystemError) { count = try file.read(into: buffer, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
        guard let offset = timeOffset(Array(head.prefix(count))) else { return false }
        let old = UInt32(truncatingIfNeeded: before.seconds)
        let held = (0..<4).reduce(UInt32(0)) { $0 | UInt32(head[offset + $1]) << (8 * UInt32($1)) }
        guard held == old else { return false }
        let new = UInt32(truncatingIfNeeded: after.seconds)
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: new >> (8 * UInt32($0))) }
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) { try file.write(buffer, at: Int64(offset)) } catch { failure = error }
        }
        if let failure { throw failure }
        return true
    }
}
