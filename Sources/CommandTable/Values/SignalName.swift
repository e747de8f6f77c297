package import Failure

/// Signals by name or number, with Linux's numbers as x86_64 and aarch64 both have them.
package enum SignalName {
    private static let numbers: [(name: StaticString, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("BUS", 7), ("FPE", 8),
        ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
        ("STKFLT", 16), ("CHLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22),
        ("URG", 23), ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29),
        ("PWR", 30), ("SYS", 31), ("IOT", 6), ("CLD", 17), ("POLL", 29),
    ]

    /// glibc keeps 32 and 33 for itself.
    private static let realTime: ClosedRange<Int32> = 34...64

    /// `TERM`, `SIGTERM`, `15`, `RTMIN+3`, `RTMAX-1`, in any case.
    package static func parse(_ text: String) throws(Failure) -> Int32 {
        if let number = Digits.unsigned(text.utf8) {
            guard (1...64).contains(number) else {
                throw Failure(.invalidArgument, "no signal has the number \(text)")
            }
            return Int32(number)
        }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name.removeFirst(3) }
        if let known = numbers.first(where: { $0.name.description == name }) { return known.number }
        if name.hasPrefix("RTMIN"), let offset = offset(name.dropFirst(5), sign: "+") {
            return realTime.lowerBound + offset
        }
        if name.hasPrefix("RTMAX"), let offset = offset(name.dropFirst(5), sign: "-") {
            return realTime.upperBound - offset
        }
        throw Failure(.invalidArgument, "no signal is named \(text)")
    }

    /// `TERM` for 15; the number itself where there is no name.
    package static func name(of signal: Int32) -> String {
        if let known = numbers.first(where: { $0.number == signal }) { return known.name.description }
        guard realTime.contains(signal) else { return String(signal) }
        return signal == realTime.lowerBound ? "RTMIN" : "RTMIN+\(signal - realTime.lowerBound)"
    }

    private static func offset(_ text: Substring, sign: Character) -> Int32? {
        if text.isEmpty { return 0 }
        guard text.first == sign, let value = Digits.unsigned(text.dropFirst().utf8), value <= 30 else {
            return nil
        }
        return Int32(value)
    }
}
