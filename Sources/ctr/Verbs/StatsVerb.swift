import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

/// `ctr stats`: a table that is drawn again once a second; on no terminal, a table or line a second below the last.
enum StatsVerb {
    private static let headings: [(field: String, title: String)] = [
        ("Container", "CONTAINER"), ("ID", "CONTAINER ID"), ("Name", "NAME"), ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"), ("MemPerc", "MEM %"), ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"), ("PIDs", "PIDS"),
    ]

    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var source =
            "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
        if let format = command.value(.format), format != "table" { source = format }
        let template = try Template(source)
        let isOnce = command.flag(.noStream)
        let isDrawn = !isOnce && Terminal.isTerminal(1)
        var before = try sample(command, engine)
        Process.sleep(microseconds: isOnce ? 500_000 : 1_000_000)
        while true {
            let now = try sample(command, engine)
            let rows = now.map { container in
                row(
                    container.record, container.usage,
                    before.first { $0.record.id == container.record.id }?.usage,
                    whole: command.flag(.noTrunc))
            }
            // Home, the screen's rest, and each line's: nothing flickers.
            let text = try template.listing(rows, headings: headings)
            Console.out(isDrawn ? "\u{1b}[H\(text.clearingLines)\u{1b}[J" : text)
            guard Console.flush() else { return 1 }
            if isOnce { return 0 }
            before = now
            Process.sleep(microseconds: 1_000_000)
        }
    }

    private static func sample(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> [(
        record: ContainerRecord, usage: ContainerUsage?
    )] {
        var samples: [(record: ContainerRecord, usage: ContainerUsage?)] = []
        if command.positionals.isEmpty {
            for container in try engine.containers() where command.flag(.all) || container.state.isRunning {
                samples.append((container.record, try? engine.usage(of: container.record)))
            }
        } else {
            for word in command.positionals {
                let record = try engine.container(word)
                samples.append((record, try engine.usage(of: record)))
            }
        }
        return samples
    }

    private static func row(
        _ record: ContainerRecord, _ usage: ContainerUsage?, _ before: ContainerUsage?, whole: Bool
    ) -> TemplateValue {
        let known = usage ?? ContainerUsage()
        var percent = 0.0
        if let usage, let before, usage.time > before.time, usage.processor >= before.processor {
            percent = Double(usage.processor - before.processor) / Double(usage.time - before.time) * 100
        }
        let share = known.memoryLimit > 0 ? Double(known.memory) / Double(known.memoryLimit) * 100 : 0
        return .object([
            .init("BlockIO", .string(pair(known.read, known.written))),
            .init("CPUPerc", .string(hundredths(percent))),
            .init("Container", .string(whole ? record.id : record.shortID)),
            .init("ID", .string(whole ? record.id : record.shortID)),
            .init("MemPerc", .string(hundredths(share))),
            .init(
                "MemUsage",
                .string(
                    "\(HumanSize.binary(Int64(clamping: known.memory))) / \(HumanSize.binary(Int64(clamping: known.memoryLimit)))"
                )),
            .init("Name", .string(record.name)),
            .init("NetIO", .string(pair(known.received, known.sent))),
            .init("PIDs", .string(String(known.processes))),
        ])
    }

    private static func pair(_ one: UInt64, _ other: UInt64) -> String {
        "\(HumanSize.decimal(Int64(clamping: one))) / \(HumanSize.decimal(Int64(clamping: other)))"
    }

    private static func hundredths(_ percent: Double) -> String {
        let scaled = Int64((percent * 100).rounded())
        let fraction = scaled % 100
        return "\(scaled / 100).\(fraction < 10 ? "0" : "")\(fraction)%"
    }
}

extension String {
    /// Each line clears what an earlier, longer one left.
    fileprivate var clearingLines: String {
        var text = ""
        for character in self {
            if character == "\n" { text += "\u{1b}[K" }
            text.append(character)
        }
        return text
    }
}
