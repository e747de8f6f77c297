import LinuxSystem
import Networks
import Testing

extension KernelTests {
    @Suite("Many containers") struct ScaleTests {
        private func median(_ values: ArraySlice<Double>) -> Double {
            let sorted = values.sorted()
            return sorted[sorted.count / 2]
        }

        /// No start reads a table or walks the others.
        @Test func theFiveHundredthAttachTakesAsLongAsTheFirst() throws {
            let world = try World()
            let network = try World.network("tb-a", ["10.11.0.1/16", "fd00:11::1/64"])
            try world.start(network)
            var attaching: [Double] = []
            var publishing: [Double] = []
            var kept: [SharedFileDescriptor] = []
            let clock = ContinuousClock()
            for number in 0..<500 {
                let container = SharedFileDescriptor(try NetworkNamespace.make())
                kept.append(container)
                let copy = try FileDescriptor.open("/proc/self/fd/\(container.raw)")
                let endpoint = try World.endpoint(UInt64(number + 2), on: network)
                let port = PublishedPort(
                    .tcp, hostPorts: UInt16(10_000 + number)...UInt16(10_000 + number),
                    target: endpoint.addresses[0].address, targetPort: 80,
                    gateway: network.gateways[0].address)
                try world.inHost {
                    let start = clock.now
                    var host = try HostNetwork(World.names, proc: world.proc.raw)
                    try host.attach(endpoint, to: network, namespace: copy)
                    let middle = clock.now
                    try host.rules.publish([port])
                    attaching.append((middle - start) / .milliseconds(1))
                    publishing.append((clock.now - middle) / .milliseconds(1))
                }
            }
            let (first, last) = (median(attaching[..<100]), median(attaching[400...]))
            print("attach: first hundred \(first) ms, last hundred \(last) ms")
            print(
                "publish: first hundred \(median(publishing[..<100])) ms, last hundred \(median(publishing[400...])) ms"
            )
            // A machine with other work moves a median by some ms; with a frame to every port it grew by 23.
            #expect(last < first * 1.5 + 6)
            #expect(median(publishing[400...]) < median(publishing[..<100]) * 1.5 + 1)
            // One that came late works like one that came early.
            let listener = try Socket.listening(world, kept[499], ip("10.11.1.245"), 80)
            #expect(
                try world.reaches(world.outside, ip("192.0.2.1"), 10_499, listener)?.description
                    == "192.0.2.2")
            #expect(try world.reaches(kept[0], ip("10.11.1.245"), 80, listener)?.description == "10.11.0.2")
            // All of it anew, as after a flush.
            let endpoints = try (0..<500).map { try World.endpoint(UInt64($0 + 2), on: network) }
            let ports = endpoints.enumerated().map { number, endpoint in
                PublishedPort(
                    .tcp, hostPorts: UInt16(10_000 + number)...UInt16(10_000 + number),
                    target: endpoint.addresses[0].address, targetPort: 80,
                    gateway: network.gateways[0].address)
            }
            try world.onHost { host in
                let start = clock.now
                try host.rules.replaceAll(
                    HostRules.Contents(networks: [network], endpoints: endpoints, published: ports))
                print("all rules anew: \((clock.now - start) / .milliseconds(1)) ms")
                let found = try host.rules.exposedPorts()
                #expect(found.count == 500)
            }
            #expect(try world.reaches(kept[0], ip("10.11.1.245"), 80, listener) != nil)
        }
    }
}
