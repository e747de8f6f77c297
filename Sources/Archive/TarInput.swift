package import Failure
internal import LinuxSystem

/// A tar from a descriptor, plain or compressed, in constant memory.
package final class TarInput {
    private let number: Int32
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    private var filled = 0
    private var used = 0
    private var atEnd = false
    private var decompressor: Decompressor
    private let foreign: ForeignCompression?

    /// Reads the first bytes. `number` stays the caller's; `foreign` allows what no layer may be wrapped in.
    package init(_ number: Int32, foreign allowsForeign: Bool = false) throws(Failure) {
        self.number = number
        var count = 0
        let buffer = input
        try during("read the tar") { () throws(SystemError) in
            while count < Compression.magicLength {
                let got = try TarInput.read(number, UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                if got == 0 { break }
                count += got
            }
        }
        filled = count
        let first = Array(input[..<min(count, Compression.magicLength)])
        foreign = allowsForeign ? ForeignCompression.detect(first) : nil
        decompressor = try Decompressor(foreign == nil ? try Compression.detect(first) : .uncompressed)
    }

    deinit {
        input.deallocate()
        output.deallocate()
    }

    /// The reader of its entries; once.
    package func reader(limits: TarReader.Limits = TarReader.Limits()) throws(Failure) -> TarReader {
        try TarReader(limits: limits, unwrapping: foreign) { () throws(Failure) in try self.next() }
    }

    private func next() throws(Failure) -> UnsafeRawBufferPointer? {
        while true {
            let (consumed, produced) = try decompressor.step(
                UnsafeRawBufferPointer(rebasing: input[used..<filled]), into: output)
            used += consumed
            if produced > 0 { return UnsafeRawBufferPointer(rebasing: output[..<produced]) }
            guard used == filled else { continue }
            if atEnd {
                try decompressor.finish()
                return nil
            }
            let number = number
            let buffer = input
            filled = try during("read the tar") { () throws(SystemError) in try TarInput.read(number, buffer)
            }
            used = 0
            atEnd = filled == 0
        }
    }

    private static func read(_ number: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(SystemError)
        -> Int
    {
        try FileDescriptor.withBorrowed(number) { (file) throws(SystemError) in try file.read(into: buffer) }
    }
}
