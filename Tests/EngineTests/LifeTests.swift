import Failure
import LaunchPlan
import LinuxSystem
import OCI
import Testing

@testable import Engine

@Suite struct LifeTests {
    @Test func secretsByTheFlagsWords() throws {
        let plain = try StoredSecret(flag: "db")
        #expect(plain.target == "/run/secrets/db" && plain.mode == 0o444 && !plain.isVariable)
        let whole = try StoredSecret(flag: "db,target=/etc/db.conf,uid=5,gid=6,mode=0400")
        #expect(try StoredSecret(line: whole.line) == whole)
        #expect(whole.uid == 5 && whole.gid == 6 && whole.mode == 0o400 && whole.target == "/etc/db.conf")
        let variable = try StoredSecret(flag: "db,type=env,target=DB_PASSWORD")
        #expect(variable.isVariable && variable.target == "DB_PASSWORD")
        for bad in [
            "", "db,type=file", "db,mode=9", "db,uid=x", "db,what=1", "../db", "db,type=env,target=A=B",
        ] {
            #expect(failure { _ = try StoredSecret(flag: bad) }?.code == .invalidArgument, "\(bad)")
        }
    }

    @Test(.enabled(if: Process.isRoot, "not run: needs root")) func secretsAreKeptAndReplaced() throws {
        let root = try ScratchRoot()
        let store = root.engine.secretStore
        let first = try store.create("db", Array("one".utf8), labels: ["a=b"], replacing: false)
        #expect(
            failure { _ = try store.create("db", [1], labels: [], replacing: false) }?.code == .alreadyExists)
        #expect(try store.value(of: "db") == Array("one".utf8))
        let status = try FileDescriptor.status("\(root.path)/secrets/db")
        #expect(status.permissions == 0o600)
        #expect(SecretStore.value(ofDigits: SecretStore.digits(of: [0, 255, 16])) == [0, 255, 16])
        #expect(SecretStore.value(ofDigits: "0g") == nil && SecretStore.value(ofDigits: "000") == nil)
        let second = try store.create("db", Array("two".utf8), labels: [], replacing: true)
        #expect(second.created == first.created && second.id != first.id)
        #expect(try store.value(of: "db") == Array("two".utf8))
        #expect(try store.resolve(String(second.id.prefix(8))).name == "db")
        #expect(
            failure {
                _ = try store.create("big", Array(repeating: 1, count: 512_001), labels: [], replacing: false)
            }
                != nil)
        try store.remove(second)
        #expect(try store.all().isEmpty)
        #expect(failure { _ = try store.value(of: "db") }?.code == .notFound)
    }

    @Test func logOptionsHaveDefaultsAndRefuseWhatTheyDoNotKnow() throws {
        let plain = try LogOptions(driver: "json-file", [])
        #expect(plain.maximumSize == 10 << 20 && plain.maximumFiles == 5)
        #expect(try LogOptions(driver: "json-file", ["max-size=-1"]).maximumSize == 0)
        for (driver, bad) in [
            ("json-file", "max-file=0"), ("json-file", "compress=true"), ("k8s-file", "labels=a"),
            ("journald", "max-size=1m"), ("none", "max-size=1m"), ("json-file", "mode=non-blocking"),
        ] {
            #expect(failure { _ = try LogOptions(driver: driver, [bad]) }?.code == .invalidArgument, "\(bad)")
        }
    }

    @Test func theCheckOfTheFlagsStandsOverTheImages() throws {
        var image = ImageConfig.Healthcheck(test: ["CMD", "true"])
        image.interval = 7
        image.retries = 2
        var flags = HealthSettings()
        flags.interval = 9
        let merged = flags.merged(with: image, shell: ["/bin/bash", "-c"])
        #expect(merged.command == ["true"] && merged.interval == 9 && merged.retries == 2)
        flags.test = ["CMD-SHELL", "exit 1"]
        #expect(
            flags.merged(with: image, shell: ["/bin/bash", "-c"]).command == ["/bin/bash", "-c", "exit 1"])
        #expect(flags.merged(with: nil, shell: nil).command == ["/bin/sh", "-c", "exit 1"])
        flags = HealthSettings()
        flags.test = ["NONE"]
        #expect(!flags.merged(with: image, shell: nil).isActive)
        let check = HealthSettings().check(plan: [])
        #expect(check.interval == 30_000_000_000 && check.timeout == 30_000_000_000 && check.retries == 3)
        #expect(check.startInterval == 5_000_000_000 && check.startPeriod == 0)
    }

    @Test func theUnitOfAnotherRootHasAnotherName() throws {
        let plain = try BootUnit(root: nil, runRoot: nil, isUsers: false)
        let other = try BootUnit(root: "/srv/a b%c", runRoot: "/run/x", isUsers: false)
        #expect(plain.name == "ctr-boot.service" && other.name != plain.name)
        #expect(plain.path == "/etc/systemd/system/ctr-boot.service")
        #expect(other.text.contains(#""--root" "/srv/a b%%c" "--run-root" "/run/x" "system" "boot""#))
        #expect(plain.text.contains("Type=oneshot"))
    }
}
