package import Failure

/// A file of `NAME=VALUE` lines by docker's rules: `#` begins a comment line, blanks before a name are dropped, nothing is
/// unquoted, a name alone is taken from the caller's environment.
package enum EnvFile {
    /// - Parameter path: names the file in failures.
    package static func parse(_ bytes: [UInt8], path: String) throws(Failure) -> [EnvironmentSetting] {
        var settings: [EnvironmentSetting] = []
        var body = bytes[...]
        if body.starts(with: [0xef, 0xbb, 0xbf]) { body = body.dropFirst(3) }
        var number = 0
        for var line in body.split(separator: 0x0a, omittingEmptySubsequences: false) {
            number += 1
            if line.last == 0x0d { line = line.dropLast() }
            line = line.drop(while: isBlank)
            guard let first = line.first, first != UInt8(ascii: "#") else { continue }
            func refuse(_ why: String) -> Failure {
                Failure(.invalidArgument, "\(path): line \(number): \(why)")
            }
            guard !line.contains(0), let text = String(validating: line, as: UTF8.self) else {
                throw refuse("not UTF-8 text")
            }
            let name = line.prefix { $0 != UInt8(ascii: "=") }
            guard !name.isEmpty else { throw refuse("no variable name before the =") }
            guard !name.contains(where: isBlank) else {
                throw refuse("a blank in the variable name \"\(String(decoding: name, as: UTF8.self))\"")
            }
            do {
                settings.append(try EnvironmentSetting.parse(text))
            } catch {
                throw refuse(error.message)
            }
        }
        return settings
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }
}
