import BuildContext
import Failure
import LinuxSystem
import Testing

@Suite struct SelectTests {
    private let files = ["a.txt", "b.txt", "c.md", "dir/x", "dir/sub/y", "dir2/z", "empty/"]

    private func paths(_ selection: FileSelection) throws -> [String] {
        try selection.digest().manifest.entries.map(\.path.shown)
    }

    @Test(arguments: [
        (["a.txt"], ["a.txt"]), (["/a.txt"], ["a.txt"]), (["./a.txt"], ["a.txt"]),
        (["dir"], ["dir/sub", "dir/sub/y", "dir/x"]), (["dir/"], ["dir/sub", "dir/sub/y", "dir/x"]),
        (["dir/../a.txt"], ["a.txt"]), (["../../a.txt"], ["a.txt"]), (["*.txt"], ["a.txt", "b.txt"]),
        (["?.*"], ["a.txt", "b.txt", "c.md"]), (["dir*"], ["dir/sub", "dir/sub/y", "dir/x", "dir2/z"]),
        (["dir*/[xz]"], ["dir/x", "dir2/z"]), (["*/sub/*"], ["dir/sub/y"]), (["nothing*"], []),
        (["c.md", "a.txt"], ["c.md", "a.txt"]), (["empty"], ["empty"]),
        (
            ["."],
            [
                "a.txt", "b.txt", "c.md", "dir", "dir/sub", "dir/sub/y", "dir/x", "dir2", "dir2/z", "empty",
            ]
        ),
        (
            ["/"],
            [
                "a.txt", "b.txt", "c.md", "dir", "dir/sub", "dir/sub/y", "dir/x", "dir2", "dir2/z", "empty",
            ]
        ),
    ])
    func selects(_ sources: [String], _ expected: [String]) throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        #expect(try paths(scratch.context().select(sources: sources)) == expected)
    }

    @Test(arguments: [
        (["dir"], ["a.txt", "b.txt", "c.md", "dir2", "dir2/z", "empty"]),
        (["*", "!dir/sub"], ["dir", "dir/sub", "dir/sub/y"]),
        (["*.txt", "!b.txt", "dir*", "empty"], ["b.txt", "c.md"]),
        (["**", "!**/x"], ["dir", "dir/x"]),
    ])
    func ignores(_ patterns: [String], _ expected: [String]) throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        #expect(try paths(scratch.context(ignoring: patterns).select(sources: ["."])) == expected)
    }

    @Test func ignoredSources() throws {
        let scratch = try Scratch()
        try scratch.tree(files + ["link -> dir/x"])
        let tree = try scratch.context(ignoring: ["*.txt", "dir", "!dir/sub"])
        #expect(try paths(tree.select(sources: ["*.txt"])) == [])
        #expect(try tree.select(sources: ["*.txt"]).emptyWildcards == ["*.txt"])
        #expect(try paths(tree.select(sources: ["dir"])) == ["dir/sub", "dir/sub/y"])
        #expect(try paths(tree.select(sources: ["dir/sub"])) == ["dir/sub/y"])
        for source in ["a.txt", "dir/x", "link"] {
            let failure = #expect(throws: Failure.self) { try tree.select(sources: [source]) }
            #expect(failure?.message == "\"/\(source)\": not found")
        }
        let failure = #expect(throws: Failure.self) { try tree.select(sources: ["a.txt"]) }
        #expect(failure?.hint == "the pattern \"*.txt\" of .dockerignore leaves it out")
    }

    @Test(arguments: [
        ("a.tx", "did you mean \"/a.txt\"?"), ("dri2/z", nil), ("dir2/Z", "did you mean \"/dir2/z\"?"),
        ("dir/sup/y", "did you mean \"/dir/sub\"?"), ("whatever", nil), ("a.txt/x", nil),
    ])
    func missing(_ source: String, _ hint: String?) throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        let failure = #expect(throws: Failure.self) { try scratch.context().select(sources: [source]) }
        #expect(failure?.message.contains("\"/\(source)\"") == true, "\(failure?.message ?? "")")
        if hint != nil { #expect(failure?.hint == hint) }
    }

    @Test(arguments: [
        (["*.txt"], ["dir/sub", "dir/sub/y", "dir/x"]), (["x"], ["dir/sub", "dir/sub/y"]),
        (["sub"], ["dir/x"]),
        (["**", "!sub/y"], ["dir/sub", "dir/sub/y"]), (["dir/x"], ["dir/sub", "dir/sub/y", "dir/x"]),
    ])
    func excludes(_ patterns: [String], _ expected: [String]) throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        #expect(try paths(scratch.context().select(sources: ["dir"], excludes: patterns)) == expected)
    }

    @Test func excludesOfWildcards() throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        let tree = try scratch.context()
        #expect(try paths(tree.select(sources: ["?.*"], excludes: ["*.txt"])) == ["c.md"])
        #expect(try paths(tree.select(sources: ["a.txt"], excludes: ["*.txt"])) == ["a.txt"])
    }

    @Test(arguments: [
        ("dir/sub/y", ["dir", "dir/sub", "dir/sub/y"]), ("dir/./sub/y", ["dir/sub", "dir/sub/y"]),
        ("./dir/x", ["dir", "dir/x"]), ("dir/sub", ["dir", "dir/sub", "dir/sub/y"]),
        ("**/*.txt", ["a.txt", "b.txt"]), ("**/y", ["dir", "dir/sub", "dir/sub/y"]),
        ("d*/./?", ["dir/x", "dir2/z"]), ("*/z", ["dir2", "dir2/z"]), ("none*", []),
        ("dir/./", ["dir/sub", "dir/sub/y", "dir/x"]),
    ])
    func parents(_ source: String, _ expected: [String]) throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        let selection = try scratch.context().select(sources: [source], parents: true)
        #expect(try paths(selection) == expected)
    }

    @Test func parentsOfNothing() throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        for source in ["dir/no", "no/./x", "dir/./no"] {
            let failure = #expect(throws: Failure.self) {
                try scratch.context().select(sources: [source], parents: true)
            }
            #expect(failure?.message.hasSuffix("not found") == true)
        }
    }

    @Test func linksOfSources() throws {
        let scratch = try Scratch()
        try scratch.tree(
            files + [
                "toFile -> dir/x", "toDir -> /dir", "loop -> loop", "dir/up -> ../../../a.txt",
                "out -> /canary/file",
                "dangling -> nothing",
            ])
        let tree = try scratch.context()
        try scratch.copy("toFile", to: "/f")
        try scratch.copy("toDir", to: "/d")
        try scratch.copy("dir/up", to: "/u")
        #expect(try scratch.status("root/f").kind == .file)
        #expect(try scratch.text("root/f") == "dir/x")
        #expect(try scratch.text("root/u") == "a.txt")
        #expect(try scratch.status("root/d/up").kind == .symlink)
        #expect(try paths(tree.select(sources: ["toDir/sub"])) == ["dir/sub/y"])
        for source in ["loop", "out", "dangling", "a.txt/x"] {
            #expect(throws: Failure.self) { try tree.select(sources: [source]) }
        }
    }

    @Test func severalNeedADirectory() throws {
        let scratch = try Scratch()
        try scratch.tree(files)
        let failure = #expect(throws: Failure.self) { try scratch.copy("a.txt", "b.txt", to: "/x") }
        #expect(
            failure?.message
                == "When using COPY with more than one source file, the destination must be a directory and end with a /"
        )
        #expect(throws: Failure.self) { try scratch.copy("*.txt", to: "x") }
        try scratch.copy("*.txt", to: ".", workingDirectory: "/w")
        try scratch.copy("*.txt", to: "/w")
        try scratch.copy("dir*", to: "/merged")
        #expect(
            try scratch.listing() == [
                "merged/", "merged/sub/", "merged/sub/y=dir/sub/y", "merged/x=dir/x", "merged/z=dir2/z", "w/",
                "w/a.txt=a.txt", "w/b.txt=b.txt",
            ])
    }
}
