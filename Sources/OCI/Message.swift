extension String {
    /// The text as it may stand in a one-line message: in quotes, control characters escaped, cut where long,
    /// so that what an image or a registry wrote cannot forge lines or terminal commands.
    package var quotedForMessage: String { "\"" + onOneLine(limit: 160) + "\"" }

    /// Control, format and separator characters escaped and the whole cut after `limit` characters.
    func onOneLine(limit: Int) -> String {
        var line = ""
        var count = 0
        for scalar in unicodeScalars {
            guard count < limit else { return line + "…" }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{" + String(scalar.value, radix: 16) + "}"
            default:
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
