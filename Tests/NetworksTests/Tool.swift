import Glibc

/// A program of the host's, in the network of the thread that starts it.
final class Tool {
    private let pid: pid_t
    private let output: Int32
    private var isWaitedFor = false

    /// nil where it is not installed.
    init?(_ words: String...) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for one in arguments { free(one) } }
        var made: pid_t = 0
        let answer = posix_spawnp(&made, words[0], &actions, nil, arguments, environ)
        close(ends[1])
        guard answer == 0 else {
            close(ends[0])
            return nil
        }
        (pid, output) = (made, ends[0])
    }

    deinit {
        if !isWaitedFor {
            kill(pid, SIGKILL)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
        }
        close(output)
    }

    /// What it wrote, when it has ended; nil where it failed.
    func finish() -> String? {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        isWaitedFor = true
        return status == 0 ? String(decoding: text, as: UTF8.self) : nil
    }
}
