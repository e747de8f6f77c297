extension LintFinding {
    /// Where the rule is explained.
    package var address: String { "https://docs.docker.com/go/dockerfile/rule/\(LintFinding.kebab(rule))/" }

    /// As BuildKit prints it, line by line.
    package func lines(in document: DockerfileDocument) -> [String] {
        var lines = ["WARNING: \(rule) - \(address)", message]
        if let range { lines += FramedExcerpt(document: document, range: range).lines }
        return lines
    }

    /// In one line: `StageNameCasing: … (line 3)`.
    package var short: String { "\(rule): \(message)" + (range.map { " (line \($0.firstLine))" } ?? "") }

    /// `JSONArgsRecommended` is `json-args-recommended`.
    static func kebab(_ name: String) -> String {
        let letters = Array(name)
        var text = ""
        for (index, letter) in letters.enumerated() {
            if letter.isUppercase, index > 0 {
                let endsWord = index + 1 < letters.count && letters[index + 1].isLowercase
                if letters[index - 1].isLowercase || endsWord { text += "-" }
            }
            text += letter.lowercased()
        }
        return text
    }
}
