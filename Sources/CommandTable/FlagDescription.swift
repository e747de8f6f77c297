/// One row of the table: a flag of one verb.
package struct FlagDescription: Sendable {
    package let name: FlagName
    /// The letter after one dash.
    package let short: Unicode.Scalar?
    /// A second long name that is understood and not shown: `--net` for `--network`.
    package let alternate: String?
    package let kind: Kind
    /// What stands for the value in help (`--memory bytes`); empty for a switch.
    package let valueName: String
    package let meaning: String
    /// What holds when the flag is not given, shown in help; the program's own default otherwise.
    package let defaultText: String?
    package let hidden: Bool

    /// How often a flag may be given and what its value must look like. The value is checked while the command line is parsed,
    /// so that a bad one is refused before anything is done.
    package enum Kind: Sendable {
        /// `--rm`, `--rm=false`; never takes the next word.
        case toggle(default: Bool)
        /// One value, the last one given.
        case value(Check)
        /// Every value given, in order.
        case list(Check)
    }

    package enum Check: Sendable {
        case text
        /// A whole number. Two numbers and no range: its generic type would have to be made at every start.
        case wholeNumber(least: Int64, most: Int64)
        case oneOf([String])
        /// `256m`, see ``ByteSize``.
        case byteSize
        /// As `byteSize`, or -1 for no limit.
        case byteSizeOrUnlimited
        /// A count of processors, see ``CPUCount``.
        case cpuCount
        case signal
        case ulimit
        case restartPolicy
        case device
        /// `all`, a number, `device=0,1`, see ``GPURequest``.
        case gpus
        case detachKeys
        /// `KEY=VALUE`, or `KEY` alone.
        case label
        /// `KEY=VALUE`, both needed.
        case keyValue
        /// `NAME=VALUE`, or `NAME` alone for the caller's own.
        case environment
        /// `NAME:ADDRESS`.
        case extraHost
        /// `KEY=VALUE` with one of these keys.
        case filter([String])
        case tail
        /// `30s`, `1m30s`.
        case duration
        /// `/dev/sda:AMOUNT`, see ``DeviceLimit``.
        case deviceBytes, deviceOperations, deviceWeight

        static func integer(_ range: ClosedRange<Int64>) -> Check {
            .wholeNumber(least: range.lowerBound, most: range.upperBound)
        }
    }

    package init(
        _ name: FlagName, short: Unicode.Scalar?, alternate: String?, kind: Kind, valueName: String,
        meaning: String, defaultText: String?, hidden: Bool
    ) {
        self.name = name
        self.short = short
        self.alternate = alternate
        self.kind = kind
        self.valueName = valueName
        self.meaning = meaning
        self.defaultText = defaultText
        self.hidden = hidden
    }

    package static func toggle(
        _ name: FlagName, short: Unicode.Scalar? = nil, _ meaning: String, on: Bool = false
    ) -> FlagDescription {
        FlagDescription(
            name, short: short, alternate: nil, kind: .toggle(default: on), valueName: "", meaning: meaning,
            defaultText: on ? "true" : nil, hidden: false)
    }

    /// A switch that docker has and that means nothing here: understood, not shown.
    package static func ignored(_ name: FlagName, _ meaning: String, on: Bool = false) -> FlagDescription {
        FlagDescription(
            name, short: nil, alternate: nil, kind: .toggle(default: on), valueName: "", meaning: meaning,
            defaultText: nil, hidden: true)
    }

    /// The same for a flag with a value.
    package static func ignoredValue(_ name: FlagName, _ valueName: String, _ meaning: String)
        -> FlagDescription
    {
        FlagDescription(
            name, short: nil, alternate: nil, kind: .value(.text), valueName: valueName, meaning: meaning,
            defaultText: nil, hidden: true)
    }

    package static func value(
        _ name: FlagName, short: Unicode.Scalar? = nil, _ valueName: String, _ meaning: String,
        check: Check = .text, or alternate: String? = nil, default defaultText: String? = nil
    ) -> FlagDescription {
        FlagDescription(
            name, short: short, alternate: alternate, kind: .value(check), valueName: valueName,
            meaning: meaning, defaultText: defaultText, hidden: false)
    }

    package static func list(
        _ name: FlagName, short: Unicode.Scalar? = nil, _ valueName: String, _ meaning: String,
        check: Check = .text, or alternate: String? = nil
    ) -> FlagDescription {
        FlagDescription(
            name, short: short, alternate: alternate, kind: .list(check), valueName: valueName,
            meaning: meaning,
            defaultText: nil, hidden: false)
    }
}

extension FlagDescription {
    package var isToggle: Bool {
        if case .toggle = kind { true } else { false }
    }

    /// `-m, --memory`: how messages about a bad value name the flag.
    package var spelling: String {
        if let short { "-\(short), --\(name.rawValue)" } else { "--\(name.rawValue)" }
    }

    /// The words that the value must be one of, for help and completion.
    package var choices: [String] {
        switch kind {
        case .value(.oneOf(let words)), .list(.oneOf(let words)): words
        case .toggle, .value, .list: []
        }
    }
}
