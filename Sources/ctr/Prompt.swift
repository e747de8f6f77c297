import Failure
import LinuxSystem

/// Questions to a person, on stderr, so that data on stdout stays clean.
enum Prompt {
    /// nil at the end of the input.
    static func line(_ question: String) -> String? {
        Console.error(question)
        return readLine()
    }

    /// As `line`, without the typed characters on the screen.
    static func secret(_ question: String) -> String? {
        guard Terminal.isTerminal(0), let saved = try? Terminal.hideInput(0) else { return line(question) }
        defer {
            Terminal.restore(0, saved)
            Console.error("\n")
        }
        return line(question)
    }

    /// Without its last line's end.
    static func allOfStdin() throws(Failure) -> String {
        let input = try during("read the password from stdin") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(0) { (own) throws(SystemError) in try own.readAll(limit: 64 << 10) }
        }
        var text = String(decoding: input, as: UTF8.self)
        while text.hasSuffix("\n") || text.hasSuffix("\r\n") { text.removeLast() }
        return text
    }
}

enum Confirmation {
    static func ask(_ warning: String) -> Bool {
        guard let answer = Prompt.line("\(warning)\nAre you sure you want to continue? [y/N] ") else { return false }
        return answer == "y" || answer == "Y" || answer.lowercased() == "yes"
    }
}

/// Where `-o FILE` or stdout goes. A file that was begun and failed is not left behind.
enum OutputFile {
    static func write(to path: String?, _ body: (Int32) throws(Failure) -> Void) throws(Failure) {
        guard let path else {
            if Terminal.isTerminal(1) {
                throw Failure(
                    .invalidArgument, "refusing to write an archive to a terminal",
                    hint: "use the -o flag or redirect stdout")
            }
            return try body(1)
        }
        let temporary = "\(path).\(randomHex(bytes: 4)).part"
        let file = try during("write \(path)") { () throws(SystemError) in
            try FileDescriptor.open(temporary, [.writeOnly, .create, .exclusive], mode: 0o644)
        }
        do throws(Failure) {
            try body(file.raw)
            try during("write \(path)") { () throws(SystemError) in
                try file.synchronize()
                try Directory.rename(temporary, to: path)
            }
        } catch {
            try? Directory.removeFile(temporary)
            throw error
        }
    }
}
