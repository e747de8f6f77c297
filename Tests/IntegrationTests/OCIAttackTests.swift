import Foundation
import Testing

/// Root file systems of an enemy below `ctr oci`. The bundle's config.json is trusted, what it runs is not.
@Suite("oci: attacks", .needs(), .needsProbe)
struct OCIAttackTests {
    private func withProbe(_ body: (RuntimeBundle) throws -> Void) throws {
        try withBundle { box in
            // A link: a copy that was just written may be busy.
            try #require(link(Probe.path ?? "", box.rootfs + "/probe") == 0)
            try body(box)
        }
    }

    @Test(arguments: [false, true])
    func cve2019_5736_theRuntimeStaysAsItIs(_ traces: Bool) throws {
        try withProbe { box in
            let before = FileManager.default.contents(atPath: Program.ctr)
            try box.fixture.file("bundle/rootfs/entry", "#!/proc/self/exe\n", mode: 0o755)
            symlink("/proc/self/exe", box.rootfs + "/bin/self")
            for words in [["/entry"], ["/bin/self"], ["/proc/self/exe", "oci", "features"]] {
                box.config["process.args"] = words
                _ = try box.run()
                _ = try box.oci("delete", "--force", box.id)
            }
            if traces {
                for set in ["bounding", "effective", "permitted"] {
                    let field = "process.capabilities.\(set)"
                    box.config[field] = (box.config[field] as? [String] ?? []) + ["CAP_SYS_PTRACE"]
                }
            }
            box.config["process.args"] = ["/probe", "overwrite", "200"]
            try box.write()
            #expect(try box.leaving(["run", "-d", "--bundle", box.bundle, box.id]).code == 0)
            for round in 0..<400 {
                if round >= 30 && (!traces || box.output.contains("seen: ")) { break }
                _ = try box.oci(["exec", box.id] + [["/bin/true"], ["/entry"], ["/bin/self"]][round % 3])
            }
            try box.fixture.file("bundle/rootfs/enough", "")
            try box.fixture.eventually("it has ended", within: 20) {
                box.output.contains("opened for writing")
            }
            #expect(box.output.contains(" seen, 0 opened for writing"), "\(box.output)")
            if traces { #expect(box.output.contains("seen: "), "\(box.output)") }
            #expect(FileManager.default.contents(atPath: Program.ctr) == before)
        }
    }

    @Test func cve2024_21626_workingDirectories() throws {
        try withBundle { box in
            let secret = "secret-\(UInt64.random(in: 0...UInt64.max))"
            let file = try box.fixture.file("secret", secret)
            let script =
                "cat ../../../../../../..\(file) ../..\(file) 2>/dev/null; ls /proc/self/fd | tr '\\n' ' '"
            for number in 3...20 {
                box.config["process.cwd"] = "/proc/self/fd/\(number)"
                let outcome = try box.run(script)
                #expect(!outcome.stdout.contains(secret), "\(outcome)")
                _ = try box.oci("delete", "--force", box.id)
            }
            box.config["process.cwd"] = "/"
            try box.runSleeping()
            for number in 3...20 {
                for directory in ["/proc/self/fd/\(number)", "/proc/1/fd/\(number)"] {
                    let outcome = try box.oci("exec", "--cwd", directory, box.id, "sh", "-c", script)
                    #expect(!outcome.stdout.contains(secret), "\(outcome)")
                }
            }
            #expect(try box.exec("sh", "-c", "ls /proc/$$/fd; true") == "0\n1\n2")
        }
    }

    @Test(arguments: [
        "4294967296", "4294967295", "-1", "0x0", " 0", "+0", "0:4294967296", "0:-1", "root", "", ":0",
    ])
    func cve2024_40635_cve2026_30892_usersThatAreNoNumbers(_ user: String) throws {
        try withBundle { box in
            try box.runSleeping()
            let outcome = try box.oci("exec", "--user", user, box.id, "id", "-u")
            #expect(outcome.code != 0 && outcome.stdout.isEmpty, "\(outcome)")
            #expect(try box.oci("exec", "--user", "1000:1000", box.id, "id", "-u").text == "1000")
            // The same of a bundle.
            if let number = Int(user), number != 0 {
                try box.delete()
                box.config["process.user.uid"] = number
                let byBundle = try box.run("id -u")
                #expect(byBundle.code != 0 && byBundle.stdout.isEmpty, "\(byBundle)")
            }
        }
    }

    /// `exec --cap` adds to what the process may do, and makes nothing inheritable.
    @Test func cve2022_24769_cve2022_29162_nothingIsInheritable() throws {
        try withBundle { box in
            let script = "sed -n 's/^Cap\\(Inh\\|Amb\\):.//p' /proc/self/status"
            let none = "0000000000000000\n0000000000000000"
            #expect(try box.prints(script) == none)
            try box.delete()
            try box.runSleeping()
            #expect(try box.exec("sh", "-c", script) == none)
            for flags in [["--cap", "CAP_NET_RAW"], ["--cap", "CAP_SYS_ADMIN", "--user", "1000:1000"]] {
                let outcome = try box.oci(["exec"] + flags + [box.id, "sh", "-c", script])
                let inheritable = outcome.lines.first
                #expect(outcome.code == 0 && inheritable == "0000000000000000", "\(outcome)")
            }
        }
    }

    @Test func cve2019_16884_cve2019_19921_cve2023_28642_aFalseProc() throws {
        try withBundle { box in
            let volume = try box.fixture.makeDirectory("volume")
            for name in ["self", "self/attr", "sys"] { _ = try box.fixture.makeDirectory("volume/\(name)") }
            let mounts = box.config["mounts"]
            for destination in ["/proc", "/proc/self/attr", "/proc/sys", "/data/../proc"] {
                box.config["mounts"] = mounts
                box.config.mount(destination, volume, ["rbind"])
                try box.refusesToCreate(says: ["/proc"])
            }
            box.config["mounts"] = mounts
            rmdir(box.rootfs + "/proc")
            for target in ["data", "/data", "../../volume", "sys"] {
                symlink(target, box.rootfs + "/proc")
                box.config["mounts"] = mounts
                box.config.mount("/data", volume, ["rbind"])
                try box.refusesToCreate(says: ["/proc"])
                unlink(box.rootfs + "/proc")
            }
            #expect(Set(try FileTree.describe(volume).keys) == ["/self", "/self/attr", "/sys"])
        }
    }
}
