import CommandTable
import Engine
import Failure
import LinuxSystem
import Networks

/// `ctr port`
enum PortVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let words = command.positionals
        if command.flag(.exposed) {
            guard words.count <= 1 else {
                throw Failure(.invalidArgument, "ctr port --exposed takes a container at most")
            }
            return try listExposed(command, engine)
        }
        guard let word = words.first else {
            throw Failure(
                .invalidArgument, "\"ctr port\" requires at least 1 argument",
                hint: "Usage:  \(Verb.port.description.usageLine)\nSee 'ctr port --help'.")
        }
        guard !command.isGiven(.format) else {
            throw Failure(.invalidArgument, "--format goes with --exposed")
        }
        let record = try engine.container(word)
        let state = engine.networkState(of: try engine.summary(of: record))
        let bindings = state.map { PortBinding.all($0, exposed: []) } ?? []
        guard words.count > 1 else {
            for binding in bindings { Console.out("\(binding.containerText) -> \(binding.hostText)\n") }
            return 0
        }
        let wanted = try ExposedPorts(parsing: words[1])
        let found = bindings.filter {
            wanted.transport == $0.transport && wanted.ports.contains($0.containerPort)
        }
        guard !found.isEmpty else {
            throw Failure(.notFound, "no public port '\(wanted)' published for \(record.name)")
        }
        for binding in found { Console.out(binding.hostText + "\n") }
        return 0
    }

    /// What the kernel's rules say, not the records.
    private static func listExposed(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let only = try command.positionals.first.map { (word) throws(Failure) in
            try engine.container(word).id
        }
        var source = "table {{.Address}}\t{{.Port}}\t{{.Protocol}}\t{{.Container}}\t{{.Target}}"
        if let format = command.value(.format), format != "table" { source = format }
        let ports = try engine.exposedPorts().filter { only == nil || $0.container?.id == only }
            .sorted { sortKey($0.port) < sortKey($1.port) }
        let rows = ports.map { (port, container) in
            let address = port.hostAddress ?? PortBinding.unspecified(port.family)
            return TemplateValue.object([
                .init("Address", .string(address.description)),
                .init("Port", .string(text(port.hostPorts))),
                .init("Protocol", .string(transport(port))),
                .init("Container", .string(container?.name ?? "")),
                .init("ContainerID", .string(container?.id ?? port.owner ?? "")),
                .init("Target", .string(port.targets.map { target($0, of: port) }.joined(separator: ","))),
            ])
        }
        Console.out(
            try Template(source).listing(
                rows,
                headings: [
                    ("Address", "ADDRESS"), ("Port", "PORT"), ("Protocol", "PROTOCOL"),
                    ("Container", "CONTAINER"), ("ContainerID", "CONTAINER ID"), ("Target", "TARGET"),
                ]))
        return 0
    }

    private static func text(_ ports: ClosedRange<UInt16>) -> String {
        ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
    }

    /// A range leads to one as long.
    private static func target(_ target: ExposedPort.Target, of port: ExposedPort) -> String {
        let last = Int(target.port) + port.hostPorts.count - 1
        let ports = last == Int(target.port) ? "\(target.port)" : "\(target.port)-\(last)"
        return PortBinding.joined(target.address, ports)
    }

    private static func transport(_ port: ExposedPort) -> String {
        Transport(rawValue: port.transport)?.word ?? String(port.transport)
    }

    private static func sortKey(_ port: ExposedPort) -> (UInt16, String, String) {
        (port.hostPorts.lowerBound, transport(port), port.hostAddress?.description ?? "")
    }
}
