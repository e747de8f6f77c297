import Foundation
import Testing

/// A step of a build as `--progress plain` tells of it.
struct BuildStep: CustomStringConvertible {
    var number: Int
    /// `[stage 2/5] RUN make`
    var title: String
    /// What it wrote and what was told of it, without the time before each line of output.
    var lines: [String] = []
    /// `CACHED`, `DONE`, `ERROR`, `CANCELED`, or nothing.
    var end = ""

    var isCached: Bool { end == "CACHED" }
    var description: String { "#\(number) \(title): \(end)" }
}

extension Outcome {
    /// The steps of a build in the order of their numbers.
    var steps: [BuildStep] {
        var steps: [Int: BuildStep] = [:]
        for line in stderr.components(separatedBy: "\n") {
            guard let match = line.wholeMatch(of: /#(\d+) (.*)/), let number = Int(match.1) else { continue }
            guard let known = steps[number] else {
                steps[number] = BuildStep(number: number, title: String(match.2))
                continue
            }
            // Another step's lines come between.
            if match.2 == "..." || match.2 == known.title { continue }
            if let end = match.2.wholeMatch(of: /(CACHED|DONE|ERROR|CANCELED)([: ].*)?/) {
                steps[number]?.end = String(end.1)
                continue
            }
            let output = match.2.wholeMatch(of: /\d+\.\d+ (.*)/)
            steps[number]?.lines.append(String(output?.1 ?? match.2))
        }
        return steps.values.sorted { $0.number < $1.number }
    }

    /// The step whose title has this in it.
    func step(_ part: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> BuildStep {
        try #require(
            steps.first { $0.title.contains(part) }, "a step \"\(part)\" in \(whole)",
            sourceLocation: sourceLocation)
    }

    /// Titles of RUN, COPY, ADD and WORKDIR steps that came out of the cache, and of those that were done.
    var cached: [String] { steps.filter { $0.isLayer && $0.isCached }.map(\.instruction) }
    var done: [String] { steps.filter { $0.isLayer && $0.end == "DONE" }.map(\.instruction) }

    var whole: String { "\(command.joined(separator: " "))\nexit code \(code)\n\(stdout)\n\(stderr)" }
}

extension BuildStep {
    var isLayer: Bool {
        ["RUN ", "COPY ", "ADD ", "WORKDIR "].contains { instruction.hasPrefix($0) }
    }
    /// The title without `[stage 2/5]`.
    var instruction: String {
        title.firstMatch(of: /^\[[^\]]*\] (.*)$/).map { String($0.1) } ?? title
    }
}

extension Fixture {
    /// A context with a Dockerfile and files; its path.
    @discardableResult
    func context(_ dockerfile: String?, _ files: [String: String] = [:]) throws -> String {
        try context("context", dockerfile, files)
    }

    @discardableResult
    func context(_ name: String, _ dockerfile: String?, _ files: [String: String] = [:]) throws -> String {
        let path = try makeDirectory(name)
        if let dockerfile { try file("\(name)/Dockerfile", dockerfile) }
        for (file, text) in files { try self.file("\(name)/\(file)", text) }
        return path
    }

    @discardableResult
    func build(
        _ arguments: String..., input: [UInt8]? = nil, timeout: Double = 120,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        try ctr(
            ["build", "--progress", "plain"] + arguments, input: input, timeout: timeout,
            environment: environment)
    }

    /// Builds, which must succeed.
    @discardableResult
    func built(
        _ arguments: String..., input: [UInt8]? = nil, timeout: Double = 120,
        environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try ctr(
            ["build", "--progress", "plain"] + arguments, input: input, timeout: timeout,
            environment: environment)
        try #require(outcome.code == 0, "\(outcome.whole)", sourceLocation: sourceLocation)
        return outcome
    }

    /// Builds, which must fail with one line and all of `says`.
    @discardableResult
    func buildFails(
        _ arguments: String..., says: [String], input: [UInt8]? = nil,
        environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try ctr(
            ["build", "--progress", "plain"] + arguments, input: input, timeout: 120,
            environment: environment)
        expectRefusal(outcome, code: 1, says: says, sourceLocation: sourceLocation)
        return outcome
    }

    /// Builds and answers what the metadata file says of the image.
    func identityOfBuild(
        _ arguments: [String], environment: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> ImageIdentity {
        let file = path("metadata-\(UInt32.random(in: 0...UInt32.max)).json")
        let outcome = try ctr(
            ["build", "--progress", "plain", "--metadata-file", file] + arguments, timeout: 120,
            environment: environment)
        try #require(outcome.code == 0, "\(outcome.whole)", sourceLocation: sourceLocation)
        let fields =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
            as? [String: String] ?? [:]
        return ImageIdentity(
            id: fields["containerimage.config.digest"] ?? "", manifest: fields["containerimage.digest"] ?? "")
    }

    /// The words of a command in an image, as a container's output.
    func run(_ image: String, _ command: String, sourceLocation: SourceLocation = #_sourceLocation) throws
        -> String
    {
        try ok(
            "run", "--rm", "--entrypoint", "/bin/sh", image, "-c", command, sourceLocation: sourceLocation)
    }

    /// Copies programs of the machine with the libraries that they are linked with; false where one cannot be read.
    func copyPrograms(_ programs: [String], into directory: String) throws -> Bool {
        let script = """
            set -e
            into=$1; shift
            for program; do
                mkdir -p "$into$(dirname "$program")"; cp -L "$program" "$into$program"
                for lib in $(ldd "$program" | grep -o '/[^ ]*'); do cp -L --parents "$lib" "$into"; done
            done
            """
        return try ChildProcess(
            ["/bin/sh", "-c", script, "sh", directory] + programs, environment: environment
        ).finish(timeout: 60).code == 0
    }

    /// Copies the interpreter, its libraries and its modules; false where the machine's python is not of that kind.
    func copyPython(into directory: String) throws -> Bool {
        guard try copyPrograms(["/usr/bin/python3"], into: directory) else { return false }
        let script = """
            set -e
            version=$(basename "$(readlink -f /usr/bin/python3)"); mkdir -p "$1/usr/lib"
            tar -C /usr/lib --exclude=__pycache__ --exclude=test --exclude='config-*' --exclude=lib2to3 \
                --exclude=idlelib --exclude=dist-packages --exclude=site-packages -cf - "$version" | tar -C "$1/usr/lib" -xf -
            """
        return try ChildProcess(
            ["/bin/sh", "-c", script, "sh", directory], environment: environment
        ).finish(timeout: 60).code == 0
    }

    /// Files below the root that hold these bytes, by grep: every byte of the store.
    func filesHolding(_ text: String, below directory: String? = nil) throws -> [String] {
        let outcome = try ChildProcess(
            ["/bin/grep", "-rlaF", "--devices=skip", text, directory ?? root], environment: environment
        ).finish(timeout: 60)
        return outcome.lines
    }
}

struct ImageIdentity: Equatable, CustomStringConvertible {
    var id: String
    var manifest: String
    var description: String { "image \(id), manifest \(manifest)" }
}
