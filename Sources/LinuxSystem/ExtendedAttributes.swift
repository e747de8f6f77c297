internal import CLinux
internal import Glibc

/// xattr(7) of an open file, or of a name itself (links included) by `/proc/self/fd/N/name`.
package enum ExtendedAttributes {
    package static func names(of file: borrowing FileDescriptor) throws(SystemError) -> [String] {
        let number = file.raw
        return split(
            try sized("flistxattr") { (buffer) in ctr_flistxattr(number, buffer.baseAddress, buffer.count) })
    }

    /// nil where the attribute is not there.
    package static func value(_ name: String, of file: borrowing FileDescriptor) throws(SystemError)
        -> [UInt8]?
    {
        let number = file.raw
        return try present {
            () throws(SystemError) in
            try sized("fgetxattr") { (buffer) in ctr_fgetxattr(number, name, buffer.baseAddress, buffer.count)
            }
        }
    }

    package static func set(_ name: String, _ value: [UInt8], on file: borrowing FileDescriptor)
        throws(SystemError)
    {
        let number = file.raw
        try call("fsetxattr", name) { ctr_fsetxattr(number, name, value, value.count) }
    }

    package static func remove(_ name: String, from file: borrowing FileDescriptor) throws(SystemError) {
        let number = file.raw
        try call("fremovexattr", name) { ctr_fremovexattr(number, name) }
    }

    package static func names(of name: some SystemPath, in directory: Int32) throws(SystemError) -> [String] {
        let path = reach(name, in: directory)
        return split(
            try sized("llistxattr") { (buffer) in
                path.withCPath { ctr_llistxattr($0, buffer.baseAddress, buffer.count) }
            })
    }

    package static func value(_ attribute: String, of name: some SystemPath, in directory: Int32)
        throws(SystemError) -> [UInt8]?
    {
        let path = reach(name, in: directory)
        return try present {
            () throws(SystemError) in
            try sized("lgetxattr") { (buffer) in
                path.withCPath { ctr_lgetxattr($0, attribute, buffer.baseAddress, buffer.count) }
            }
        }
    }

    package static func set(
        _ attribute: String, _ value: [UInt8], on name: some SystemPath, in directory: Int32
    )
        throws(SystemError)
    {
        let path = reach(name, in: directory)
        try call("lsetxattr", attribute) {
            path.withCPath { ctr_lsetxattr($0, attribute, value, value.count) }
        }
    }

    package static func remove(_ attribute: String, of name: some SystemPath, in directory: Int32)
        throws(SystemError)
    {
        let path = reach(name, in: directory)
        try call("lremovexattr", attribute) { path.withCPath { ctr_lremovexattr($0, attribute) } }
    }

    /// One name below an open directory: there are no xattr calls with a directory's descriptor before 6.13.
    private static func reach(_ name: some SystemPath, in directory: Int32) -> RawPath {
        name.withCPath {
            RawPath(
                Array("/proc/self/fd/\(directory)/".utf8)
                    + Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))))
        }
    }

    private static func present(_ body: () throws(SystemError) -> [UInt8]) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return try body()
        } catch {
            if error.errno == ENODATA { return nil }
            throw error
        }
    }

    /// Asks again with more room when the value has grown meanwhile.
    private static func sized(_ name: StaticString, _ body: (UnsafeMutableBufferPointer<CChar>) -> Int)
        throws(SystemError) -> [UInt8]
    {
        var room = 256
        while true {
            let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: room)
            defer { buffer.deallocate() }
            do throws(SystemError) {
                let n = try call(name) { body(buffer) }
                return buffer[..<n].map { UInt8(bitPattern: $0) }
            } catch {
                guard error.errno == ERANGE, room < 64 << 10 else { throw error }
                room = 64 << 10
            }
        }
    }

    private static func split(_ list: [UInt8]) -> [String] {
        list.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
