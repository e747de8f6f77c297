import BuildContext
import Failure
import Testing

@Suite struct ModeChangeTests {
    @Test(arguments: [
        ("755", 0o644, false, 0o755), ("0755", 0o644, false, 0o755), ("4755", 0, false, 0o4755),
        ("0", 0o7777, false, 0), ("7777", 0, true, 0o7777), ("000644", 0o777, false, 0o644),
        ("u=rwX,go=rX", 0o600, false, 0o644), ("u=rwX,go=rX", 0o700, false, 0o755),
        ("u=rwX,go=rX", 0o600, true, 0o755), ("a+x", 0o644, false, 0o755), ("+x", 0o644, false, 0o755),
        ("g-w,o=", 0o666, false, 0o640), ("u+s", 0o755, false, 0o4755), ("g+s", 0o755, true, 0o2755),
        ("+s", 0o755, false, 0o6755), ("o+s", 0o755, false, 0o755), ("u-s", 0o6755, false, 0o2755),
        ("+t", 0o777, true, 0o1777), ("o+t", 0o777, true, 0o777), ("-t", 0o1777, true, 0o777),
        ("a=rwx", 0o1000, false, 0o1777), ("g=u", 0o740, false, 0o770), ("o=g-w", 0o760, false, 0o764),
        ("u=", 0o4755, false, 0o055), ("a=", 0o6777, false, 0), ("u+rw-x", 0o100, false, 0o600),
        ("ug+w,o-r", 0o444, false, 0o660), ("a+X", 0o644, false, 0o644), ("a+X", 0o744, false, 0o755),
        ("a-x,a+X", 0o755, false, 0o755), ("uo=rw", 0o070, false, 0o676), ("go-rwx", 0o777, true, 0o700),
    ])
    func applies(_ text: String, _ mode: Int, _ isDirectory: Bool, _ expected: Int) throws {
        let result = try ModeChange(text).applied(to: UInt32(mode), isDirectory: isDirectory)
        #expect(result == UInt32(expected), "\(text): \(String(result, radix: 8))")
    }

    @Test(arguments: [
        "8", "0778", "10000", "77777", "12x", "", "u", "rwx", "u=q", "z+x", "u+x,", ",", "u~x", "u=gu",
    ])
    func refuses(_ text: String) {
        let failure = #expect(throws: Failure.self) { try ModeChange(text) }
        #expect(failure?.message.hasPrefix("invalid chmod parameter: '\(text)'") == true)
        #expect(failure?.code == .invalidArgument)
    }
}
