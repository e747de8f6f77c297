internal import CommandTable

/// A build as JSON, an object a line: `{"step":3,"name":"…","event":"log","time":"…","data":"…"}`. Each function answers
/// what is to be written. `step` is 0 for what belongs to no step.
package struct EventLog: Sendable {
    private var names: [Int: String] = [:]
    private var outputs: [Int: StepOutput] = [:]

    package init() {}

    package mutating func began(_ step: Int, _ name: String, time: String) -> String {
        names[step] = name
        outputs[step] = StepOutput(filters: false, begun: 0)
        return line(step, "began", time, nil)
    }

    package mutating func wrote(_ step: Int, _ bytes: [UInt8], time: String) -> String {
        let lines = outputs[step]?.add(bytes, at: 0) ?? []
        return lines.map { line(step, "log", time, $0.text) }.joined()
    }

    package func told(_ step: Int, _ text: String, time: String) -> String { line(step, "told", time, text) }

    package func warned(_ text: String, time: String) -> String { line(0, "warned", time, text) }

    package mutating func ended(_ step: Int, _ end: StepEnd, time: String) -> String {
        let rest = outputs[step]?.finish(at: 0) ?? []
        var text = rest.map { line(step, "log", time, $0.text) }.joined()
        switch end {
        case .done: text += line(step, "done", time, nil)
        case .cached: text += line(step, "cached", time, nil)
        case .failed(let message): text += line(step, "failed", time, message)
        case .canceled: text += line(step, "canceled", time, nil)
        }
        outputs[step] = nil
        return text
    }

    private func line(_ step: Int, _ event: String, _ time: String, _ data: String?) -> String {
        var fields: [TemplateValue.Field] = [
            .init("step", .integer(Int64(step))), .init("name", .string(names[step] ?? "")),
            .init("event", .string(event)), .init("time", .string(time)),
        ]
        if let data { fields.append(.init("data", .string(data))) }
        return TemplateValue.object(fields).json() + "\n"
    }
}
