import Failure
import LinuxSystem
import Testing

@testable import BuildContext

@Suite(
    "The time of a work tree's newest commit",
    .enabled(if: GitScratch.isInstalled, "not run: there is no git"))
struct GitCommitTimeTests {
    @Test func looseObjects() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        #expect(try scratch.newest() == 1_600_000_000)
        scratch.time = 1_700_000_001
        try scratch.commit("deep/below/file", "second")
        #expect(try scratch.newest() == 1_700_000_001)
        #expect(try scratch.newest("repo/deep/below") == 1_700_000_001)
    }

    @Test func nothingThere() throws {
        let scratch = try GitScratch()
        #expect(try scratch.newest("") == nil)
        try scratch.write("repo/.git/file", "no repository")
        #expect(try scratch.newest() == nil)
        try scratch.git("init", "--quiet")
        #expect(try scratch.newest() == nil, "no commit yet")
        #expect(throws: Failure.self) { try scratch.newest("missing") }
    }

    @Test func packedObjectsAndRefs() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        for number in 1...40 {
            scratch.time += 60
            try scratch.git("commit", "--quiet", "--allow-empty", "-m", "number \(number)")
            try scratch.git("branch", "branch-\(number)")
        }
        try scratch.git("tag", "-a", "-m", "annotated", "tag")
        try scratch.git("gc", "--quiet")
        #expect(try scratch.names("repo/.git/refs/heads").isEmpty)
        #expect(try scratch.newest() == 1_600_002_400)
        for number in [1, 7, 39, 40] {
            try scratch.git("checkout", "--quiet", "branch-\(number)")
            #expect(try scratch.newest() == Int64(1_600_000_000 + 60 * number))
        }
        // An unsorted list, as an old git writes it.
        try scratch.damage("repo/.git/packed-refs") { bytes in
            bytes = Array(bytes.drop { $0 != UInt8(ascii: "\n") }.dropFirst())
        }
        #expect(try scratch.newest() == 1_600_002_400)
    }

    /// Deltas of commits: long messages that are alike. Offsets, then names of bases.
    @Test(arguments: [true, false]) func deltas(byOffset: Bool) throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let long = (0..<400).map { "line \($0 &* 7919)" }.joined(separator: "\n")
        for number in 0..<20 {
            scratch.time += 10
            try scratch.git("commit", "--quiet", "--allow-empty", "-m", "\(long)\n\(number)")
        }
        try scratch.git(
            "-c", "repack.useDeltaBaseOffset=\(byOffset)", "repack", "-a", "-d", "-f", "-q", "--depth=50",
            "--window=50")
        let pack = try #require(try scratch.names("repo/.git/objects/pack").first { $0.hasSuffix(".idx") })
        let listing = try scratch.git("verify-pack", "-v", ".git/objects/pack/\(pack)")
        // A delta's line names its depth and its base behind the offset.
        let deltas = listing.split(separator: "\n").filter {
            $0.contains(" commit ") && $0.split(separator: " ").count == 7
        }
        #expect(deltas.count > 3)
        for line in deltas {
            let name = String(line.prefix(40))
            try scratch.git("checkout", "--quiet", "--detach", name)
            let wanted = try scratch.git("show", "--no-patch", "--format=%ct", name)
            #expect(try scratch.newest() == Int64(wanted))
        }
    }

    @Test func largeOffsets() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        scratch.time = 1_650_000_000
        try scratch.commit("file", "second")
        let name = try scratch.git("rev-parse", "HEAD")
        try scratch.git("repack", "-a", "-d", "-q")
        let pack = try #require(try scratch.names("repo/.git/objects/pack").first { $0.hasSuffix(".pack") })
        try scratch.git(
            "index-pack", "--index-version=2,0x1", "-o", "../large.idx", ".git/objects/pack/\(pack)")
        let index = String(pack.dropLast(4)) + "idx"
        try Directory.removeFile("\(scratch.path)/repo/.git/objects/pack/\(index)")
        try Directory.rename(
            "\(scratch.path)/large.idx", to: "\(scratch.path)/repo/.git/objects/pack/\(index)")
        #expect(try scratch.git("rev-parse", "HEAD") == name)
        #expect(try scratch.newest() == 1_650_000_000)
    }

    @Test func detachedHead() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let first = try scratch.git("rev-parse", "HEAD")
        scratch.time = 1_700_000_000
        try scratch.commit("file", "second")
        try scratch.git("checkout", "--quiet", "--detach", first)
        #expect(try scratch.newest() == 1_600_000_000)
    }

    @Test func linkedWorkTreeAndSubmodule() throws {
        let scratch = try GitScratch()
        try scratch.repository("inner")
        scratch.time = 1_650_000_000
        try scratch.repository("repo")
        try scratch.git("submodule", "--quiet", "add", "\(scratch.path)/inner", "part")
        try scratch.git("commit", "--quiet", "-m", "submodule")
        #expect(try scratch.newest("repo/part") == 1_600_000_000)
        #expect(try scratch.newest("repo") == 1_650_000_000)

        try scratch.git("worktree", "add", "--quiet", "-b", "other", "../linked")
        scratch.time = 1_690_000_000
        try scratch.commit("file", "in the linked one", in: "linked")
        #expect(try scratch.newest("linked") == 1_690_000_000)
        try scratch.git("gc", "--quiet")
        #expect(try scratch.newest("linked") == 1_690_000_000)
        #expect(try scratch.newest("repo") == 1_650_000_000)
    }

    @Test func borrowedObjectsAndTheOtherHash() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        try scratch.git("clone", "--quiet", "--shared", "repo", "shared", in: "")
        #expect(try scratch.names("shared/.git/objects").filter { $0.count == 2 }.isEmpty)
        #expect(try scratch.newest("shared") == 1_600_000_000)
        // In a circle.
        try scratch.write("repo/.git/objects/info/alternates", "\(scratch.path)/shared/.git/objects\n")
        #expect(try scratch.newest("shared") == 1_600_000_000)

        try scratch.repository("long", format: "sha256")
        #expect(try scratch.newest("long") == 1_600_000_000)
        try scratch.git("gc", "--quiet", in: "long")
        #expect(try scratch.newest("long") == 1_600_000_000)
    }

    @Test func damageIsAnError() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let head = try scratch.git("rev-parse", "HEAD")
        let loose = "repo/.git/objects/\(head.prefix(2))/\(head.dropFirst(2))"
        let sound = try scratch.read(loose)
        func expectDamage(_ comment: Comment) {
            let failure = #expect(throws: Failure.self, comment) { try scratch.newest() }
            #expect(failure?.code == .dataLoss, comment)
        }
        try scratch.damage(loose) { $0 = Array($0.prefix(20)) }
        expectDamage("cut")
        try scratch.damage(loose) { $0 = [UInt8](repeating: 0xee, count: 100) }
        expectDamage("rubbish")
        try scratch.damage(loose) { $0 = sound }
        #expect(try scratch.newest() == 1_600_000_000)
        try Directory.removeFile("\(scratch.path)/\(loose)")
        expectDamage("missing")
        try scratch.write("repo/.git/refs/heads/main", "not a hash\n")
        expectDamage("no hash")
        try scratch.write("repo/.git/HEAD", "ref: refs/heads/../../../../etc/passwd\n")
        expectDamage("a way out")
        try scratch.write("repo/.git/HEAD", "ref: refs/heads/a\n")
        try scratch.write("repo/.git/refs/heads/a", "ref: refs/heads/b\n")
        try scratch.write("repo/.git/refs/heads/b", "ref: refs/heads/a\n")
        expectDamage("a circle")
        // Nobody waits for a FIFO.
        try Directory.removeFile("\(scratch.path)/repo/.git/refs/heads/a")
        let heads = try Directory.open("\(scratch.path)/repo/.git/refs/heads")
        try Launching.makeFIFO(
            "a", in: heads.raw, mode: 0o600, uid: Process.effectiveUID, gid: Process.effectiveGID)
        #expect(try scratch.newest() == nil)
    }

    /// Every byte of a small pack and of its index, changed: an answer, nil or an error, never a trap or a hang.
    @Test func damagedPacks() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let long = (0..<100).map { "line \($0 &* 7919)" }.joined(separator: "\n")
        for number in 0..<3 {
            try scratch.git("commit", "--quiet", "--allow-empty", "-m", "\(long)\n\(number)")
        }
        try scratch.git("checkout", "--quiet", "--detach", "HEAD^")
        try scratch.git("repack", "-a", "-d", "-f", "-q")
        try scratch.git("prune-packed")
        let folder = "repo/.git/objects/pack"
        for name in try scratch.names(folder) where name.hasSuffix(".idx") || name.hasSuffix(".pack") {
            let sound = try scratch.read("\(folder)/\(name)")
            for position in sound.indices {
                try scratch.damage("\(folder)/\(name)") { $0[position] ^= position % 3 == 0 ? 0xff : 0x81 }
                _ = try? scratch.newest()
                try scratch.damage("\(folder)/\(name)") { $0 = sound }
            }
            for size in stride(from: 0, to: sound.count, by: 13) {
                try scratch.damage("\(folder)/\(name)") { $0 = Array(sound.prefix(size)) }
                _ = try? scratch.newest()
            }
            try scratch.damage("\(folder)/\(name)") { $0 = sound }
        }
        #expect(try scratch.newest() == 1_600_000_000)
    }

    @Test func itIsQuick() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        for number in 0..<30 { try scratch.commit("file-\(number)", "text \(number)") }
        try scratch.git("gc", "--quiet")
        var best = Int64.max
        for _ in 0..<20 {
            let start = monotonicNanoseconds()
            _ = try scratch.newest()
            best = min(best, monotonicNanoseconds() - start)
        }
        // Less than one in a release build; a busy machine and a debug build are given more.
        #expect(best < 20_000_000, "\(best) ns")
        print("newest commit's time of a packed repository: \(best / 1000) µs")
    }
}
