import CommandTable
import Engine
import Failure
import LinuxSystem
import OCI
import Transfers

/// `__provide KIND quiet|loud NAME [PLATFORM]`: brings an image for `run` and `create`, in `ImageNeed`'s words. All that
/// it has to tell goes to stderr: stdout is the container's.
enum ProvideVerb {
    static func perform(_ words: [String], _ engine: Engine) throws(Failure) -> Int32 {
        // How a prune starts this program again.
        if words == ["__empty-trash"] {
            try engine.emptyTrash()
            return 0
        }
        guard words.count == 4 || words.count == 5, words[0] == "__provide",
            let kind = ImageNeed.Kind(rawValue: words[1])
        else {
            throw Failure(.invalidArgument, "unknown command: ctr \(words[0])", hint: "See 'ctr --help'.")
        }
        let progress = Progress.chosen(quiet: words[2] == "quiet")
        let name = words[3]
        if kind == .missing {
            progress.note("Unable to find image '\(try Reference.parse(name).familiar)' locally")
        }
        try engine.provide(
            name, platform: words.count > 4 ? words[4] : nil, pull: kind != .unpack, progress: progress)
        return 0
    }
}
