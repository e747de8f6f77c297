import Foundation
import Testing

/// An ordinary user's own ctr; the holder of its namespace ends with the test.
struct OrdinaryUser {
    static let uid: uid_t = 54321

    let fixture: Fixture
    let program: String
    let home: String
    let run: String
    /// A directory with a passwd, subuid and subgid that this user's programs see in the place of the host's.
    let accounts: String?

    func ctr(
        _ arguments: [String], input: String? = nil, environment extra: [String: String] = [:]
    ) throws -> Outcome {
        var environment = fixture.environment.filter { !$0.key.hasPrefix("CTR_") }.merging(extra) { $1 }
        environment["HOME"] = home
        environment["XDG_RUNTIME_DIR"] = run
        environment["XDG_DATA_HOME"] = nil
        var words = [
            "/usr/bin/setpriv", "--reuid", String(Self.uid), "--regid", String(Self.uid), "--clear-groups",
            program,
        ]
        var script = """
            # Of a build machine the device is root's alone; elsewhere it is everybody's.
            if [ -e /dev/net/tun ]; then
                mount -t tmpfs none /mnt && mknod -m 666 /mnt/tun c 10 200 && mount --bind /mnt/tun /dev/net/tun || exit 99
            fi

            """
        if let accounts {
            script += """
                # Laid over, for the host may lack some of them.
                mount -t overlay -o lowerdir=\(accounts):/etc overlay /etc || exit 99

                """
        }
        // Not exec: the shell keeps the mounts that the program's own path is found by.
        words = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script + "\"$@\"", "sh"] + words
        return try ChildProcess(
            words + arguments, input: input.map { Array($0.utf8) }, environment: environment
        )
        .finish(timeout: 30)
    }

    func ok(_ arguments: String...) throws -> String { try ok(arguments) }

    func ok(_ arguments: [String]) throws -> String {
        let outcome = try ctr(arguments)
        #expect(outcome.code == 0, "\(arguments): \(outcome)")
        return outcome.stdout.trimmingCharacters(in: .newlines)
    }

    /// The process that holds the user's namespaces.
    var holder: Int32? {
        let text = (try? String(contentsOfFile: run + "/ctr/namespace", encoding: .utf8)) ?? ""
        let words = text.split { $0 == " " || $0 == "\n" }
        return words.count == 3 ? Int32(words[1]) : nil
    }
}

/// With an image `busybox:test`, and a name `box` that is removed at the end.
///
/// - Parameter subordinateIDs: 65536 of them from 700000 on; without, the user has one id.
func withOrdinaryUser(
    image: [UInt8] = Busybox.tar, subordinateIDs: Bool = false, _ body: (OrdinaryUser) throws -> Void
) throws {
    try withFixture { ctr in
        chmod(ctr.directory, 0o755)
        let programs = try ctr.makeDirectory("programs")
        // By another process: a descriptor of ours, open for writing at some fork, would make them "busy".
        _ = try ChildProcess(["/bin/cp", Program.ctr, Program.transfer, Program.monitor, programs]).finish()
        let user = OrdinaryUser(
            fixture: ctr, program: programs + "/ctr", home: try ctr.makeDirectory("home"),
            run: try ctr.makeDirectory("run-user"),
            accounts: subordinateIDs ? try makeAccounts(ctr) : nil)
        for path in [user.home, user.run] {
            #expect(chown(path, OrdinaryUser.uid, OrdinaryUser.uid) == 0)
        }
        let archive = try ctr.file("busybox.tar", image)
        defer {
            _ = try? user.ctr(["rm", "-f", "box"])
            if let holder = user.holder { kill(holder, SIGKILL) }
        }
        _ = try user.ok("import", archive, "busybox:test")
        try body(user)
    }
}

private func makeAccounts(_ ctr: Fixture) throws -> String {
    // newuidmap asks for the user's name.
    _ = try ctr.file(
        "accounts/passwd",
        "root:x:0:0::/:/bin/sh\nsomeone:x:\(OrdinaryUser.uid):\(OrdinaryUser.uid)::/:/bin/sh\n")
    for name in ["subuid", "subgid"] { _ = try ctr.file("accounts/\(name)", "someone:700000:65536\n") }
    chmod(ctr.path("accounts"), 0o755)
    return ctr.path("accounts")
}
