package import LinuxSystem

/// The sockets that a resolver answers on.
package struct NameListeners {
    package let datagram: SharedFileDescriptor
    package let stream: SharedFileDescriptor
    package let port: UInt16

    /// Of a container's resolv.conf.
    package static let address: [UInt8] = [127, 0, 0, 11]

    /// UDP and TCP on one port of ``address`` in the network namespace that the calling thread is in.
    ///
    /// - Parameter port: 0 is one that both have free.
    package init(port wanted: UInt16 = 0) throws(SystemError) {
        var attempts = 0
        while true {
            let stream = try InternetSocket.listen(
                .stream, at: InternetEndpoint(address: NameListeners.address, port: wanted))
            let port = try InternetSocket.localEndpoint(of: stream.raw).port
            do throws(SystemError) {
                let datagram = try InternetSocket.listen(
                    .datagram, at: InternetEndpoint(address: NameListeners.address, port: port))
                self.stream = SharedFileDescriptor(stream)
                self.datagram = SharedFileDescriptor(datagram)
                self.port = port
                return
            } catch {
                attempts += 1
                if wanted != 0 || attempts >= 16 { throw error }
            }
        }
    }

    /// The same in a container's network namespace, where port 53 of ``address`` leads to them; this thread is there for a
    /// moment.
    package static func open(inside namespace: Int32) throws(SystemError) -> NameListeners {
        try NetworkNamespace.inside(namespace) { () throws(SystemError) in
            // While a namespace never had an address, bind(2) takes 127.0.0.11 for a broadcast address, and answers come
            // from another.
            try NetworkNamespace.bringLoopbackUp()
            let listeners = try NameListeners()
            try PortRedirection(to: listeners.port).install()
            return listeners
        }
    }
}
