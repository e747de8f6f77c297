package import Failure

/// A limit of one block device: `/dev/sda:500`, `/dev/sda:10mb`.
package struct DeviceLimit: Equatable, Sendable {
    package let path: String
    package let amount: UInt64

    /// `--device-read-bps`: bytes a second.
    package static func bytes(_ text: String) throws(Failure) -> DeviceLimit {
        let parts = try parts(text, "/dev/PATH:RATE, such as /dev/sda:10mb")
        return DeviceLimit(path: parts.path, amount: UInt64(try ByteSize.parse(parts.value)))
    }

    /// `--device-read-iops`: operations a second.
    package static func operations(_ text: String) throws(Failure) -> DeviceLimit {
        let parts = try parts(text, "/dev/PATH:RATE, such as /dev/sda:1000")
        guard let rate = UInt64(parts.value) else {
            throw Failure(.invalidArgument, "the rate is no whole number: \"\(parts.value)\"")
        }
        return DeviceLimit(path: parts.path, amount: rate)
    }

    /// `--blkio-weight-device`: 10 to 1000.
    package static func weight(_ text: String) throws(Failure) -> DeviceLimit {
        let parts = try parts(text, "/dev/PATH:WEIGHT, such as /dev/sda:500")
        guard let weight = UInt64(parts.value), (10...1000).contains(weight) else {
            throw Failure(.invalidArgument, "the weight is from 10 to 1000, not \"\(parts.value)\"")
        }
        return DeviceLimit(path: parts.path, amount: weight)
    }

    private static func parts(_ text: String, _ form: String) throws(Failure) -> (path: String, value: String)
    {
        guard text.hasPrefix("/dev/"), let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            throw Failure(.invalidArgument, "not of the form \(form)")
        }
        return (String(text[..<colon]), String(text[text.utf8.index(after: colon)...]))
    }
}
