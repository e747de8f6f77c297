import Foundation
import Testing

/// config-linux.md, "Seccomp".
@Suite("oci: seccomp", .needs())
struct OCISeccompTests {
    private func filter(
        _ box: RuntimeBundle, _ action: String, of names: [String], errno number: Int? = nil,
        more: [String: Any] = [:], rule: [String: Any] = [:]
    ) {
        var own: [String: Any] = ["names": names, "action": action]
        if let number { own["errnoRet"] = number }
        box.config["linux.seccomp"] =
            (["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [own.merging(rule) { $1 }]] as [String: Any])
            .merging(more) { $1 }
    }

    @Test(arguments: [true, false])
    func refusedCalls(noNewPrivileges: Bool) throws {
        try withBundle { box in
            box.config["process.noNewPrivileges"] = noNewPrivileges
            filter(box, "SCMP_ACT_ERRNO", of: ["mkdir", "mkdirat"])
            let plain = try box.run("mkdir /tmp/x")
            #expect(plain.code == 1 && plain.stderr.contains("not permitted"), "\(plain)")
            filter(box, "SCMP_ACT_ERRNO", of: ["mkdir", "mkdirat"], errno: 28)
            #expect(try box.run("mkdir /tmp/x").stderr.contains("No space left"))
            #expect(try box.prints("sed -n 's/^Seccomp:.//p' /proc/self/status") == "2")
        }
    }

    @Test func defaultErrno() throws {
        try withBundle { (box) throws in
            // Everything is allowed but mkdir.
            box.config["linux.seccomp"] =
                [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [
                        ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 17]
                            as [String: Any]
                    ],
                ] as [String: Any]
            #expect(try box.run("mkdir /tmp/x").stderr.contains("File exists"))
            // config-linux.md: an error, where the action answers none.
            box.config["linux.seccomp.defaultErrnoRet"] = 38
            try box.refusesToCreate(says: ["defaultErrnoRet", "SCMP_ACT_ALLOW"])
        }
    }

    @Test(arguments: ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD"])
    func killed(action: String) throws {
        try withBundle { (box) throws in
            filter(box, action, of: ["mkdir", "mkdirat"])
            // SIGSYS
            #expect(try box.run("mkdir /tmp/x; echo code $?").stdout == "code 159\n")
        }
    }

    @Test func trapAndLogAndTrace() throws {
        try withBundle { (box) throws in
            filter(box, "SCMP_ACT_TRAP", of: ["mkdir", "mkdirat"])
            #expect(try box.run("mkdir /tmp/x; echo code $?").stdout == "code 159\n")
            filter(
                box, "SCMP_ACT_LOG", of: ["mkdir", "mkdirat"], more: ["flags": ["SECCOMP_FILTER_FLAG_LOG"]])
            #expect(try box.prints("mkdir /tmp/x && echo made; rmdir /tmp/x") == "made")
            // Without a tracer: ENOSYS.
            filter(box, "SCMP_ACT_TRACE", of: ["mkdir", "mkdirat"])
            #expect(try box.run("mkdir /tmp/x").stderr.contains("Function not implemented"))
        }
    }

    @Test func arguments() throws {
        try withBundle { box in
            // personality(2) of this one value alone.
            filter(
                box, "SCMP_ACT_ERRNO", of: ["fchmodat", "chmod"], errno: 5,
                rule: ["args": [["index": 1, "value": 0o700, "op": "SCMP_CMP_EQ"] as [String: Any]]])
            box.config["linux.seccomp.syscalls"] = [
                [
                    "names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5,
                    "args": [["index": 1, "value": 0o700, "op": "SCMP_CMP_EQ"] as [String: Any]],
                ] as [String: Any],
                [
                    "names": ["fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5,
                    "args": [["index": 2, "value": 0o700, "op": "SCMP_CMP_EQ"] as [String: Any]],
                ] as [String: Any],
            ]
            let outcome = try box.run("touch /tmp/f; chmod 600 /tmp/f && echo fine; chmod 700 /tmp/f")
            #expect(outcome.stdout == "fine\n" && outcome.stderr.contains("nput/output error"), "\(outcome)")
        }
    }

    @Test func itHoldsForExecToo() throws {
        try withBundle { box in
            filter(box, "SCMP_ACT_ERRNO", of: ["mkdir", "mkdirat"])
            try box.runSleeping()
            let outcome = try box.oci("exec", box.id, "mkdir", "/tmp/x")
            #expect(outcome.code == 1 && outcome.stderr.contains("not permitted"), "\(outcome)")
        }
    }

    @Test func badFilters() throws {
        try withBundle { box in
            filter(box, "SCMP_ACT_NOSUCH", of: ["mkdir"])
            try box.refusesToCreate(says: ["seccomp"])
            filter(box, "SCMP_ACT_ERRNO", of: [])
            try box.refusesToCreate(says: ["seccomp"])
            filter(box, "SCMP_ACT_NOTIFY", of: ["mkdir"])
            try box.refusesToCreate(says: ["listenerPath"])
            filter(box, "SCMP_ACT_ERRNO", of: ["mkdir"], more: ["architectures": ["SCMP_ARCH_NOSUCH"]])
            try box.refusesToCreate(says: ["seccomp"])
            filter(box, "SCMP_ACT_ERRNO", of: ["mkdir"], more: ["flags": ["SECCOMP_FILTER_FLAG_NOSUCH"]])
            try box.refusesToCreate(says: ["seccomp"])
            // A call that this kernel or libseccomp does not know is passed over.
            filter(box, "SCMP_ACT_ERRNO", of: ["a_call_of_the_future"])
            #expect(try box.prints("echo ok") == "ok")
        }
    }

    // MARK: Listeners

    /// Answers one notification with an error (seccomp_unotify(2)).
    private func answer(_ listener: Int32, error: Int32) throws -> Int32 {
        let SECCOMP_IOCTL_NOTIF_RECV: UInt = 0xc050_2100
        let SECCOMP_IOCTL_NOTIF_SEND: UInt = 0xc018_2101
        var ready = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        guard poll(&ready, 1, 10_000) > 0 else { throw TestFailure("no notification") }
        // id, pid, flags, then the call.
        var notification = [UInt64](repeating: 0, count: 10)
        guard ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) == 0 else {
            throw TestFailure("SECCOMP_IOCTL_NOTIF_RECV: errno \(errno)")
        }
        // id, val, error and flags.
        var response: [UInt64] = [notification[0], 0, UInt64(UInt32(bitPattern: -error))]
        guard ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 else {
            throw TestFailure("SECCOMP_IOCTL_NOTIF_SEND: errno \(errno)")
        }
        return Int32(notification[2] & 0xffff_ffff)
    }

    @Test(arguments: [true, false])
    func notifications(noNewPrivileges: Bool) throws {
        try withBundle { box in
            let agent = try DescriptorReceiver(in: box.fixture.directory, "agent.sock")
            box.config["process.noNewPrivileges"] = noNewPrivileges
            box.config["annotations"] = ["a": "b"]
            filter(
                box, "SCMP_ACT_NOTIFY", of: ["mkdir", "mkdirat"],
                more: ["listenerPath": agent.path, "listenerMetadata": "what the agent knows"])
            box.config["process.args"] = ["sh", "-c", "mkdir /tmp/x; echo code $?"]
            try box.create()
            let pid = try box.pid()
            let (bytes, descriptors) = try agent.receive()
            defer { for descriptor in descriptors { close(descriptor) } }
            let message = try JSONObject(String(decoding: bytes, as: UTF8.self))
            #expect(descriptors.count == 1)
            #expect(message.texts("fds") == ["seccompFd"], "\(message.value)")
            #expect(message.text("ociVersion").hasPrefix("1.") && message.number("pid") == Int(pid))
            #expect(message.text("metadata") == "what the agent knows")
            #expect(message.text("state.id") == box.id && message.text("state.bundle") == box.bundle)
            #expect(message.text("state.status") == "creating", "\(message.value)")
            #expect(message.number("state.pid") == Int(pid))
            try box.start()
            _ = try answer(try #require(descriptors.first), error: ENOSPC)
            try box.fixture.eventually("it was told") { box.output.contains("code 1") }
            #expect(box.errors.contains("No space left"), "\(box.errors)")

            // exec's filter has a listener of its own.
            let exec = try ChildProcess(
                box.words(["exec", box.id, "true"]), environment: box.fixture.environment)
            _ = exec.finish(timeout: 5)
        }
    }

    @Test func aListenerOfExec() throws {
        try withBundle { box in
            let agent = try DescriptorReceiver(in: box.fixture.directory, "agent.sock")
            filter(box, "SCMP_ACT_NOTIFY", of: ["mkdir", "mkdirat"], more: ["listenerPath": agent.path])
            try box.runSleeping()
            for descriptor in try agent.receive().descriptors { close(descriptor) }
            let exec = try ChildProcess(
                box.words(["exec", box.id, "sh", "-c", "mkdir /tmp/x; echo code $?"]),
                environment: box.fixture.environment)
            let (bytes, descriptors) = try agent.receive()
            defer { for descriptor in descriptors { close(descriptor) } }
            let message = try JSONObject(String(decoding: bytes, as: UTF8.self))
            #expect(message.text("state.status") == "running" && message.text("state.id") == box.id)
            // The pid is that of the new process, the state's that of the container.
            #expect(try message.number("state.pid") == Int(box.pid()))
            #expect(message.number("pid") != message.number("state.pid") && message.number("pid") > 0)
            _ = try answer(try #require(descriptors.first), error: EIO)
            let outcome = exec.finish(timeout: 10)
            #expect(
                outcome.stdout == "code 1\n" && outcome.stderr.contains("nput/output error"), "\(outcome)")
        }
    }

    @Test func anAgentThatIsNotThere() throws {
        try withBundle { box in
            filter(
                box, "SCMP_ACT_NOTIFY", of: ["mkdir"],
                more: ["listenerPath": box.fixture.path("nobody.sock")])
            try box.refusesToCreate(says: ["nobody.sock"])
        }
    }
}
