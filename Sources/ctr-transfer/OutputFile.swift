import Failure
import LinuxSystem

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
