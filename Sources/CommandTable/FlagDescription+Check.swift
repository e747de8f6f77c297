import Failure

extension FlagDescription.Kind {
    /// Refuses a value that cannot be meant, before anything is done.
    func check(_ text: String) throws(Failure) {
        switch self {
        case .toggle:
            guard Toggle.parse(text) != nil else {
                throw Failure(.invalidArgument, "neither true nor false")
            }
        case .value(let check), .list(let check):
            try check.check(text)
        }
    }
}

extension FlagDescription.Check {
    func check(_ text: String) throws(Failure) {
        switch self {
        case .text: break
        case .wholeNumber(let least, let most):
            guard let number = Int64(text) else { throw Failure(.invalidArgument, "not a whole number") }
            guard number >= least else { throw Failure(.invalidArgument, "the least is \(least)") }
            guard number <= most else { throw Failure(.invalidArgument, "the most is \(most)") }
        case .oneOf(let words):
            guard words.contains(text) else {
                throw Failure(.invalidArgument, "must be one of \(words.joined(separator: ", "))")
            }
        case .byteSize: _ = try ByteSize.parse(text)
        case .byteSizeOrUnlimited: _ = try ByteSize.parse(text, allowingUnlimited: true)
        case .cpuCount: _ = try CPUCount.nanoCPUs(text)
        case .signal: _ = try SignalName.parse(text)
        case .ulimit: _ = try Ulimit.parse(text)
        case .restartPolicy: _ = try RestartPolicy.parse(text)
        case .device: _ = try CDIDeviceName.ofDeviceFlag(text)
        case .gpus: _ = try GPURequest.parse(text)
        case .detachKeys: _ = try DetachKeys.parse(text)
        case .label: _ = try KeyValue.label(text)
        case .keyValue: _ = try KeyValue.pair(text)
        case .environment: _ = try EnvironmentSetting.parse(text)
        case .extraHost: _ = try ExtraHost.parse(text)
        case .filter(let keys): _ = try Filter.parse(text, keys: keys)
        case .duration:
            guard try TimeSpan.nanoseconds(text) >= 0 else {
                throw Failure(.invalidArgument, "it cannot be negative")
            }
        case .deviceBytes: _ = try DeviceLimit.bytes(text)
        case .deviceOperations: _ = try DeviceLimit.operations(text)
        case .deviceWeight: _ = try DeviceLimit.weight(text)
        case .tail: _ = try LogTail.parse(text)
        }
    }
}
