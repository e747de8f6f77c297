internal import Failure
internal import OCI

/// The lines of a record file: see `ImageRecord.encoded`.
struct RecordLines {
    private var bytes = Array(ImageRecord.firstLine.utf8) + [0x0a]

    mutating func add(_ key: String, _ value: String) { add(key, [value]) }

    mutating func add(_ key: String, _ descriptor: Descriptor) {
        add(key, [descriptor.mediaType, "\(descriptor.digest)", "\(descriptor.size)"])
    }

    mutating func add(_ key: String, _ fields: [String]) {
        bytes += key.utf8
        bytes.append(0x20)
        for (i, field) in fields.enumerated() {
            if i > 0 { bytes.append(0x09) }
            for byte in field.utf8 {
                switch byte {
                case 0x0a: bytes += [0x5c, 0x6e]
                case 0x09: bytes += [0x5c, 0x74]
                case 0x5c: bytes += [0x5c, 0x5c]
                default: bytes.append(byte)
                }
            }
        }
        bytes.append(0x0a)
    }

    /// A line as it was read.
    mutating func addRaw(_ line: String) { bytes += Array(line.utf8) + [0x0a] }

    consuming func finish() -> [UInt8] { bytes + Array("end\n".utf8) }

    static func damaged(_ why: String) -> Failure {
        Failure(.dataLoss, "the image's record is damaged: \(why)")
    }

    /// Calls `body` with each line's key, its unescaped fields (at least one) and the line itself. One pass, few
    /// strings: every start reads a record.
    static func read(
        _ bytes: [UInt8], _ body: (String, [String], ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let end = bytes.count - ending.count
        guard end >= 0, bytes[end...].elementsEqual(ending) else { throw damaged("its end is missing") }
        var at = 0
        var isFirst = true
        while at < end {
            guard let stop = bytes[at..<end].firstIndex(of: 0x0a) else {
                throw damaged("a line is not whole")
            }
            let line = bytes[at..<stop]
            at = stop + 1
            if isFirst {
                try checkVersion(line)
                isFirst = false
                continue
            }
            guard let space = line.firstIndex(of: 0x20), space > line.startIndex else {
                throw damaged("a line without a key")
            }
            try body(try text(line[..<space]), try fields(line[(space + 1)...]), line)
        }
        if isFirst { throw damaged("it is empty") }
    }

    private static let ending = Array("end\n".utf8)

    private static func checkVersion(_ line: ArraySlice<UInt8>) throws(Failure) {
        if line.elementsEqual(ImageRecord.firstLine.utf8) { return }
        guard line.starts(with: "ctr-image ".utf8) else { throw damaged("it does not begin as one") }
        throw Failure(
            .unsupported, "the image's record was written by a later ctr",
            hint: "use that ctr, or pull again")
    }

    private static func fields(_ value: ArraySlice<UInt8>) throws(Failure) -> [String] {
        var fields: [String] = []
        var start = value.startIndex
        while let tab = value[start...].firstIndex(of: 0x09) {
            fields.append(try unescape(value[start..<tab]))
            start = tab + 1
        }
        fields.append(try unescape(value[start...]))
        return fields
    }

    static func text(_ bytes: ArraySlice<UInt8>) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw damaged("a line is not UTF-8")
        }
        return text
    }

    private static func unescape(_ field: ArraySlice<UInt8>) throws(Failure) -> String {
        guard field.contains(0x5c) else { return try text(field) }
        var out: [UInt8] = []
        var escaped = false
        for byte in field {
            if escaped {
                switch byte {
                case 0x6e: out.append(0x0a)
                case 0x74: out.append(0x09)
                case 0x5c: out.append(0x5c)
                default: throw damaged("an unknown escape")
                }
                escaped = false
            } else if byte == 0x5c {
                escaped = true
            } else {
                out.append(byte)
            }
        }
        if escaped { throw damaged("a line ends in a backslash") }
        return try text(out[...])
    }
}
