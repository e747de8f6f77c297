package import Failure
internal import LinuxSystem

/// 64 hex digits from 32 random bytes; the first 12 are shown. Never all decimal, which a name could be taken for.
package enum ContainerID {
    package static func random() -> String {
        while true {
            let id = randomHex(bytes: 32)
            if !id.prefix(12).allSatisfy(\.isNumber) { return id }
        }
    }

    static func isPrefix(_ word: String) -> Bool {
        !word.isEmpty && word.utf8.count <= 64
            && word.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    static func isWhole(_ word: String) -> Bool { word.utf8.count == 64 && isPrefix(word) }
}

/// docker's grammar of names: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`.
package enum ContainerName {
    package static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count >= 2, bytes.count <= 200 else { return false }
        return isAlphanumeric(bytes[0])
            && bytes.dropFirst().allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "-")
            }
    }

    package static func check(_ name: String) throws(Failure) {
        guard isValid(name) else {
            throw Failure(
                .invalidArgument,
                "Invalid container name (\(name)), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    static func random(suffix: Bool) -> String {
        let pair = "\(moods.randomElement() ?? "calm")_\(birds.randomElement() ?? "heron")"
        return suffix ? pair + String(Int.random(in: 2...9999)) : pair
    }

    private static let moods = [
        "able", "airy", "ample", "apt", "bold", "brave", "brisk", "busy", "calm", "clear", "clever", "cosy",
        "crisp", "daring", "deft", "eager", "easy", "fair", "fleet", "fond", "frank", "fresh", "gentle",
        "glad",
        "golden", "grand", "hardy", "hearty", "honest", "jolly", "keen", "kind", "lively", "loyal", "lucid",
        "lucky", "mellow", "merry", "modest", "neat", "noble", "patient", "placid", "plucky", "polite",
        "prompt",
        "proud", "quick", "quiet", "ready", "serene", "sharp", "sleek", "snug", "sober", "steady", "stout",
        "sunny",
        "swift", "tidy", "trusty", "vivid", "warm", "witty",
    ]
    private static let birds = [
        "avocet", "bittern", "bunting", "buzzard", "condor", "coot", "crane", "crow", "curlew", "dipper",
        "dove",
        "dunlin", "eagle", "egret", "eider", "falcon", "finch", "gannet", "godwit", "goose", "grebe",
        "grouse",
        "gull", "harrier", "hawk", "heron", "hoopoe", "ibis", "jackdaw", "jay", "kestrel", "kite", "lapwing",
        "lark", "linnet", "magpie", "martin", "merlin", "nightjar", "oriole", "osprey", "owl", "petrel",
        "pipit",
        "plover", "puffin", "quail", "raven", "robin", "rook", "ruff", "shrike", "siskin", "skua", "snipe",
        "sparrow", "starling", "stork", "swallow", "swan", "swift", "teal", "tern", "thrush", "warbler",
        "wren",
    ]
}
