internal import Failure

extension PlanWriter {
    mutating func hook(_ hook: Hook) {
        number(hook.kind.rawValue)
        number(Int64(hook.index))
        text(hook.path)
        list(hook.arguments) { $0.text($1) }
        list(hook.environment) { $0.text($1) }
        number(hook.milliseconds)
        text(hook.state.0)
        text(hook.state.1)
    }
}

extension PlanReader {
    mutating func hook() throws(Failure) -> Hook {
        guard let kind = Hook.Kind(rawValue: try number()) else { throw PlanReader.damaged }
        return Hook(
            kind, index: Int(try number(Int64.self)), path: try text(),
            arguments: try list { (reader) throws(Failure) in try reader.text() },
            environment: try list { (reader) throws(Failure) in try reader.text() },
            milliseconds: try number(), state: (try text(), try text()))
    }
}
