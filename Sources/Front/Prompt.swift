package import Failure
internal import LinuxSystem

/// Questions to a person, on stderr, so that data on stdout stays clean.
package enum Prompt {
    /// nil at the end of the input.
    package static func line(_ question: String) -> String? {
        Console.error(question)
        return readLine()
    }

    /// As `line`, without the typed characters on the screen.
    package static func secret(_ question: String) -> String? {
        guard Terminal.isTerminal(0), let saved = try? Terminal.hideInput(0) else { return line(question) }
        defer {
            Terminal.restore(0, saved)
            Console.error("\n")
        }
        return line(question)
    }

    /// Without its last line's end.
    package static func allOfStdin() throws(Failure) -> String {
        let input = try during("read the password from stdin") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(0) { (own) throws(SystemError) in try own.readAll(limit: 64 << 10)
            }
        }
        var text = String(decoding: input, as: UTF8.self)
        while text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
        return text
    }
}

package enum Confirmation {
    package static func ask(_ warning: String) -> Bool {
        guard let answer = Prompt.line("\(warning)\nAre you sure you want to continue? [y/N] ") else {
            return false
        }
        return answer == "y" || answer == "Y" || answer.lowercased() == "yes"
    }
}
