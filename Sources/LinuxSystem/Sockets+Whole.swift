extension UnixSocket {
    /// All of it, without SIGPIPE where the other end is gone (EPIPE then).
    package static func sendAll(_ bytes: [UInt8], to socket: Int32) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            var failed: SystemError?
            bytes.withUnsafeBytes { buffer in
                do throws(SystemError) {
                    done += try send(UnsafeRawBufferPointer(rebasing: buffer[done...]), to: socket)
                } catch { failed = error }
            }
            if let failed { throw failed }
        }
    }
}
